"""`hangtag serve`: a model as a web page and an HTTP service."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
from typing import TYPE_CHECKING

import click

from hangtag.cli._engine import ENGINE

if TYPE_CHECKING:
    from hangtag.predict import Engine


@click.command(epilog="Example: hangtag serve --host 0.0.0.0  (then open the address it prints on a phone)")
@click.argument("bundle", default="default")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for the network.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A name the server is reached by. Repeatable.")
@click.option("--trusted-proxy", multiple=True, metavar="ADDRESS", help="A proxy that names its clients. Repeatable.")
@ENGINE
@click.option("--json", "as_json", is_flag=True, help="Say where it serves as JSON on standard output.")
def command(
    bundle: str,
    host: str,
    port: int,
    allow_host: tuple[str, ...],
    trusted_proxy: tuple[str, ...],
    engine: Engine,
    as_json: bool,
) -> None:
    """Serve BUNDLE (a folder or a name): a page to drop pictures on, and POST /recognise for programs.

    Pictures are judged and forgotten. There is no password. Ctrl-C stops it.
    """
    from hangtag.core.optional import require

    for package in ("starlette", "uvicorn"):
        require(package, extra="serve")
    from hangtag import predict
    from hangtag.core.printable import printable
    from hangtag.serve import server
    from hangtag.serve.clients import Proxies

    proxies = Proxies([_network(address) for address in trusted_proxy])
    hosts = tuple(_host_name(name) for name in allow_host)
    if not _is_address(host):
        hosts += (host,)

    listening = server.listen(host, port)  # an address that is taken is told before the model is loaded
    with listening:
        recogniser = predict.load(bundle, engine=engine)
        urls, card = server.addresses(listening), recogniser.card

        def ready() -> None:
            if as_json:
                click.echo(json.dumps({"url": urls[0], "urls": urls, "model": card.name, **card.standing()}))
                return
            click.secho(f"serving {printable(card.name)}", bold=True)
            if text := card.unfinished_text():
                click.secho(printable(f"  {text}; start it again for better ones"), fg="yellow")
            for name, one in recogniser.members.items():
                kind = "photos" if one.colour else "small grey images"
                click.secho(printable(f"  {kind}: {name}"), dim=True)
            for url in urls:
                click.echo(f"  {url}")
            click.echo(f"  curl --data-binary @shirt.jpg {urls[0]}/recognise")
            click.secho("Ctrl-C stops it", dim=True)

        _log_to_terminal()
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            server.run(recogniser, listening, hosts, ready, proxies)
        click.secho("stopped", err=True, dim=True)


class _Printable(logging.Formatter):
    """Lines that cannot command a terminal, whatever an exception quotes."""

    def format(self, record: logging.LogRecord) -> str:
        from hangtag.core.printable import printable

        return "\n".join(printable(line) for line in super().format(record).split("\n"))


def _log_to_terminal() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable())
    logging.getLogger("hangtag.serve").addHandler(handler)


def _host_name(name: str) -> str:
    """A value of `--allow-host`: what a browser's `Host` header may say, without a port."""
    if not name or "/" in name or (":" in name and not _is_address(name.strip("[]"))):
        raise click.UsageError(
            f"--allow-host takes a name such as shop.example, without http:// and port, not {name!r}"
        )
    return f"[{name.strip('[]')}]" if ":" in name else name


def _network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A value of `--trusted-proxy`: an address, or a network such as 10.0.0.0/8."""
    try:
        return ipaddress.ip_network(address, strict=False)
    except ValueError:
        raise click.UsageError(
            f"--trusted-proxy takes an address such as 10.0.0.5, or a network such as 10.0.0.0/8, not {address!r}"
        ) from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
