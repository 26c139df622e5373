"""What becomes of a test on a machine that lacks a program."""

import os
from collections.abc import Callable

import pytest

Require = Callable[[str], str]


def outcome_without_the_program(require: Require) -> BaseException:
    # Both outcomes are caught here: a skip that gets away would skip the very test that forbids it.
    with pytest.raises((pytest.skip.Exception, pytest.fail.Exception)) as caught:
        require("no-such-program")
    return caught.value


def test_a_program_that_is_here_is_found_wherever_administrators_keep_it(require: Require) -> None:
    assert os.access(require("sh"), os.X_OK)


def test_without_the_program_the_test_is_skipped_with_the_reason(
    require: Require, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DETAK_REQUIRE_PEERS", raising=False)
    outcome = outcome_without_the_program(require)
    assert (type(outcome), str(outcome)) == (pytest.skip.Exception, "no-such-program is not on this machine")


def test_where_everything_was_promised_a_missing_program_is_a_failure(
    require: Require, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETAK_REQUIRE_PEERS", "1")
    outcome = outcome_without_the_program(require)
    assert isinstance(outcome, pytest.fail.Exception)
    assert "no-such-program is not on this machine, and DETAK_REQUIRE_PEERS=1" in str(outcome)
