"""What a serving collector notes of its channel, and for how long that is believed."""

from pathlib import Path

from detak_collector.channel.note import LASTING_MS, Noted, read_noted, write_noted


def test_that_nobody_can_be_heard_is_believed_for_a_while_and_not_of_a_collector_that_stopped(tmp_path: Path) -> None:
    write_noted(tmp_path, Noted(1_000, is_unheard=True))
    noted = read_noted(tmp_path)
    assert noted is not None
    assert noted.says_unheard(1_000 + LASTING_MS)
    assert not noted.says_unheard(1_001 + LASTING_MS)
    assert not Noted(1_000).says_unheard(1_000)
