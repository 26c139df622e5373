"""A chain holds or it does not, and the first thing that is wrong is named."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detak_collector.ledger.chain import (
    LONGEST_WAIT_MS,
    Block,
    GivenHead,
    Head,
    Reach,
    following,
    genesis,
    header_of,
    is_due,
)
from detak_collector.ledger.lines import line_of
from detak_collector.ledger.verification import Fault, Verification, Wrong

COLLECTOR = "c0ffee"
Chain = list[tuple[Block, list[bytes]]]
LINES = st.lists(st.integers(0, 50), min_size=1, max_size=4, unique=True)


def line(number: int) -> bytes:
    return line_of({"record": "gap", "number": number, "run": "1a", "node": "n", "sequence": number})


def chained(*blocks: Sequence[int]) -> Chain:
    """A sound chain of blocks with gaps of these numbers."""
    made: Chain = []
    head = genesis(COLLECTOR)
    for numbers in blocks:
        lines = [line(number) for number in numbers]
        block = following(head, lines, Reach(max(numbers), 0), 1_000 + len(made))
        made.append((block, lines))
        head = Head(block.number, block.head)
    return made


def fault(chain: Chain, given_head: GivenHead | None = None) -> Fault | None:
    verification = Verification(COLLECTOR, given_head)
    found = (verification.take(block, lines) for block, lines in chain)
    return next((one for one in found if one is not None), None) or verification.ended()


def head(chain: Chain) -> GivenHead:
    block, _ = chain[-1]
    return GivenHead(block.head, block.number)


def wrong(found: Fault | None) -> tuple[Wrong, str]:
    assert found is not None
    return found.wrong, found.text.partition(":")[0]


GAP = "gap {0} of run 1a of node n (sequence {0})"
THREE = ([1, 2, 3], [4, 5, 6], [7, 8, 9])


@given(st.lists(LINES, max_size=5))
def test_a_sound_chain_holds_against_every_head_that_it_ever_had(blocks: list[list[int]]) -> None:
    chain = chained(*blocks)
    first = genesis(COLLECTOR)
    for given_head in (
        None,
        GivenHead(first.digest, 0),
        *(GivenHead(block.head, number) for block, _ in chain for number in (block.number, None)),
    ):
        assert fault(chain, given_head) is None


def test_the_head_is_what_sha256sum_makes_of_the_header() -> None:
    (block, lines), *_ = chained([1, 2])
    assert block.digest == sha256(line(1) + b"\n" + line(2) + b"\n").digest()
    before = sha256(b'{"collector":"c0ffee"}\n')
    header = header_of(block, before.digest())
    assert header.decode() == (
        f'{{"block":1,"digest":"{block.digest.hex()}","entries":0,"facts":2,'
        f'"previous":"{before.hexdigest()}","recorded_utc":1000,"records":2}}'
    )
    assert block.head == sha256(header + b"\n").digest()
    assert lines == [line(1), line(2)]


@pytest.mark.parametrize(
    ("now", "what", "where"),
    [
        ([4, 55, 6], Wrong.ALTERED, "gap 55 of run 1a of node n (sequence 55)"),
        ([4, 6], Wrong.MISSING, f"record 2, after {GAP.format(4)}, before {GAP.format(6)}"),
        ([5, 6], Wrong.MISSING, "record 1, before gap 5 of run 1a of node n (sequence 5)"),
        ([4, 5], Wrong.MISSING, "record 3, after gap 5 of run 1a of node n (sequence 5)"),
        ([], Wrong.MISSING, "record 1"),
        ([4, 5, 55, 6], Wrong.ADDED, "gap 55 of run 1a of node n (sequence 55)"),
        ([4, 5, 6, 55], Wrong.ADDED, "gap 55 of run 1a of node n (sequence 55)"),
        ([4, 6, 5], Wrong.ORDER, "gap 6 of run 1a of node n (sequence 6)"),
    ],
)  # fmt: skip
def test_the_first_bad_record_is_named_with_what_is_wrong(now: list[int], what: Wrong, where: str) -> None:
    chain = chained(*THREE)
    chain[1] = (chain[1][0], [line(number) for number in now])
    found = fault(chain)
    assert wrong(found) == (what, where)
    assert found is not None
    assert found.block == 2


@given(st.lists(LINES, min_size=1, max_size=4), st.data())
def test_whatever_is_done_to_the_records_of_a_block_is_noticed(blocks: list[list[int]], data: st.DataObject) -> None:
    chain = chained(*blocks)
    at = data.draw(st.integers(0, len(chain) - 1))
    block, lines = chain[at]
    others = data.draw(st.lists(st.integers(0, 60).map(line), max_size=5))
    assume(others != lines)
    chain[at] = (block, others)
    assert fault(chain) is not None


CHANGES = [
    {"number": 7}, {"number": 0}, {"facts": 5}, {"entries": 1}, {"records": 2}, {"recorded_utc": 1},
    {"digest": bytes(32)}, {"head": bytes(32)}, {"shorts": bytes(24)}, {"shorts": b""},
]  # fmt: skip


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_no_column_of_a_block_can_be_altered_unseen(at: int, change: dict[str, int | bytes]) -> None:
    chain = chained(*THREE)
    block, lines = chain[at]
    chain[at] = (replace(block, **change), lines)  # type: ignore[arg-type]
    assert fault(chain) is not None


def test_a_digest_that_alone_was_altered_does_not_accuse_a_record() -> None:
    chain = chained(*THREE)
    chain[1] = (replace(chain[1][0], digest=bytes(32)), chain[1][1])
    assert "its digest was altered" in str(fault(chain))
    chain = chained(*THREE)
    chain[1] = (replace(chain[1][0], shorts=bytes(24)), chain[1][1])
    assert "the records are as they were" in str(fault(chain))


def test_blocks_that_are_missing_or_exchanged_are_noticed() -> None:
    assert wrong(fault(chained(*THREE)[1:])) == (Wrong.MISSING, "block 1")
    first, _, third = chained(*THREE)
    assert wrong(fault([first, third])) == (Wrong.MISSING, "block 2")
    one, two, three = chained(*THREE)
    exchanged = [one, (replace(three[0], number=2), three[1]), (replace(two[0], number=3), two[1])]
    assert wrong(fault(exchanged))[1] == "block 2 itself"


def test_a_tail_that_was_cut_off_shows_only_against_a_head_that_was_kept() -> None:
    chain = chained(*THREE)
    assert fault(chain[:1]) is None
    assert wrong(fault(chain[:1], head(chain))) == (Wrong.CUT, "blocks 2 to 3")
    assert wrong(fault(chain[:2], head(chain))) == (Wrong.CUT, "block 3")
    assert wrong(fault([], head(chain)))[0] is Wrong.CUT
    assert wrong(fault(chain[:2], GivenHead(chain[2][0].head, None)))[0] is Wrong.REWRITTEN


def test_a_chain_made_anew_as_a_whole_shows_only_against_a_head_that_was_kept() -> None:
    kept, anew = head(chained(*THREE)), chained([1, 2, 33], *THREE[1:])
    assert fault(anew) is None
    assert wrong(fault(anew, kept)) == (Wrong.REWRITTEN, "block 3")
    assert wrong(fault(anew, GivenHead(kept.digest, None)))[0] is Wrong.REWRITTEN
    assert wrong(fault(anew, GivenHead(kept.digest, 0)))[0] is Wrong.REWRITTEN
    longer = chained([1, 2, 33], *THREE[1:], [10])
    assert wrong(fault(longer, kept)) == (Wrong.REWRITTEN, "block 3")


def test_the_chain_of_another_collector_does_not_hold() -> None:
    verification = Verification("0ther")
    (block, lines), *_ = chained([1])
    assert verification.take(block, lines) is not None


@pytest.mark.parametrize("words", ["{n}:{h}", "{h}:{n}", " {n}:{h}\n"])
def test_a_head_is_read_as_people_have_it(words: str) -> None:
    digest = "0f" * 32
    assert GivenHead.of(words.format(n=12, h=digest)) == GivenHead(bytes.fromhex(digest), 12)
    assert GivenHead.of(digest.upper()) == GivenHead(bytes.fromhex(digest), None)
    assert str(GivenHead.of(f"12:{digest}")) == str(Head(12, bytes.fromhex(digest))) == f"12:{digest}"


@pytest.mark.parametrize("words", ["", "12", "12:0f", "0f" * 31, "1:" + "0f" * 32 + ":2", "x:" + "0f" * 32])
def test_what_is_no_head_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="expected NUMBER:HEX"):
        GivenHead.of(words)


def test_what_people_entered_is_chained_at_once_and_evidence_in_company_or_after_an_hour() -> None:
    assert is_due(records=1, entries=1, last_utc=1_000, now_utc=1_001)
    assert is_due(records=500, entries=0, last_utc=1_000, now_utc=1_001)
    assert not is_due(records=499, entries=0, last_utc=1_000, now_utc=999 + LONGEST_WAIT_MS)
    assert is_due(records=1, entries=0, last_utc=1_000, now_utc=1_000 + LONGEST_WAIT_MS)
    assert is_due(records=1, entries=0, last_utc=None, now_utc=1_000)
    assert is_due(records=1, entries=0, last_utc=2_000, now_utc=1_000)
    assert not is_due(records=0, entries=0, last_utc=None, now_utc=1_000)
