"""What a terminal shows of many services and months: those that cost most, and how much of each was observed."""

from io import StringIO

from rich.console import Console

from detak_collector.report.text import MOST_SERVICES, print_report
from downtime_cases import DAY, MINUTE, UTC, facts, figures, group, service, stated


def printed(services: int) -> str:
    """The report of a day in which each service was down a minute longer than the one before it."""
    names = [f"s{at:03}" for at in range(services)]
    known = {f"{name}/c": stated(f"{name}/c", 0, DAY, [(0, at * MINUTE)]) for at, name in enumerate(names)}
    result = figures([service(group([f"{name}/c"]), name=name) for name in names], facts(known), 0, DAY)
    told = StringIO()
    print_report(result, UTC, Console(file=told, width=120))
    return told.getvalue().partition("Outages")[0]


def test_as_many_services_as_fit_are_all_shown_in_the_order_of_the_catalogue() -> None:
    told = printed(MOST_SERVICES)
    assert told.index("s000") < told.index("s001") < told.index(f"s{MOST_SERVICES - 1:03}")
    assert "with the most counted time" not in told


def test_of_more_services_those_with_the_most_counted_time_are_shown_and_where_the_rest_is() -> None:
    told = printed(MOST_SERVICES + 1)
    assert told.index(f"s{MOST_SERVICES:03}") < told.index(f"s{MOST_SERVICES - 1:03}") < told.index("s001")
    assert "s000" not in told
    assert "The 100 of 101 with the most counted time; --format json has them all." in told


def test_a_month_that_was_not_observed_says_so_beside_its_verdict() -> None:
    known = facts({"n/c": stated("n/c", 31 * DAY, 59 * DAY)})
    told = StringIO()
    print_report(figures([service(group(["n/c"]))], known, 0, 59 * DAY), UTC, Console(file=told, width=120))
    january, february = (line for line in told.getvalue().splitlines() if line.startswith("1970-0"))
    assert "0.000 %" in january
    assert "100.000 %" in february
