"""What people say of a running outage at one of two collectors is on both pages, and its files come along."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from installation import process_check, service_of, sleeper, until
from pair_installation import Pair, paired

pytestmark = pytest.mark.system

PATIENCE_S = 90.0
CONTENT = b"%PDF-1.4\n" + bytes(range(256)) * 4_000


def page(made: Pair, side: str) -> str:
    with urlopen(made.links[f"{'dc' if side == 'drc' else 'drc'}-{side}"].url + "/", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_it_is_entered_at_the_follower_and_known_at_both_with_the_bytes_of_its_file(tmp_path: Path) -> None:
    app, pid_file = sleeper(), tmp_path / "app.pid"
    pid_file.write_text(str(app.pid))
    with paired(tmp_path, service_of("n/app")) as made:
        made.add_agent("n", process_check(pid_file))
        until("it is up", lambda: made.condition("drc") == "up", PATIENCE_S)
        app.kill()
        app.wait()
        until("the outage has a number at both", lambda: all("outage/1" in page(made, one) for one in ("dc", "drc")),
              PATIENCE_S)  # fmt: skip
        (tmp_path / "scan.pdf").write_bytes(CONTENT)
        made.says("drc", "incidents", "acknowledge", "1", "--note", "on my way", "--by", "Siti")
        made.says("drc", "incidents", "annotate", "1", "--cause", "killed by a test", "--by", "Siti")
        made.says("drc", "incidents", "note", "1", "--public", "--en", "Being repaired.")
        digest = made.says("drc", "incidents", "attach", "1", str(tmp_path / "scan.pdf")).split()[-1]
        for side in ("dc", "drc"):
            until(f"the page of {side} says so", lambda at=side: "on my way" in page(made, at), PATIENCE_S)  # type: ignore[misc]
            until(f"the page of {side} has the note", lambda at=side: "Being repaired." in page(made, at), PATIENCE_S)  # type: ignore[misc]
        until("it came along", lambda: made.tried("dc", "incidents", "save", "1", digest, str(tmp_path / "copy.pdf"))
              .returncode == 0, PATIENCE_S)  # fmt: skip
        assert (tmp_path / "copy.pdf").read_bytes() == CONTENT
        now = time.time()
        at_dc, at_drc = made.reports(now - 3_600, now + 3_600, now)
        assert "killed by a test" in at_dc
        assert "killed by a test" in at_drc
