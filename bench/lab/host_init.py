"""PID 1 of a host: it lives until it is killed, and with it everything on the host; it buries what its children leave.

    python -I -S host_init.py BOOT_ID_FILE

The first line that it prints says that the host is up.
"""

import os
import signal
import subprocess
import sys


def main(boot_id: str) -> None:
    """Never returns."""
    subprocess.run(["mount", "--bind", boot_id, "/proc/sys/kernel/random/boot_id"], check=True)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    print("up", flush=True)
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


if __name__ == "__main__":
    main(sys.argv[1])
