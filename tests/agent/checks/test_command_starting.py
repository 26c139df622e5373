import errno
import os
import re
import threading
from pathlib import Path

import pytest

from agent.checks.check_stage import open_files, open_files_at_first
from detak_agent.checks.kinds.command.starting import Child, start

PATH = {"PATH": "/usr/bin:/bin"}
EVERYBODYS_SIGNALS = 0x7FFFFFFF
"""All but those that a C library keeps to itself."""


def script(folder: Path, body: str, mode: int = 0o755) -> str:
    path = folder / "plugin"
    path.write_text(body)
    path.chmod(mode)
    return str(path)


def said(child: Child) -> tuple[bytes, bytes, int]:
    with child.output, child.errors:
        return child.output.readall(), child.errors.readall(), child.wait()


def children() -> set[str]:
    """The processes that this one started and has not waited for."""
    return {pid for told in Path("/proc/self/task").glob("*/children") for pid in told.read_text().split()}


def test_a_program_gets_its_arguments_and_variables_and_nothing_else_of_the_agent(tmp_path: Path) -> None:
    path = script(tmp_path, '#!/bin/sh\nprintf "%s|" "$0" "$@"; pwd; cat; env; echo oh >&2; exit 7\n')
    output, errors, status = said(start([path, "a b", "", "ü"], {**PATH, "WORD": "x=y"}))
    told, *variables = output.decode().splitlines()
    assert told == f"{path}|a b||ü|/"
    assert {"WORD=x=y", "PATH=/usr/bin:/bin"} <= set(variables)
    assert {one.split("=")[0] for one in variables} <= {"WORD", "PATH", "PWD", "_", "SHLVL", "OLDPWD"}
    assert (errors, status) == (b"oh\n", 7)


def test_a_program_leads_a_session_of_its_own_and_meets_signals_as_any_other_does(tmp_path: Path) -> None:
    # Python ignores SIGPIPE, and would hand that on.
    # While a shell starts another program it blocks signals, so the one that looks takes its place.
    path = script(
        tmp_path, "#!/bin/sh\necho $$; cut -d' ' -f6 /proc/$$/stat; exec grep -E 'Sig(Blk|Ign)' /proc/self/status\n"
    )
    child = start([path], PATH)
    output, _, _ = said(child)
    pid, session, *signals = output.decode().split()
    assert pid == session == str(child.pid)
    assert [int(mask, 16) & EVERYBODYS_SIGNALS for mask in signals[1::2]] == [0, 0]


def test_no_open_file_of_the_agent_is_handed_on(tmp_path: Path) -> None:
    with (tmp_path / "private").open("w"):
        output, _, _ = said(start([script(tmp_path, "#!/bin/sh\nls -l /proc/$$/fd\n")], PATH))
    assert b"private" not in output
    assert b"/dev/null" in output


def test_the_signal_that_killed_a_program_is_told(tmp_path: Path) -> None:
    assert said(start([script(tmp_path, "#!/bin/sh\nkill -9 $$\n")], PATH))[2] == -9


@pytest.mark.parametrize(
    ("body", "mode", "number"),
    [
        ("#!/no/such/interpreter\n", 0o755, errno.ENOENT),
        ("#!/bin/sh\n", 0o644, errno.EACCES),
        ("neither a program nor a script\n", 0o755, errno.ENOEXEC),
    ],
)
def test_what_cannot_be_executed_says_why_and_leaves_nothing_open(
    tmp_path: Path, body: str, mode: int, number: int
) -> None:
    before, started_before = open_files_at_first(), children()
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        start([script(tmp_path, body, mode)], PATH)
    assert open_files() == before
    assert children() <= started_before


def test_an_argument_that_no_program_can_get_is_refused(tmp_path: Path) -> None:
    before = open_files_at_first()
    with pytest.raises(ValueError, match="null"):
        start([script(tmp_path, "#!/bin/sh\n"), "a\0b"], PATH)
    assert open_files() == before


def test_other_threads_go_on_while_a_program_is_started_over_and_over(tmp_path: Path) -> None:
    path, turns, ended = script(tmp_path, "#!/bin/sh\n"), [0], threading.Event()

    def count() -> None:
        while not ended.is_set():
            turns[0] += 1

    counting = threading.Thread(target=count)
    counting.start()
    try:
        statuses = [said(start([path], PATH))[2] for _ in range(20)]
    finally:
        ended.set()
        counting.join()
    assert statuses == [0] * 20
    assert turns[0] > 0
