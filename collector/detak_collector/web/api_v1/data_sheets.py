"""What the JSON API has derived on demand. Plain data: it travels between processes, like the pages' own."""

from __future__ import annotations

from dataclasses import dataclass

IN_FIGURE, NOT_IN_FIGURE = "in", "out"
FIGURE = (IN_FIGURE, NOT_IN_FIGURE)
"""Whether the service of an outage enters the figure of the period."""


@dataclass(frozen=True, slots=True)
class OutagesData:
    """The outages of a period, `limit` behind a cursor; what is empty leaves nothing out.

    `whole`: with what is not marked public, and numbers. `figure`: as in a NumbersData.
    """

    whole: bool
    period: str = ""
    service: str = ""
    cause: str = ""
    excluded: str = ""
    running: bool = False
    cursor: str = ""
    limit: int = 100
    figure: str = ""


@dataclass(frozen=True, slots=True)
class NumbersData:
    """The numbers of a period's outages, for a page that has the rest from the register.

    `cause` is a layer that was down in them, `figure` one of FIGURE; what is empty leaves nothing out.
    """

    period: str
    cause: str = ""
    figure: str = ""


@dataclass(frozen=True, slots=True)
class OutageData:
    """Why one outage counts or does not, for who may see everything. `name` as in an OutageSheet."""

    service: str
    name: str


@dataclass(frozen=True, slots=True)
class ServiceData:
    """One service as it is now."""

    whole: bool
    service: str


@dataclass(frozen=True, slots=True)
class FigureData:
    """The figure of a period."""

    period: str


@dataclass(frozen=True, slots=True)
class RatesData:
    """What each public service lost in a period: for badges."""

    period: str


@dataclass(frozen=True, slots=True)
class NodeData:
    """One node."""

    node: str


@dataclass(frozen=True, slots=True)
class CheckData:
    """One check, and where it was not simply up in a period: `limit` of these stretches behind a cursor.

    `kind` is one of those that a page's filter knows; empty for all.
    """

    node: str
    check: str
    period: str = ""
    kind: str = ""
    cursor: str = ""
    limit: int = 100


DataSheet = OutagesData | NumbersData | OutageData | ServiceData | FigureData | RatesData | NodeData | CheckData
