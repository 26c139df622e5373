"""What checked things say comes from anywhere: a terminal shows it and obeys none of it."""

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from detak_collector.downtime.derive import Result
from detak_collector.downtime.explain import explain
from detak_collector.downtime.facts import Facts, Node, Stated
from detak_collector.report.explanation import print_explanation
from detak_collector.report.terminal import printable
from detak_collector.report.text import print_report
from downtime_cases import HOUR, UTC, figures, group, service

HOSTILE = "\x1b[31mred\x1b]0;owned\x07\nsecond\u202eline"


def result_with_a_hostile_message() -> Result:
    history = (Stated("c", "up", 0, HOUR), Stated("c", "down", HOUR, 2 * HOUR, message=HOSTILE))
    return figures([service(group(["a/c"]))], Facts({"a": Node("a", stated=history)}), 0, 2 * HOUR)


@given(st.text())
def test_no_text_reaches_the_terminal_but_as_letters_of_one_line(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_report_and_an_explanation_show_a_hostile_message_and_obey_none_of_it() -> None:
    result, out = result_with_a_hostile_message(), StringIO()
    console = Console(file=out, width=200)
    print_report(result, UTC, console)
    print_explanation(explain(result, "s"), result, console)
    assert out.getvalue().count("[31mred") == 2
    assert "".join(out.getvalue().splitlines()).isprintable()
