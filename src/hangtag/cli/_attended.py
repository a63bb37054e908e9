"""`hangtag WORDS` for a process of ours that waits for it: `python -m hangtag.cli._attended WORDS`.

When standard input ends, whoever started it is gone or wants it to stop: it is interrupted as by Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
import threading

from hangtag import cli
from hangtag.study.worker import interrupted_with

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have had it ignored
    threading.Thread(target=interrupted_with, args=(sys.stdin,), daemon=True).start()
    cli.main()
