"""`hangtag WORDS` for a process of ours that waits for it: `python -m hangtag.cli._attended WORDS`.

When standard input ends, whoever started it is gone or wants it to stop: it is interrupted as by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from hangtag import cli
from hangtag.study.worker import interrupted_with


def _listen() -> None:
    while sys.stdin.read(1):
        pass
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nobody listens: what is told while saving must not end that
    interrupted_with(sys.stdin)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have had it ignored
    threading.Thread(target=_listen, daemon=True).start()
    cli.main()
