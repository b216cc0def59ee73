"""A plugin lives no longer than the engine that started it."""

import os
import signal
import threading
import time

_LOOK_EVERY_SECONDS = 0.25


def end_with_parent() -> None:
    """End this process soon after its parent has gone, at once on SIGINT and SIGTERM.

    An engine that was killed can't stop its plugins, and one that went on creating would leave what no state knows of. Linux'
    PR_SET_PDEATHSIG is not used: it fires when the parent's thread ends, and the engine's threads come and go.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_SECONDS)
        os._exit(1)

    # Not a clean exit: that would wait for the work that is to be given up.
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: os._exit(0))
    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
