"""A sentence keeps how it was made wherever it goes, and everything that programs tell of themselves has both."""

from __future__ import annotations

import ast
import inspect
import json
import pickle

import pytest

from detak_collector.catalogue import past
from detak_collector.catalogue.change_words import WORDS, change_words
from detak_collector.channel.certificate_alarms import end_alarms, refused_alarm
from detak_collector.channel.certificate_files import DAY_MS, Period
from detak_collector.channel.certificate_refusals import Refuser
from detak_collector.ingest.rivals import Speaker, rivalry
from detak_collector.operating.alarms import Alarm, page_alarm, standby_alarm, store_alarm, syslog_alarm
from detak_collector.operating.catalogue_alarms import refused_alarm as refused_reload
from detak_collector.pair.alarms import Standing, pair_alarms
from detak_collector.pair.role import Role
from detak_collector.translation.language import language
from detak_collector.translation.saying import Saying, counted, saying
from indonesian import english_in

INDONESIAN = language("id")
REFUSER = Refuser("10.0.0.1", 0, 0, 1, "it is revoked")


def test_it_is_a_text_in_english_and_a_sentence_in_each_language() -> None:
    told = saying("{said}. Agents refuse it then: `detak-collector certificate renew`, or have its authority renew it",
                  said=counted("{what} ends on {end}, in {number} day", "{what} ends on {end}, in {number} days", 1_234,
                               what=saying("the authority's certificate"), end="2030-01-01"))  # fmt: skip
    assert told.startswith("the authority's certificate ends on 2030-01-01, in 1,234 days. Agents refuse it then")
    assert INDONESIAN.told(told).startswith("sertifikat otoritas berakhir pada 2030-01-01, 1.234 hari lagi. Setelah")
    assert language("en").told(told) == told
    assert INDONESIAN.told("what a program said") == "what a program said"


def test_it_is_the_same_in_another_process_and_a_mere_text_in_json() -> None:
    told = counted("{what} ends on {end}, in {number} day", "{what} ends on {end}, in {number} days", 1,
                   what=saying("the collector's certificate"), end="today")  # fmt: skip
    moved = pickle.loads(pickle.dumps(told, protocol=pickle.HIGHEST_PROTOCOL))
    assert isinstance(moved, Saying)
    assert INDONESIAN.told(moved) == "sertifikat kolektor berakhir pada today, 1 hari lagi"
    assert json.loads(json.dumps(told)) == "the collector's certificate ends on today, in 1 day"


@pytest.mark.parametrize(
    "alarm",
    [
        *page_alarm("it failed", None, 0), *store_alarm("it failed"), *standby_alarm(is_missing=True),
        *syslog_alarm("refused", 0), *syslog_alarm("refused", 2), refused_reload(),
        *end_alarms({"collector": Period(0, 5 * DAY_MS), "authority": Period(0, 1)}, DAY_MS),
        *refused_alarm([REFUSER], unheard=True), *refused_alarm([REFUSER, REFUSER], unheard=False),
        *pair_alarms(Standing(Role.FOLLOWS, is_paired=False, silent_ms=0)),
        *pair_alarms(Standing(Role.FOLLOWS, is_paired=True, silent_ms=90_000, same_services=False)),
        *pair_alarms(Standing(Role.LEADS, is_paired=True, silent_ms=31_000, other_leads=True)),
        *pair_alarms(Standing(Role.SUPERSEDED, is_paired=True, silent_ms=0, other_leads=True)),
        Alarm("rivals", is_urgent=False, text=rivalry("db-01", (Speaker("a" * 32, ""), Speaker("b" * 32, "10.0.0.1")))),
    ],
    ids=lambda one: one.key,
)  # fmt: skip
def test_no_alarm_has_a_word_of_english_in_indonesian(alarm: Alarm) -> None:
    words = {one.strip(".,:;()").lower() for one in INDONESIAN.told(alarm.text).split("`")[0].split()}
    assert not words & {"the", "is", "are", "not", "and", "of", "it", "this", "that", "one", "for", "says", "its"}
    assert "{" not in INDONESIAN.told(alarm.text)


def test_english_on_a_page_is_told_from_what_has_no_language() -> None:
    assert english_in(["Nothing is entered so far."])
    assert english_in(["Gangguan", "not observed"])
    assert not english_in(["Belum ada yang dicatat.", "layanan impor", "`services.toml` min 871 MiB", ""])


def test_whatever_two_catalogues_may_say_differently_has_its_words() -> None:
    yielded = {
        node.value.elts[0].value
        for node in ast.walk(ast.parse(inspect.getsource(past)))
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple)
        and isinstance(node.value.elts[0], ast.Constant)
    }  # fmt: skip
    assert yielded
    assert yielded | {past.GONE, past.NEW, "services", "target_percent"} == set(WORDS)
    for line, words in {
        "ha_rule": 'arti rule = "ha" (ha_rule)',
        "service impor: is gone": "layanan impor: tidak ada lagi",
        "service impor: members of basis data": "layanan impor: anggota basis data",
        "service impor: node dc-db-01": "layanan impor: node dc-db-01: lokasinya, saksi dan acuannya, atau akhirnya",
        "what a later version says": "what a later version says",
    }.items():
        assert change_words(line, INDONESIAN) == words
