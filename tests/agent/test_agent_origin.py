"""Whose state it is: the original, a moved disk, a clone, a renamed node, a container."""

from pathlib import Path

import pytest

from detak_agent.failures import CouldNotError
from detak_agent.machine_identity import MachineIdentity, this_machine
from detak_agent.origin import FILE_NAME, ForeignStateError, adopt, claim, read_origin, set_aside

MACHINE_ID = "0123456789abcdef0123456789abcdef"
HERE = MachineIdentity("a" * 32, "b" * 32)
ELSEWHERE = MachineIdentity("c" * 32, "d" * 32)


def machine(root: Path, machine_id: str = MACHINE_ID, product_uuid: str | None = None) -> Path:
    (root / "etc").mkdir(parents=True)
    (root / "etc/machine-id").write_text(machine_id + "\n")
    if product_uuid is not None:
        (root / "sys/class/dmi/id").mkdir(parents=True)
        (root / "sys/class/dmi/id/product_uuid").write_text(product_uuid + "\n")
    return root


def test_state_is_whose_it_was_first(tmp_path: Path) -> None:
    claim(tmp_path, "db-01", lambda: HERE)
    claim(tmp_path, "db-01", lambda: HERE)
    origin = read_origin(tmp_path)
    assert origin is not None
    assert (origin.node, origin.machine) == ("db-01", HERE)


@pytest.mark.parametrize("copy", [ELSEWHERE, MachineIdentity("a" * 32, "d" * 32), MachineIdentity("c" * 32, "b" * 32)])
def test_state_of_another_machine_is_taken_for_a_clone(tmp_path: Path, copy: MachineIdentity) -> None:
    claim(tmp_path, "db-01", lambda: HERE)
    with pytest.raises(ForeignStateError) as error:
        claim(tmp_path, "db-01", lambda: copy)
    assert "this looks like a clone of db-01" in str(error.value)
    assert "`detak-agent enroll`" in str(error.value)
    assert "`detak-agent adopt`" in str(error.value)


def test_what_is_not_known_says_nothing_and_is_noted_once_it_is(tmp_path: Path) -> None:
    claim(tmp_path, "db-01", MachineIdentity)
    claim(tmp_path, "db-01", lambda: MachineIdentity("a" * 32))
    claim(tmp_path, "db-01", MachineIdentity)
    claim(tmp_path, "db-01", lambda: HERE)
    claim(tmp_path, "db-01", lambda: MachineIdentity("a" * 32))
    with pytest.raises(ForeignStateError):
        claim(tmp_path, "db-01", lambda: MachineIdentity("a" * 32, "d" * 32))


def test_a_machine_that_was_really_moved_is_adopted(tmp_path: Path) -> None:
    claim(tmp_path, "db-01", lambda: HERE)
    assert not adopt(tmp_path, "db-01", lambda: HERE)
    assert adopt(tmp_path, "db-01", lambda: ELSEWHERE)
    claim(tmp_path, "db-01", lambda: ELSEWHERE)
    with pytest.raises(CouldNotError, match=r"holds the evidence of node db-01, and agent\.toml says db-02"):
        adopt(tmp_path, "db-02", lambda: ELSEWHERE)


def test_another_node_s_state_is_not_used_under_a_new_name(tmp_path: Path) -> None:
    claim(tmp_path, "db-01", lambda: HERE)
    with pytest.raises(ForeignStateError, match=r"evidence and the keys of node db-01, and agent\.toml says db-02"):
        claim(tmp_path, "db-02", lambda: HERE)


def test_a_note_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    claim(tmp_path, "db-01", lambda: HERE)
    assert read_origin(tmp_path) is not None


def test_a_machine_tells_no_more_of_itself_than_hashes(tmp_path: Path) -> None:
    one = this_machine(machine(tmp_path / "one", product_uuid="4C4C4544-0042"), {})
    again = this_machine(machine(tmp_path / "two", product_uuid="4c4c4544-0042"), {})
    assert one == again
    assert one.machine_id is not None
    assert MACHINE_ID not in repr(one)
    assert this_machine(machine(tmp_path / "three", "f" * 32), {}).differs_from(one)


@pytest.mark.parametrize("content", ["", "uninitialized", "short"])
def test_a_machine_without_an_identity_has_none(tmp_path: Path, content: str) -> None:
    assert this_machine(machine(tmp_path, content), {}) == MachineIdentity()
    assert this_machine(tmp_path / "nothing", {}) == MachineIdentity()


def test_an_identity_made_up_for_one_boot_does_not_count(tmp_path: Path) -> None:
    root = machine(tmp_path)
    (root / "run").mkdir()
    (root / "run/machine-id").write_text(MACHINE_ID)
    assert this_machine(root, {}).machine_id is None


@pytest.mark.parametrize("sign", [".dockerenv", "run/.containerenv", "KUBERNETES_SERVICE_HOST"])
def test_a_container_of_an_application_has_no_identity(tmp_path: Path, sign: str) -> None:
    root = machine(tmp_path)
    if sign.isupper():
        assert this_machine(root, {sign: "10.0.0.1"}) == MachineIdentity()
        return
    (root / sign).parent.mkdir(exist_ok=True)
    (root / sign).touch()
    assert this_machine(root, {}) == MachineIdentity()


def test_a_former_node_s_journal_is_set_aside_whole_and_its_keys_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    for name in ("one.key", "one.key.previous", "one.fingerprint"):
        (tmp_path / "keys" / name).touch()
    for ending in ("", "-wal"):
        (tmp_path / f"journal.db{ending}").write_text(f"of db-01{ending}")
    assert set_aside(tmp_path, "db-01") == tmp_path / "journal.db.of-db-01-1"
    assert (tmp_path / "journal.db.of-db-01-1-wal").read_text() == "of db-01-wal"
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["one.fingerprint"]
    assert set_aside(tmp_path, "db-01") is None
    (tmp_path / "journal.db").touch()
    assert set_aside(tmp_path, "db-01") == tmp_path / "journal.db.of-db-01-2"
