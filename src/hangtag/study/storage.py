"""Where a study is kept: an SQLite file, or a database that several machines reach."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hangtag.core.errors import HangtagError, writing_to
from hangtag.core.optional import require

if TYPE_CHECKING:
    import optuna

HEARTBEAT_S = 10  # between two signs of life of a running trial
GRACE_S = 60  # without one, and the trial is given to somebody else
_CONNECT_S = 10
_LOCKED_S = 60  # how long SQLite waits for another process to have written
_MADE_S = 5.0  # how long the maker of a study may take to write down what it is
_SETTINGS = "hangtag"


def connect(url: str) -> optuna.storages.RDBStorage:
    """The storage at `url`, its tables made if need be.

    Raises:
        HangtagError: `usage_storage` for no URL, `extra_missing` without the database's driver, `storage_unreachable`.
    """
    require("optuna", extra="tune")
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        address = sqlalchemy.engine.make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        raise HangtagError(
            "usage_storage", "--storage wants a URL such as postgresql://user:password@host/database or sqlite:///file"
        ) from error
    if address.drivername in ("postgres", "postgresql"):
        require("psycopg", extra="postgres")
        address = address.set(drivername="postgresql+psycopg")
    kind = address.get_backend_name()
    waiting = {"sqlite": {"timeout": _LOCKED_S}, "postgresql": {"connect_timeout": _CONNECT_S}}
    with reaching(url), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # heartbeats are "experimental"
        for left in (2, 1, 0):
            try:
                return optuna.storages.RDBStorage(
                    _template(address),
                    engine_kwargs={"connect_args": waiting.get(kind, {})},
                    heartbeat_interval=HEARTBEAT_S,
                    grace_period=GRACE_S,
                    heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
                )
            except (sqlalchemy.exc.ProgrammingError, sqlalchemy.exc.IntegrityError):
                if not left:  # two that come first make the tables at once: the slower one finds them there
                    raise
                time.sleep(0.5)
            except ImportError as error:
                raise HangtagError(
                    "extra_missing", f"the driver for {kind} is not installed: pip install it"
                ) from error
            except RuntimeError as error:  # what Optuna says of tables by another version of it
                reason = " ".join(str(error).split())
                raise HangtagError("storage_unreachable", f"{hidden(url)} is of another Optuna: {reason}") from error
    raise AssertionError


def _template(address: Any) -> str:
    """The URL as Optuna takes it, who fills in what stands in braces."""
    return str(address.render_as_string(hide_password=False)).replace("{", "{{").replace("}", "}}")


def hidden(url: str) -> str:
    """The URL as it may be shown: without its password."""
    import sqlalchemy

    try:
        return str(sqlalchemy.engine.make_url(url).render_as_string(hide_password=True))
    except sqlalchemy.exc.ArgumentError:
        return "the storage"


@contextlib.contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn what a database says when it cannot be used into one line, without the password.

    Raises:
        HangtagError: `storage_unreachable`.
    """
    import sqlalchemy
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise HangtagError(
            "usage_storage", f"--storage: no database is called {hidden(url).partition(':')[0]!r}"
        ) from error
    except (sqlalchemy.exc.SQLAlchemyError, StorageInternalError) as error:
        cause: BaseException = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        reason = " ".join(str(getattr(cause, "orig", None) or cause).split())
        password = sqlalchemy.engine.make_url(url).password
        if password:
            reason = reason.replace(str(password), "***")
        raise HangtagError(
            "storage_unreachable",
            f"{hidden(url)} cannot be used ({reason[:300]}): see that the database runs and lets you in; "
            f"the same command then goes on",
        ) from error


@contextlib.contextmanager
def in_turn(storage: optuna.storages.RDBStorage, study_id: int) -> Iterator[None]:
    """Let no other process choose settings for this study meanwhile: two would choose the same.

    The study's row is locked, as Optuna does to number a trial; databases free it when the process dies. SQLite, which
    has no such lock, gets a lock file beside the database.
    """
    import sqlalchemy

    if storage.engine.dialect.name == "sqlite":
        from filelock import FileLock

        file = storage.engine.url.database
        if file in (None, "", ":memory:"):  # nobody else can reach it
            yield
            return
        lock = FileLock(f"{file}.lock")
        with writing_to(Path(lock.lock_file)):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
        return
    studies = sqlalchemy.table("studies", sqlalchemy.column("study_id"))
    row = sqlalchemy.select(studies.c.study_id).where(studies.c.study_id == study_id).with_for_update()
    with storage.engine.begin() as connection:
        connection.execute(row)
        yield


def join(storage: optuna.storages.RDBStorage, name: str, settings: dict[str, Any], *, timed: bool) -> optuna.Study:
    """The study called `name`, made if there is none. Exactly one of many that come at once makes it.

    Args:
        storage, name: where, and which.
        settings: everything that decides it, as plain JSON types.
        timed: it weighs accuracy against time.

    Raises:
        HangtagError: `run_other_settings`, if it is a study of something else, naming what differs.
    """
    import optuna

    with contextlib.suppress(optuna.exceptions.DuplicatedStudyError):
        directions: list[Literal["maximize", "minimize"]] = ["maximize", "minimize"] if timed else ["maximize"]
        study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        study.set_user_attr(_SETTINGS, settings)
        return study
    study = optuna.load_study(study_name=name, storage=storage)
    until = time.monotonic() + _MADE_S
    while (known := study.user_attrs.get(_SETTINGS)) is None and time.monotonic() < until:
        time.sleep(0.2)
    if known is None:
        if study.get_trials(deepcopy=False):
            raise HangtagError(
                "run_other_settings", f"study {name!r} was made by something else than hangtag: choose another --study"
            )
        study.set_user_attr(_SETTINGS, settings)  # its maker was killed before it could
        known = settings
    from hangtag.experiment import differences

    if differing := differences(known, settings):
        raise HangtagError(
            "run_other_settings",
            f"study {name!r} is of other settings ({'; '.join(differing)}): choose another --study",
        )
    return study
