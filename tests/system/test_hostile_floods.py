"""Floods at a real collector: who has no key is held back by address, who has one by node, and nobody for others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hostile_client import Target, answer_to, beat, post, target

pytestmark = pytest.mark.system

EVIDENCE = "/api/v1/evidence"


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[Target]:
    with target(tmp_path) as one:
        yield one


def test_four_hundred_nodes_behind_one_address_are_let_in_and_heard_while_a_stranger_there_is_held_back(
    attacked: Target,
) -> None:
    nodes = [f"site-{one}" for one in range(400)]
    token = attacked.token("--count", "400", "--expires", "1h")
    with ThreadPoolExecutor(40) as pool:
        assert {one.status for one in pool.map(lambda node: attacked.enrol(node, token), nodes)} == {200}
    assert attacked.enrol("one-more", token).status == 403
    assert attacked.enrol("n", token).status == 403
    ends = [attacked.connect() for _ in nodes]

    def beats() -> set[int]:
        said = [post(EVIDENCE, beat(node), attacked.keys[node]) for node in nodes]
        with ThreadPoolExecutor(40) as pool:
            return {one.status for one in pool.map(answer_to, ends, said)}

    assert beats() == {200}
    with attacked.connect() as stranger:
        guesses = [answer_to(stranger, post(EVIDENCE, b"{}", f"{one:064}")).status for one in range(2_500)]
    assert set(guesses) == {401, 429}
    assert beats() == {200}
    for end in ends:
        end.close()
    assert "Traceback" not in attacked.log()


def test_one_node_that_runs_wild_is_held_back_and_its_neighbour_is_not(attacked: Target) -> None:
    with attacked.connect() as wild:
        statuses = {answer_to(wild, post(EVIDENCE, beat("n"), attacked.keys["n"])).status for _ in range(2_000)}
    assert statuses == {200, 429}
    assert attacked.say(post(EVIDENCE, beat("m"), attacked.keys["m"])).status == 200
    assert attacked.refusals()["too_often"] > 0
