"""The figure of a period as the JSON API answers it: a part of the JSON report, under the same names."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from detak_collector.web.api_v1.answers import Answer, Exact, Instant, Length


class Totals(Struct, kw_only=True):
    """What a period comes to. `verdict` and `proof` are met, missed or undecided; null without service time."""

    percent: Exact | None
    counted_ms: Length
    certain_ms: Length
    possible_ms: Length
    gross_ms: Length
    excluded_ms: dict[str, int]
    service_time_ms: Length
    unobserved_ms: Length
    coverage: Exact | None
    verdict: str | None
    proof: str | None


class Share(Totals, kw_only=True):
    """One service's own figure."""

    id: str
    name: str
    criticality: str | None
    in_figure: bool
    causes_ms: dict[str, int]


class Month(Totals, kw_only=True):
    """One month of the period."""

    name: str
    begin: Instant = field(name="from")
    end: Instant = field(name="to")


class WholeFigure(Totals, kw_only=True):
    """The organisation's figure."""

    percent_shown: Annotated[str, Meta(description="with the four decimals in which it is published")] | None
    remaining_ms: Annotated[int, Meta(description="what the target leaves, negative where it is missed")]
    services: int
    outages: int


class PeriodOf(Struct, kw_only=True):
    """A period by its name, and from when to when it lasts."""

    name: str
    begin: Instant = field(name="from")
    end: Instant = field(name="to")


class Figure(Answer, kw_only=True):
    """The figure of a period, as the JSON report has it; that one tells more, and is made by `report`."""

    organisation: str
    period: PeriodOf
    running: bool
    target_percent: str
    figure: WholeFigure
    months: list[Month]
    services: list[Share]
    warnings: list[str]
