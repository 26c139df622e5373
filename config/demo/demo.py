"""`make demo`: Detak and something to break, on this machine, for a person to hurt and to watch.

It restarts nothing by itself; what was hurt is healed by a word typed here.
"""

import argparse
import os
import select
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from stage import HERE, NODES, Demo, DemoError, own_folder, start_everything


class EndedError(Exception):
    """Somebody asked the demo to end."""


def table(demo: Demo) -> str:
    rows = [(part.name, str(part.pid) if part.runs else "gone", part.what) for part in demo.parts.values()]
    return "\n".join(f"  {name:<19}  {pid:>7}  {what}" for name, pid, what in rows)


def guide(demo: Demo) -> str:
    """What to look at and how to hurt it, with the process ids of this very demo."""
    pid = {name: str(part.pid) for name, part in demo.parts.items()}
    webs = " ".join(pid[f"{node}/web"] for node in NODES)
    database = pid["dc-app-01/database"]
    harms = {
        f"kill {pid['dc-app-01/web']}": "Portal goes down: nothing backs its one web server",
        f"kill -STOP {database}": f"a frozen database takes its site's servers with it; kill -CONT {database} wakes it",
        f"kill {webs}": "all four web servers: Impor and Ekspor go down too",
        f"kill -9 {pid['dc-app-01/agent']}": "an agent dies: presumed down until it is heard again",
        f"kill -9 {pid['collector']}": "the collector dies: the agents keep their evidence and deliver it later",
    }
    collector = " ".join(shown(word) for word in demo.collector_command)
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date()
    return f"""
Detak watches itself at  {demo.url}/

{table(demo)}

Hurt it, from another terminal:
{two_columns(harms)}

Heal it, here: type  heal NAME,  or  heal  for all  (also: list, kill NAME, freeze NAME, quit)

Look at it, from another terminal:
  {collector} status
  {collector} report --period {today}

Ctrl-C ends everything and removes {shown(str(demo.folder))}
"""


def two_columns(rows: dict[str, str]) -> str:
    width = max(len(first) for first in rows)
    return "\n".join(f"  {first:<{width}}   {second}" for first, second in rows.items())


def shown(word: str) -> str:
    """A path as a person would type it here."""
    here = f"{Path.cwd()}{os.sep}"
    return word.removeprefix(here)


def obey(demo: Demo, line: str) -> str:
    """Do what a line typed at the demo asks for; the answer is for the person who typed it."""
    word, _, name = line.strip().partition(" ")
    chosen = [demo.parts[name]] if name in demo.parts else [] if name else list(demo.parts.values())
    if word == "quit":
        raise EndedError
    if word == "heal" and chosen:
        for part in chosen:
            part.heal()
    elif word in ("kill", "freeze") and name in demo.parts:
        demo.parts[name].signal(signal.SIGKILL if word == "kill" else signal.SIGSTOP)
        return f"{name}: heal {name} brings it back"
    elif word != "list":
        return "Say list, heal [NAME], kill NAME, freeze NAME or quit; NAME is one of those that list shows."
    return table(demo)


def tell_what_is_gone(demo: Demo) -> None:
    for part in demo.parts.values():
        if not part.runs and not part.gone:
            part.gone = True
            print(
                f"{time.strftime('%H:%M:%S')}  {part.name} ({part.pid}) is gone: heal {part.name} brings it back",
                flush=True,
            )


def watch(demo: Demo) -> None:
    """Until somebody ends the demo: tell what is gone, and do what is typed."""
    typed, heard = b"", [0]
    while True:
        ready, _, _ = select.select(heard, [], [], 0.1)
        if ready:
            try:
                piece = os.read(0, 4_096)
            except OSError:  # a job in the background may not read the terminal
                piece = b""
            heard = heard if piece else []
            *lines, typed = (typed + piece).split(b"\n")
            for line in filter(bytes.strip, lines):
                print(obey(demo, line.decode(errors="replace")), flush=True)
        tell_what_is_gone(demo)


def end_on_signals() -> None:
    def ended(_number: int, _frame: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise EndedError

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)


def play(folder: Path) -> None:
    """Start everything, explain it, wait, and end everything."""
    with own_folder(folder):
        demo = Demo(folder)
        try:
            start_everything(demo)
            print(guide(demo), flush=True)
            watch(demo)
        finally:
            demo.stop()


def main() -> int:
    """Exit codes: 0 when it was ended by a person, 3 when it could not run."""
    parser = argparse.ArgumentParser(description="Run Detak and something to break on this machine.")
    parser.add_argument("--folder", type=Path, default=HERE.parents[1] / ".demo", help="where its files live meanwhile")
    folder: Path = parser.parse_args().folder.resolve()
    end_on_signals()
    try:
        play(folder)
    except EndedError:
        print("\nThe demo has ended; nothing of it is left.")
    except DemoError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
