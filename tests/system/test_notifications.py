"""An outage is made, and somebody else's endpoint is told: once each, whoever is killed or promoted in between."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
from installation import Installation, installation, process_check, service_of, sleeper
from installation import until as until_soon
from pair_installation import SIDES, Pair, paired

from notified import SECRET, Receiver, receiver

pytestmark = pytest.mark.system


LEISURELY_S = 120.0
"""News is looked for at leisure: on a machine that does much else it is long until the next time."""


def until(what: str, condition: Callable[[], object], page: str = "") -> None:
    """Waits for it; at a `page` somebody looks meanwhile, so that boards are drawn at once."""

    def looked() -> object:
        if page:
            with urlopen(page, timeout=LEISURELY_S) as answer:
                answer.read()
        return condition()

    until_soon(what, looked, LEISURELY_S)


class Application:
    """A process that a check looks at."""

    def __init__(self, pid_file: Path) -> None:
        self.pid_file = pid_file
        self.up()

    def up(self) -> None:
        self._process = sleeper()
        self.pid_file.write_text(str(self._process.pid))

    def down(self) -> None:
        self._process.kill()
        self._process.wait()


def table(url: str, **more: object) -> str:
    """A `[[notify]]` of a webhook that is told at once; its secret lies beside the file."""
    keys = {"name": "noc", "webhook": url, "secret_file": "noc-secret", "after_seconds": 0, "gather_seconds": 0, **more}
    return "\n[[notify]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


def configure(folder: Path, url: str, **more: object) -> None:
    secret = folder / "noc-secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o640)
    with (folder / "collector.toml").open("a") as file:
        file.write(table(url, **more))


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    made = Application(tmp_path / "app.pid")
    yield made
    made.down()


@pytest.fixture
def one_node(tmp_path: Path, hook: Receiver, app: Application) -> Iterator[Installation]:
    with installation(tmp_path, service_of("n/app")) as made:
        configure(tmp_path, hook.url)
        made.signal("collector", signal.SIGHUP)
        until("it is read", lambda: "reloaded" in made.log("collector"))
        made.add_agent("n", process_check(app.pid_file))
        until("the service is up", lambda: made.condition() == "up")
        yield made


def test_an_outage_is_told_once_and_its_end_once_though_the_collector_is_killed_again_and_again(
    one_node: Installation, hook: Receiver, app: Application
) -> None:
    made = one_node
    assert "noc: taken" in made.collector_says("notify", "test")
    assert hook.events() == ["test"]
    hook.refuses = 503
    app.down()
    until("it is kept, and was tried", lambda: hook.tried > 1, made.url)
    made.signal("collector", signal.SIGKILL)
    hook.refuses = None
    made.start_collector()
    until("the outage is told", hook.by_outage, made.url)
    made.signal("collector", signal.SIGKILL)
    made.start_collector()
    app.up()
    until("its end is told", lambda: all_over(hook), made.url)
    made.signal("collector", signal.SIGKILL)
    made.start_collector()
    until("it was looked at again for a while", in_seconds(4), made.url)
    assert all(told in ONCE for told in hook.by_outage().values())
    assert hook.wrong == []
    assert hook.taken[1]["title"] == "S is down (application)"
    assert "closed" in made.collector_says("notify", "list")


ONCE = (["opened", "closed"], ["closed"])
"""An agent that is starved may see two outages instead of one, and of the second one nothing but its end."""


def all_over(hook: Receiver) -> bool:
    return all(told[-1] == "closed" for told in hook.by_outage().values())


def in_seconds(length_s: float) -> Callable[[], bool]:
    end = time.monotonic() + length_s
    return lambda: time.monotonic() > end


def test_only_the_collector_that_leads_tells_and_a_promoted_one_repeats_nothing(
    tmp_path: Path, hook: Receiver, app: Application
) -> None:
    with paired(tmp_path, service_of("n/app")) as made:
        told_of(made, hook, app)
        until("the outage is told", hook.by_outage, page(made, "dc"))
        until("the other one knows", lambda: "notice" in kinds(made, "drc"))
        made.end("dc")
        made.says("drc", "promote", "--reason", "a drill")
        app.up()
        until("its end is told by the other one", lambda: all_over(hook), page(made, "drc"))
        assert all(told in ONCE for told in hook.by_outage().values())
        assert hook.wrong == []


def told_of(made: Pair, hook: Receiver, app: Application) -> None:
    """Both collectors know whom to tell; then an outage begins."""
    for side in SIDES:
        configure(made.folder / side, hook.url)
        made.processes[side].send_signal(signal.SIGHUP)
        until(f"{side} has read it", partial(has_reloaded, made, side))
    made.add_agent("n", process_check(app.pid_file))
    until("the service is up at both", lambda: all(made.condition(side) == "up" for side in SIDES))
    app.down()


def page(made: Pair, side: str) -> str:
    return f"http://127.0.0.1:{made.ports[side]}"


def has_reloaded(made: Pair, side: str) -> bool:
    return "reloaded" in made.log(side)


def kinds(made: Pair, side: str) -> set[str]:
    """The kinds of the entries that a collector has."""
    with closing(sqlite3.connect(made.folder / side / "state" / "detak.sqlite")) as connection:
        return {kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM entry")}
