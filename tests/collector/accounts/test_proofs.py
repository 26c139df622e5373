"""Passwords, codes, sessions and the throttle by themselves."""

from __future__ import annotations

import base64
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.accounts import names
from detak_collector.accounts.account import MOST_CODES, SECOND_FACTOR_MS, Session, Stage, Terms, is_alive
from detak_collector.accounts.passwords import Fault, Hasher, fault
from detak_collector.accounts.second_factor import address_of, drawing_of, in_fours, matching_step, new_secret
from detak_collector.accounts.throttle import Throttle
from people_stage import quick

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
             20000000000: "353130"}  # fmt: skip
"""RFC 6238, appendix B, the last six of its eight digits."""

TERMS = Terms(1_000, 5_000)
SESSION = Session(b"h" * 32, "siti", Stage.WHOLE, 0, 0, "10.0.0.1", "")


@pytest.mark.parametrize(("at_s", "code"), RFC_CODES.items())
def test_the_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    step = at_s // 30
    assert matching_step(RFC_SECRET, code, at_s * 1_000, 0) == step
    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]} ", at_s * 1_000, 0) == step


@pytest.mark.parametrize(("by_s", "is_good"), [(-60, False), (-59, True), (30, True), (31, False)])
def test_a_code_is_good_one_step_early_or_late_and_no_more(by_s: int, is_good: bool) -> None:
    assert (matching_step(RFC_SECRET, "081804", (1111111109 + by_s) * 1_000, 0) is not None) is is_good


def test_a_code_that_was_used_is_good_no_more_nor_is_an_earlier_one() -> None:
    step = 1111111109 // 30
    assert matching_step(RFC_SECRET, "081804", 1111111109_000, step) is None
    assert matching_step(RFC_SECRET, "081804", 1111111109_000, step - 1) == step


@pytest.mark.parametrize("typed", ["", "08180", "0818044", "abcdef", "081804\n1", "٠٨١٨٠٤", "-81804"])
def test_what_is_not_six_digits_is_no_code(typed: str) -> None:
    assert matching_step(RFC_SECRET, typed, 1111111109_000, 0) is None


def test_the_drawing_for_the_app_is_plain_svg_without_style_or_script() -> None:
    secret = new_secret()
    address = address_of(secret, "siti", "detak.example.go.id")
    assert address.startswith("otpauth://totp/Detak:siti%20%28detak.example.go.id%29?secret=" + secret)
    drawn = ET.fromstring(drawing_of(address))
    assert {one.tag.rpartition("}")[2] for one in drawn.iter()} <= {"svg", "path", "g", "title"}
    assert not [one for one in drawn.iter() if "style" in one.attrib or "onload" in one.attrib]
    assert in_fours(secret).replace(" ", "") == secret


def test_a_password_fits_its_own_hash_and_nothing_fits_none() -> None:
    hasher = quick()
    kept = hasher.hash("kata sandi é")
    assert hasher.fits(kept, "kata sandi é")
    assert not hasher.fits(kept, "kata sandi e")
    assert not hasher.fits(None, "kata sandi é")
    assert not hasher.fits("no hash at all", "kata sandi é")
    assert hasher.verified == 4
    assert hasher.is_dated(kept) is False
    assert Hasher().is_dated(kept)
    assert Hasher().hash("x").startswith("$argon2id$v=19$m=32768,t=3,p=1$")


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("empat kata baru ini", None), ("elevenchars", Fault.SHORT), ("x" * 257, Fault.LONG),
        ("abababababababab", Fault.UNIFORM), ("SitiRahma 12345678", Fault.PERSONAL), ("ani memetik bunga", None),
    ],
)  # fmt: skip
def test_what_is_no_good_password_is_told_why(password: str, found: Fault | None) -> None:
    assert fault(password, "siti", "ani", "Rahma") is found


@pytest.mark.parametrize(
    ("now", "seen", "alive"),
    [(0, 0, True), (999, 0, True), (1_000, 0, False), (4_999, 4_500, True), (5_000, 4_999, False)],
)
def test_a_session_lives_while_it_is_used_and_no_longer_than_its_longest(now: int, seen: int, alive: bool) -> None:
    assert is_alive(replace(SESSION, seen_utc=seen), now, TERMS) is alive


def test_a_half_sign_in_lives_five_minutes_and_five_codes() -> None:
    half, terms = replace(SESSION, stage=Stage.SECOND_FACTOR), Terms(1, 10 * SECOND_FACTOR_MS)
    assert is_alive(half, SECOND_FACTOR_MS - 1, terms)
    assert not is_alive(half, SECOND_FACTOR_MS, terms)
    assert not is_alive(replace(half, wrong_codes=MOST_CODES), 0, terms)


@given(st.integers(0, 100), st.integers(1, 10))
def test_whoever_waits_as_long_as_he_is_told_may_try_again(tries: int, others: int) -> None:
    throttle = Throttle()
    for at in range(tries):
        throttle.take("siti", f"10.0.0.{at % others}", 0)
    wait_s = throttle.take("siti", "10.0.0.0", 0)
    now_s = 0.0
    for _ in range(3):
        if not wait_s:
            return
        now_s += wait_s + 0.5
        wait_s = throttle.take("siti", "10.0.0.0", now_s)
    assert not wait_s


def test_a_good_sign_in_costs_nothing() -> None:
    throttle = Throttle()
    for _ in range(500):
        assert throttle.take("siti", "10.0.0.1", 0) == 0
        throttle.succeeded("siti", "10.0.0.1", 0)


def test_one_address_may_try_many_names_only_slowly() -> None:
    throttle = Throttle()
    assert [bool(throttle.take(f"user{at}", "10.0.0.1", 0)) for at in range(61)] == [False] * 60 + [True]
    assert throttle.take("somebody", "10.0.0.2", 0) == 0


@pytest.mark.parametrize("typed", ["Siti", " siti ", "\uff33\uff29\uff34\uff29", "SITI"])
def test_a_name_has_one_form(typed: str) -> None:
    assert names.normal(typed) == "siti"
    assert names.is_same_person(typed, "siti")


@pytest.mark.parametrize("name", ["", "-siti", "siti-", "si ti", "siti)", "s" * 65, "siti\n", "sïti", "a/b", "<b>"])
def test_what_could_be_read_as_anything_else_is_no_name(name: str) -> None:
    assert not names.is_name(name)


@pytest.mark.parametrize("name", ["s", "siti.rahma", "199001012015031001", "siti@example.go.id", "s" * 64])
def test_names_of_people_are_names(name: str) -> None:
    assert names.is_name(name)
