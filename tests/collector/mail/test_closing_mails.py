"""Who is told of seals and disputes that wait, of a month that can be sealed, and of mails that do not go out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from detak_collector.clocks import Reading
from detak_collector.closing.bodies import DISMISS, DisputeBody, SealBody
from detak_collector.closing.recording import Author, Ruling, answer_dispute, decide_seal, enter_dispute, enter_seal
from detak_collector.closing.terms import USUAL
from detak_collector.composition import opened
from detak_collector.config import load
from detak_collector.downtime.periods import parse_period
from detak_collector.mail.letter import Letter, Standing
from detak_collector.mail.posting import LAID_OUT_MS
from detak_collector.mail.trouble import REFUSED, WAITING
from evidence_builders import reading
from mail_office import CONFIG, DAY, HOUR, Office, mail_office
from mail_server import CLOSE
from outage_history import SERVICES
from seal_log import body

DJBC = " \N{EN DASH} DJBC"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with mail_office(tmp_path) as made:
        yield made


def seal_of(office: Office, **more: object) -> SealBody:
    period = parse_period("2026-10", office.rules.zone, office.now)
    told = {"period": "2026-10", "begin": period.begin, "end": period.end, **more}
    return structs.replace(body("2026-01"), **told)


def told_in(office: Office) -> str:
    shown = office.mails()[0][1].get_body(("plain",))
    assert shown is not None
    return str(shown.get_content())


def test_a_seal_and_a_restatement_go_to_approvers_once_and_to_a_deputy_when_nobody_decides(office: Office) -> None:
    database = office.store.database
    seal = enter_seal(database, seal_of(office, needs_approval=True, reason="ND-5"), Author("ani", "ani"), office.now)
    assert office.look() == [("budi", f"1 usulan menunggu keputusan Anda{DJBC}")]
    assert "Penyegelan 2026-10, diminta oleh ani" in told_in(office)
    assert f"{office.config.url}/closing/2026-10" in told_in(office)
    office.restart()
    assert office.look(HOUR) == []
    assert office.look(DAY) == [("dewi", f"1 usulan menunggu, dan belum ada yang memutuskan{DJBC}")]
    decide_seal(database, Ruling(seal.label, "approve"), Author("budi", "budi"), office.now)
    assert office.look(HOUR) == []
    again = seal_of(office, restates=seal.entry.id, needs_approval=True, number=2)
    enter_seal(database, again, Author("budi", "budi"), office.now)
    assert [who for who, _ in office.look()] == ["ani"]
    assert "Pernyataan kembali 2026-10, diminta oleh budi" in told_in(office)


def test_a_dispute_goes_to_approvers_and_past_its_deadline_to_all_whom_it_concerns(office: Office) -> None:
    database, deadline = office.store.database, office.now + 5 * HOUR
    disputed = DisputeBody(7, "impor", office.now - DAY, office.now - HOUR, "omar", "not ours", "T-204", deadline)
    dispute = enter_dispute(database, disputed, Author("omar", "omar"), office.now)
    waits = f"1 sanggahan menunggu jawaban Anda{DJBC}"
    assert office.look() == [("ani", waits), ("budi", waits)]
    assert "Gangguan 7, disanggah oleh omar" in told_in(office)
    assert "T-204" in told_in(office)
    assert "Jawaban ditunggu paling lambat" in told_in(office)
    assert f"{office.config.url}/disputes/{dispute.number}" in told_in(office)
    over = f"1 sanggahan telah melewati batas waktu{DJBC}"
    assert office.look(5 * HOUR) == [(who, over) for who in ("ani", "budi", "dewi", "omar")]
    assert office.look(2 * DAY) == [], "a deputy who was told at the deadline is not told again"
    answer_dispute(database, dispute.number, DISMISS, "the switch says so", Author("ani", "ani"), office.now)
    second = DisputeBody(9, "impor", office.now - DAY, office.now - HOUR, "omar", "not ours either")
    enter_dispute(database, second, Author("omar", "omar"), office.now)
    assert [who for who, _ in office.look()] == ["ani", "budi"]
    assert [who for who, _ in office.look(DAY)] == ["dewi"]


def test_a_month_that_could_be_sealed_is_told_once_to_those_who_may_ask_for_it(office: Office) -> None:
    month = parse_period("2026-11", office.rules.zone, office.now)
    office.now = month.end + USUAL.settle_ms - HOUR
    assert office.look() == []
    assert office.look(2 * HOUR) == [], "nobody watched in that month"
    row = office.store.watch.begin(Reading(month.begin + DAY, 0, "b"))
    office.store.watch.extend(row, Reading(month.end, DAY, "b"))
    can = f"1 periode dapat disegel{DJBC}"
    assert office.look(LAID_OUT_MS) == [("ani", can), ("budi", can), ("omar", can)]
    assert f"{office.config.url}/closing/2026-11" in told_in(office)
    assert office.look(HOUR) == []
    assert [who for who, _ in office.look(DAY)] == ["dewi"]


def test_a_month_is_not_told_of_that_is_sealed_by_itself_or_with_a_longer_period(office: Office) -> None:
    month, half = (parse_period(name, office.rules.zone, office.now) for name in ("2026-11", "2026-S2"))
    row = office.store.watch.begin(Reading(month.begin + DAY, 0, "b"))
    office.store.watch.extend(row, Reading(month.end, DAY, "b"))
    office.now = month.end + USUAL.settle_ms + HOUR
    made = seal_of(office, period=half.name, begin=half.begin, end=half.end)
    enter_seal(office.store.database, made, Author("ani", "ani"), office.now)
    assert office.look() == []


@pytest.mark.asyncio
async def test_the_page_is_told_of_a_mail_that_was_refused(tmp_path: Path) -> None:
    (tmp_path / "services.toml").write_text(SERVICES)
    (tmp_path / "collector.toml").write_text(f'state_directory = "{tmp_path}"\n{CONFIG.format(port=9)}')
    async with opened(load(tmp_path / "collector.toml"), lambda: reading(0)) as collector:
        now, outbox = collector.clock().utc, collector.store.outbox
        outbox.add([Letter("a", "summary", "2026-10", "kepala@example.go.id", ("a",), b"", now)])
        taken = outbox.claim("a", now)
        assert taken is not None
        outbox.close("a", taken[1], Standing.REFUSED, "550 no such mailbox", now)
        assert collector.config.mail is not None
        collector.posting.look(collector.config, collector.config.mail)
        await collector.operating.upkeep.look()
        assert REFUSED in [one.key for one in collector.operating.upkeep.alarms]
        assert not any("kepala" in one for one in collector.operating.upkeep.told())


def test_there_is_an_alarm_while_mails_do_not_go_out_and_while_one_that_was_refused_is_not_seen_to(
    office: Office,
) -> None:
    disputed = DisputeBody(7, "impor", office.now - DAY, office.now - HOUR, "omar", "not ours")
    enter_dispute(office.store.database, disputed, Author("omar", "omar"), office.now)
    office.inbox.faults["EHLO"] = CLOSE
    office.look()
    assert office.alarms() == []
    office.look(2 * HOUR)
    assert office.alarms() == [WAITING]
    (text,) = (one.text for one in office.posting.alarms(office.now))
    assert text.startswith("2 mails are not sent, the oldest for more than 2 h.")
    assert "@" not in text, "the page may be public"
    office.inbox.faults.clear()
    office.inbox.faults["RCPT"] = "550 no such mailbox"
    office.look(HOUR)
    assert office.alarms() == [REFUSED]
    for one in office.store.outbox.listing(0):
        office.store.outbox.drop(one.key, office.now)
    office.look()
    assert office.alarms() == []
