"""A chain holds without what was disposed of, and only as far as two people's entries in it tell of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from detak_collector.ledger.chain import Block, GivenHead, Head, Reach, following, genesis, short_of
from detak_collector.ledger.disposal import Left, left_digest, left_of
from detak_collector.ledger.lines import line_of
from detak_collector.ledger.verification import Fault, Verification, Wrong

COLLECTOR = "c0ffee"
PROPOSAL = "a" * 32


def gap(number: int) -> bytes:
    return line_of({"record": "gap", "number": number, "run": "1a", "node": "n", "sequence": number})


def entry(number: int, kind: str, author: str, body: dict[str, object], collector: str = COLLECTOR) -> bytes:
    id_ = PROPOSAL if kind == "disposal" else f"{number:032x}"
    told = {"record": "entry", "number": number, "kind": kind, "author": author, "id": id_, "recorded_utc": 1}
    return line_of({**told, "seen": {}, "collector": collector, "body": body})


@dataclass
class Chain:
    """Blocks with their lines as they were, and what a disposal leaves of the first two."""

    blocks: list[tuple[Block, list[bytes]]] = field(default_factory=list)
    left: dict[int, Left] = field(default_factory=dict)
    now: dict[int, list[bytes]] = field(default_factory=dict)

    def add(self, *lines: bytes) -> None:
        before = Head(self.blocks[-1][0].number, self.blocks[-1][0].head) if self.blocks else genesis(COLLECTOR)
        every = [one for _, some in self.blocks for one in some] + list(lines)
        entries = sum(b'"entry"' in one for one in every)
        block = following(before, lines, Reach(len(every) - entries, entries), 1_000)
        self.blocks.append((block, list(lines)))
        self.now[block.number] = list(lines)

    def leave(self, number: int, lines: Sequence[bytes]) -> None:
        self.left[number] = left_of(number, PROPOSAL, lines)
        self.now[number] = list(lines)
        block, before = self.blocks[number - 1]
        self.blocks[number - 1] = (replace(block, shorts=b""), before)

    def told(self, **more: object) -> dict[str, object]:
        body = {"on": PROPOSAL, "number": 1, "document": "ND-5", "until": 9, "first": 1, "last": 2, "records": 3}
        return {**body, "digest": left_digest(self.left.values()), **more}

    def fault(self, given: GivenHead | None = None) -> Fault | None:
        verification = Verification(COLLECTOR, given)
        for block, _ in self.blocks:
            found = verification.take(block, self.now[block.number], self.left.get(block.number))
            if found is not None:
                return found
        return verification.ended()


def disposed(
    *, proposer: str = "Ani", approver: str = "Budi", verdict: str = "approve", collector: str = COLLECTOR
) -> Chain:
    """Of six records three are gone, by entries of these people."""
    chain = Chain()
    chain.add(gap(1), gap(2), gap(3), entry(1, "figure", "Ani", {}))
    chain.add(gap(4), gap(5))
    chain.add(gap(6))
    chain.leave(1, [gap(3), entry(1, "figure", "Ani", {})])
    chain.leave(2, [gap(5)])
    chain.add(entry(2, "disposal", proposer, {"number": 1}))
    chain.add(entry(3, "disposal-decision", approver, {"on": PROPOSAL, "verdict": verdict}))
    chain.add(entry(4, "disposed", "Cici", chain.told(), collector))
    return chain


def test_a_chain_holds_without_what_was_disposed_of_and_against_every_head_that_it_ever_had() -> None:
    chain = disposed()
    for block, _ in chain.blocks:
        assert chain.fault(GivenHead(block.head, block.number)) is None


def test_it_holds_at_every_moment_while_that_is_carried_out() -> None:
    chain = disposed()
    for number in (2, 1):
        block, before = chain.blocks[number - 1]
        chain.now[number] = before
        chain.blocks[number - 1] = (replace(block, shorts=b"".join(map(short_of, before))), before)
        assert chain.fault() is None


def a_record_more_is_missing(chain: Chain) -> None:
    chain.now[1] = chain.now[1][1:]


def what_is_left_is_another_record(chain: Chain) -> None:
    chain.now[2] = [gap(7)]


def a_record_that_was_not_disposed_of_is_missing(chain: Chain) -> None:
    chain.now[3] = []


def the_list_of_what_is_left_was_rewritten_with_it(chain: Chain) -> None:
    chain.leave(2, [])


def an_entry_went_with_it(chain: Chain) -> None:
    chain.leave(1, [gap(3)])
    chain.now[6] = [entry(4, "disposed", "Cici", chain.told())]
    block = following(Head(5, chain.blocks[4][0].head), chain.now[6], Reach(6, 4), 1_000)
    chain.blocks[5] = (block, chain.now[6])


def the_header_of_a_disposed_block_was_altered(chain: Chain) -> None:
    block, lines = chain.blocks[0]
    chain.blocks[0] = (replace(block, recorded_utc=7), lines)


def no_entry_tells_of_it(chain: Chain) -> None:
    del chain.blocks[5:]


@pytest.mark.parametrize(
    ("tamper", "wrong", "said"),
    [
        (a_record_more_is_missing, Wrong.MISSING, "record 1, before entry 1"),
        (what_is_left_is_another_record, Wrong.ALTERED, "gap 7 of run 1a of node n (sequence 7)"),
        (a_record_that_was_not_disposed_of_is_missing, Wrong.MISSING, "record 1: missing, in block 3"),
        (the_list_of_what_is_left_was_rewritten_with_it, Wrong.DISPOSED, "disposal 1: what it left of its blocks"),
        (an_entry_went_with_it, Wrong.MISSING, "block 1: an entry of it is missing"),
        (the_header_of_a_disposed_block_was_altered, Wrong.ALTERED, "block 1 itself"),
        (no_entry_tells_of_it, Wrong.DISPOSED, "block 1: it has less records than its header says"),
    ],
)
def test_whatever_else_is_missing_or_altered_is_found(tamper: Callable[[Chain], None], wrong: Wrong, said: str) -> None:
    chain = disposed()
    tamper(chain)
    found = chain.fault()
    assert found is not None
    assert (found.wrong, said in found.text) == (wrong, True), found


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (disposed(approver="ani"), "nobody but Ani, who proposed it, approved it"),
        (disposed(verdict="reject"), "nobody but Ani, who proposed it, approved it"),
        (disposed(collector="another"), "no entry tells of a disposal"),
    ],
)
def test_what_two_people_did_not_dispose_of_here_is_missing(chain: Chain, said: str) -> None:
    found = chain.fault()
    assert found is not None
    assert found.wrong is Wrong.DISPOSED
    assert said in found.text


def test_entries_that_were_made_up_before_a_head_that_somebody_keeps_show_against_it() -> None:
    kept = disposed()
    del kept.blocks[3:]
    kept.add(entry(2, "figure", "Ani", {}))
    block, _ = kept.blocks[-1]
    found = disposed().fault(GivenHead(block.head, block.number))
    assert found is not None
    assert found.wrong is Wrong.REWRITTEN
