"""What every section of a report is written from: the result, its months, and the language and zone of its readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.incidents import Incident, homes
from detak_collector.downtime.outages import OutageKey
from detak_collector.downtime.summary import Month, months_of
from detak_collector.translation.language import Language


@dataclass(frozen=True)
class Matter:
    """One result for one kind of reader. `effects`: what each exclusion changed, as far as it was measured, in ms."""

    result: Result
    language: Language
    effects: Mapping[str, int]

    @property
    def zone(self) -> tzinfo:
        """The organisation's zone, in which everything is told."""
        return self.result.case.zone

    @cached_property
    def strip(self) -> tuple[Month, ...]:
        """The months of the period."""
        return months_of(self.result)

    @cached_property
    def counted(self) -> tuple[ServiceResult, ...]:
        """The services that enter the figure."""
        return tuple(one for one in self.result.services if one.in_figure is not None)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What each service is called, at the end of the period."""
        return {one.service.id: one.service.name.value_at(self.result.last) for one in self.result.services}

    @cached_property
    def homes(self) -> Mapping[OutageKey, Incident]:
        """The incident of each outage."""
        return homes(self.result.incidents)

    @property
    def organisation(self) -> str:
        """Whose report it is."""
        return self.result.case.catalogue.organisation.value_at(self.result.last)
