import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.snmp_datagrams import answered
from detak_agent.checks.kinds.snmp.ber import (
    INTEGER,
    OCTETS,
    SEQUENCE,
    Absent,
    NotSnmpError,
    Value,
    element,
    integer,
    object_identifier,
    object_of,
    outermost,
    value_of,
)
from detak_agent.checks.kinds.snmp.message import REPORT, RESPONSE, Community, answer_of, get
from detak_agent.checks.kinds.snmp.privacy import Aes
from detak_agent.checks.kinds.snmp.usm import Secured, User, secret_of


@given(st.integers(-(2**63), 2**64 - 1))
def test_a_number_comes_back_as_it_was(number: int) -> None:
    assert value_of(outermost(integer(number))) == number


@given(st.tuples(st.integers(0, 1), st.integers(0, 39)) | st.tuples(st.just(2), st.integers(0, 2**31)),
       st.lists(st.integers(0, 2**32 - 1), max_size=20))  # fmt: skip
def test_an_object_identifier_comes_back_as_it_was(first: tuple[int, int], others: list[int]) -> None:
    dotted = ".".join(str(number) for number in (*first, *others))
    assert object_of(outermost(object_identifier(dotted))) == dotted


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_elements_come_back_as_they_were(texts: list[bytes]) -> None:
    whole = outermost(element(SEQUENCE, *(element(OCTETS, text) for text in texts)))
    assert [part.octets() for part in whole.parts()] == texts


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("430400010203", 66_051),
        ("4109ffffffffffffffffff", 2**72 - 1),
        ("4004c0a80001", "192.168.0.1"),
        ("44079f780440a00000", 5.0),
        ("440b9f790840140000000000 00".replace(" ", ""), 5.0),
        ("44029f78", b"\x9f\x78"),
        ("0500", None),
        ("8000", Absent.OBJECT),
        ("8100", Absent.INSTANCE),
        ("8200", Absent.END),
        ("0202ff7f", -129),
    ],
)
def test_values_of_every_type_are_read(data: str, value: Value) -> None:
    assert value_of(outermost(bytes.fromhex(data))) == value


@given(st.binary(max_size=200))
def test_no_datagram_whatever_is_in_it_does_more_than_be_refused(data: bytes) -> None:
    for envelope in (Community("x"), Secured(User("user", "SHA", b"k" * 20, b"k" * 20, Aes()))):
        with pytest.raises(NotSnmpError):
            envelope.unwrap(1, data)


@given(st.data())
def test_an_answer_with_some_bytes_altered_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(answered(7, [("1.3.6.1.2.1.1.3.0", integer(5))]))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotSnmpError):
        Community("x").unwrap(7, bytes(whole))


def test_only_an_answer_to_the_question_by_the_one_who_knows_the_community_counts() -> None:
    envelope = Community("x")
    assert envelope.unwrap(7, answered(7, [])).bindings == ()
    for wrong in (answered(8, []), answered(7, [], b"y"), envelope.wrap(7, get(7, []))):
        with pytest.raises(NotSnmpError):
            envelope.unwrap(7, wrong)


@pytest.mark.parametrize(
    ("authentication", "secret", "key"),
    [
        ("MD5", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
        ("SHA", "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"),
    ],
)
def test_keys_are_made_as_the_examples_of_rfc_3414_have_them(authentication: str, secret: str, key: str) -> None:
    made = secret_of("maplesyrup", authentication)
    assert made.hex() == secret
    assert User("user", authentication).local_key(made, bytes([*[0] * 11, 2])).hex() == key


def test_encryption_is_as_the_example_of_nist_sp_800_38a_has_it() -> None:
    key, start = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), bytes(range(16))
    text = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    hidden = bytes.fromhex("3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b")
    assert Aes().encrypt(key, start, text) == hidden
    assert Aes().decrypt(key, start, hidden) == text


@given(st.binary(max_size=70))
def test_what_is_encrypted_can_be_decrypted(text: bytes) -> None:
    assert Aes().decrypt(b"k" * 20, b"s" * 16, Aes().encrypt(b"k" * 20, b"s" * 16, text)) == text


class FakeAgent:
    """The other side of v3, made of the same envelope with its roles exchanged; it answers as it is told."""

    def __init__(self, user: User) -> None:
        self.side = Secured(user)

    def report(self, message: int, reason: int, engine: bytes = b"engine-1", boots: int = 3) -> bytes:
        pdu = _report(reason)
        security = element(SEQUENCE, element(OCTETS, engine), integer(boots), integer(9), *[element(OCTETS)] * 3)
        header = element(SEQUENCE, integer(message), integer(65_507), element(OCTETS, b"\0"), integer(3))
        scoped = element(SEQUENCE, element(OCTETS, engine), element(OCTETS), pdu)
        return element(SEQUENCE, integer(3), header, element(OCTETS, security), scoped)

    def proven_report(self, message: int, reason: int, boots: int) -> bytes:
        """The same with a proof."""
        self.side.learned(self.side.unwrap(1, self.report(1, 4, boots=boots)))
        return self.side.wrap(message, _report(reason))

    def answer(self, message: int, request: int) -> bytes:
        if not self.side.engine.identity:
            self.side.learned(self.side.unwrap(1, self.report(1, 4)))
        pdu = element(RESPONSE, integer(request), integer(0), integer(0), element(SEQUENCE))
        return self.side.wrap(message, pdu)


def _report(reason: int) -> bytes:
    binding = element(SEQUENCE, object_identifier(f"1.3.6.1.6.3.15.1.1.{reason}.0"), integer(1))
    return element(REPORT, integer(0), integer(0), integer(0), element(SEQUENCE, binding))


USER = User("user", "SHA-256", b"s" * 32, b"p" * 32, Aes())


def told_who(user: User) -> Secured:
    envelope = Secured(user)
    assert envelope.learned(envelope.unwrap(1, FakeAgent(user).report(1, 4)))
    return envelope


def test_an_agent_is_asked_who_it_is_before_anything_is_told_to_it() -> None:
    first = Secured(USER).wrap(1, get(1, ["1.3.6.1.4.1.4711"]))
    assert b"user" not in first
    assert object_identifier("1.3.6.1.4.1.4711") not in first
    assert b"user" in told_who(USER).wrap(2, get(2, []))


def test_a_proven_answer_counts_and_what_is_altered_in_it_does_not() -> None:
    envelope, whole = told_who(USER), FakeAgent(USER).answer(5, 5)
    assert envelope.unwrap(5, whole).kind == RESPONSE
    for at in range(len(whole)):
        altered = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(NotSnmpError):
            envelope.unwrap(5, altered)


def test_an_answer_below_the_level_that_was_asked_does_not_count() -> None:
    envelope = told_who(USER)
    for weaker in (replace(USER, cipher=None, privacy_secret=None), User("user", "SHA-256")):
        with pytest.raises(NotSnmpError):
            envelope.unwrap(5, FakeAgent(weaker).answer(5, 5))


def test_an_answer_by_another_key_to_another_question_or_of_another_engine_does_not_count() -> None:
    envelope = told_who(USER)
    other = FakeAgent(USER)
    other.side.learned(other.side.unwrap(1, other.report(1, 4, b"engine-2")))
    for wrong in (
        FakeAgent(replace(USER, secret=b"x" * 32)).answer(5, 5),
        FakeAgent(USER).answer(6, 5),
        FakeAgent(USER).answer(5, 6),
        other.answer(5, 5),
    ):
        with pytest.raises(NotSnmpError):
            envelope.unwrap(5, wrong)


def test_a_report_teaches_an_engine_once_and_its_time_only_with_proof() -> None:
    envelope, agent = Secured(USER), FakeAgent(USER)
    unknown = envelope.unwrap(1, agent.report(1, 4))
    assert envelope.learned(unknown)
    assert not envelope.learned(unknown)
    not_in_time = envelope.unwrap(1, agent.report(1, 2, boots=4))
    assert not envelope.learned(not_in_time)
    assert envelope.engine.boots == 3
    assert envelope.learned(envelope.unwrap(1, agent.proven_report(1, 2, boots=5)))
    assert envelope.engine.boots == 5
    assert "without proof" in envelope.refusal(not_in_time)
    assert envelope.refusal(envelope.unwrap(1, agent.report(1, 3))) == "does not know user user"


def test_a_pdu_that_is_no_answer_is_refused() -> None:
    for pdu in (get(1, []), element(RESPONSE, integer(1)), element(RESPONSE, *[integer(0)] * 4)):
        with pytest.raises(NotSnmpError):
            answer_of(outermost(pdu))


def test_the_tag_of_a_number_is_checked() -> None:
    with pytest.raises(NotSnmpError):
        outermost(element(OCTETS, b"1")).integer()
    with pytest.raises(NotSnmpError):
        outermost(element(INTEGER, b"1")).octets()
