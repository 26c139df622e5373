"""Boards as `figures` could make them, for the tests of the pages. Plain data: nothing here draws or serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from detak_collector.board.board import (
    Board,
    Condition,
    Day,
    FigureState,
    GroupState,
    MemberState,
    NodeState,
    OutageState,
    ServiceState,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = int(datetime(2026, 11, 23, 19, 26, 3, tzinfo=UTC).timestamp() * 1000)
"""02:26:03 in Jakarta on 24 November 2026."""
YEAR_SO_FAR = 327 * DAY
HOSTILE = "<script>alert('name')</script><img src=x onerror=alert(1)>"
LONG = "Pertukaran Data Kepabeanan dan Cukai Antarinstansi Melalui Gerbang Layanan Terpadu " * 2 + "X" * 120


def days(number: int = 90, evidence_from: int = 0, **told: dict[int, int]) -> tuple[Day, ...]:
    """`number` days to today; `told` maps a part (`counted_ms`) to {days ago: length}."""
    made = []
    for ago in range(number - 1, -1, -1):
        elapsed = DAY if ago else 2 * HOUR + 26 * MINUTE
        parts = {
            name: told.get(name, {}).get(ago, 0)
            for name in ("counted_ms", "excluded_ms", "unobserved_ms", "degraded_ms")
        }
        if number - 1 - ago < evidence_from:
            parts["unobserved_ms"] = elapsed
        day = date(2026, 11, 24) - timedelta(days=ago)
        made.append(Day(day.isoformat(), elapsed, **parts))
    return tuple(made)


def member(check: str, condition: Condition = Condition.UP, message: str = "", since: int | None = None) -> MemberState:
    return MemberState(check, condition, since if since is not None else NOW - 9 * DAY, message)


def group(name: str, category: str, rule: str, *members: MemberState) -> GroupState:
    standing = sum(one.condition in {Condition.UP, Condition.DEGRADED} for one in members)
    worst = Condition.UP if standing else max((one.condition for one in members), key=list(Condition).index)
    return GroupState(name, category, rule, worst, standing, members)


def service(identity: str, name: str, condition: Condition = Condition.UP, **changes: object) -> ServiceState:
    """A service on three groups, up since nine days unless told otherwise."""
    plain = ServiceState(
        id=identity,
        name=name,
        criticality="sangat kritis",
        in_figure=True,
        public=True,
        condition=condition,
        since=NOW - 9 * DAY,
        days=days(counted_ms={34: 18 * MINUTE}, unobserved_ms={57: 3 * HOUR}, excluded_ms={20: 2 * HOUR}),
        counted_ms=18 * MINUTE,
        certain_ms=17 * MINUTE,
        possible_ms=41 * MINUTE,
        service_time_ms=YEAR_SO_FAR,
        coverage=Fraction(99_982, 100_000),
        groups=(
            group("basis data", "database", "all_down", member("dc-db-01/pg"), member("drc-db-01/pg")),
            group("aplikasi", "application", "lowest_member", member("dc-app-01/web"), member("dc-app-02/web")),
            group("jaringan DC", "network", "", member("dc-app-01/fw-a")),
        ),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def outage(identity: str, of: ServiceState, begin: int, end: int | None, **changes: object) -> OutageState:
    length = (end or NOW) - begin
    plain = OutageState(
        id=identity,
        service_id=of.id,
        service_name=of.name,
        in_figure=of.in_figure,
        begin=begin,
        end=end,
        counted_ms=length,
        certain_ms=max(0, length - 4_000),
        possible_ms=length + 4_000,
        cause="database",
        shown_as="down",
        detail="dc-db-01/pg: connection refused; drc-db-01/pg: connection refused",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def node(name: str, site: str | None = "DC", condition: Condition = Condition.UP, **changes: object) -> NodeState:
    plain = NodeState(name, site, condition, NOW - 2_000, "0.1.0", 12, 8)
    return replace(plain, **changes)  # type: ignore[arg-type]


def figure(counted: int, certain: int, possible: int, services: int = 3, **changes: object) -> FigureState:
    """A figure over `services` services in 24x7 since the first of January; the target is 0.1 %."""
    time = services * YEAR_SO_FAR
    target = Fraction(1, 10)
    percent, least, most = (Fraction(100 * length, time) if time else None for length in (counted, certain, possible))
    verdict = proof = None
    if percent is not None and least is not None and most is not None:
        verdict = "met" if percent <= target else "missed"
        proof = "met" if most <= target else "missed" if least > target else "undecided"
    coverage = 1 - Fraction(possible - counted, time) if time else None
    plain = FigureState(
        period="2026",
        target_percent=target,
        percent=percent,
        certain_percent=least,
        possible_percent=most,
        counted_ms=counted,
        certain_ms=certain,
        possible_ms=possible,
        service_time_ms=time,
        remaining_ms=services * 365 * DAY // 1000 - counted,
        coverage=coverage,
        verdict=verdict,
        proof=proof,
        services=services,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


NODES = (
    node("dc-app-01"),
    node("dc-app-02"),
    node("dc-db-01", clock_uncertainty_ms=3),
    node("drc-app-01", "DRC"),
    node("drc-db-01", "DRC", clock_uncertainty_ms=21),
)
IMPOR = service("impor", "CEISA Impor")
EKSPOR = service("ekspor", "CEISA Ekspor", days=days(degraded_ms={3: 40 * MINUTE}))
PORTAL = service("portal", "Portal Pengguna Jasa", criticality="kritis", in_figure=False, groups=())


def healthy() -> Board:
    return Board(
        organisation="Direktorat Jenderal Bea dan Cukai",
        timezone="Asia/Jakarta",
        now=NOW,
        figure=figure(36 * MINUTE, 34 * MINUTE, 82 * MINUTE, services=2),
        services=(IMPOR, EKSPOR, PORTAL),
        running=(),
        recent=(
            outage("4", IMPOR, NOW - 34 * DAY, NOW - 34 * DAY + 18 * MINUTE),
            outage(
                "3",
                EKSPOR,
                NOW - 60 * DAY,
                NOW - 60 * DAY + 18 * MINUTE,
                cause="power",
                detail="ups-01/line: on battery",
            ),
        ),
        nodes=NODES,
        ha_rule="lowest_member",
    )


def broken(since: int = NOW - 12 * MINUTE) -> Board:
    """CEISA Impor is down for certain: both of its databases refuse connections."""
    refused = [member(f"{site}-db-01/pg", Condition.DOWN, "connection refused", since) for site in ("dc", "drc")]
    groups = (group("basis data", "database", "all_down", *refused), *IMPOR.groups[1:])
    down = replace(
        IMPOR,
        condition=Condition.DOWN,
        since=since,
        groups=groups,
        days=days(counted_ms={0: 12 * MINUTE, 34: 18 * MINUTE}),
    )
    board = healthy()
    return replace(board, services=(EKSPOR, down, PORTAL), running=(outage("5", down, since, None),))


def presumed() -> Board:
    """A silent site: one service presumed down, one not observed, most of the year before the first evidence."""
    since = NOW - 95_000
    days_seen = days(evidence_from=78, counted_ms={0: 95_000}, unobserved_ms={5: 9 * HOUR, 6: DAY})
    silent = [member(f"dc-app-0{number}/web", Condition.PRESUMED_DOWN, "no heartbeat", since) for number in (1, 2)]
    impor = replace(
        IMPOR,
        condition=Condition.PRESUMED_DOWN,
        since=since,
        days=days_seen,
        groups=(group("aplikasi", "application", "all_down", *silent),),
        coverage=Fraction(4, 100),
    )
    ekspor = replace(EKSPOR, condition=Condition.UNOBSERVED, since=NOW - 4 * HOUR, days=days_seen)
    running = outage(
        "6", impor, since, None, certain_ms=0, cause="application", shown_as="presumed down: missing heartbeats",
        detail="dc-app-01, dc-app-02: nothing heard",
    )  # fmt: skip
    return replace(
        healthy(),
        figure=figure(2 * MINUTE, 0, 2 * YEAR_SO_FAR - 12 * DAY, services=2),
        services=(impor, ekspor, replace(PORTAL, condition=Condition.DEGRADED)),
        running=(running,),
        recent=(),
        nodes=(
            node("dc-app-01", condition=Condition.PRESUMED_DOWN, heard=since),
            node(
                "dc-app-02", condition=Condition.PRESUMED_DOWN, heard=None, clock_uncertainty_ms=None, agent_version=""
            ),
            *NODES[3:],
        ),
    )


def empty() -> Board:
    return replace(
        healthy(), organisation="", figure=figure(0, 0, 0, services=0), services=(), running=(), recent=(), nodes=()
    )


def hostile() -> Board:
    """Markup and very long words in every text that an agent or a person can set."""
    members = (member("a/b", Condition.DOWN, HOSTILE), member("c" * 64 + "/" + "d" * 64, Condition.DOWN, "e" * 500))
    one = service(
        "impor", HOSTILE, Condition.DOWN, criticality=HOSTILE, groups=(group(HOSTILE, HOSTILE, HOSTILE, *members),)
    )
    two = service("long", LONG, Condition.DOWN)
    told = {"cause": HOSTILE, "shown_as": HOSTILE, "detail": HOSTILE}
    return replace(
        healthy(),
        organisation=HOSTILE,
        services=(one, two),
        running=(outage("1", one, NOW - MINUTE, None, **told), outage("2", two, NOW - DAY, None)),
        recent=(outage("0", two, NOW - 9 * DAY, NOW - 8 * DAY, **told),),
        nodes=(node("n" * 64, HOSTILE, agent_version=HOSTILE),),
    )


def many(number: int = 60) -> Board:
    states = {4: Condition.DOWN, 11: Condition.DEGRADED, 12: Condition.DEGRADED, 30: Condition.UNOBSERVED}
    names = ("Manifes", "Cukai", "Pembebasan", "Tracking", "Billing", "Kawasan Berikat")
    services = tuple(
        service(f"s{index}", f"{names[index % 6]} {index + 1}", states.get(index, Condition.UP))
        for index in range(number)
    )
    nodes = tuple(
        node(f"dc-app-{index:03}", condition=Condition.UP if index else Condition.DEGRADED) for index in range(number)
    )
    running = tuple(outage("9", one, NOW - HOUR, None) for one in services if one.condition is Condition.DOWN)
    return replace(healthy(), services=services, running=running, nodes=nodes)
