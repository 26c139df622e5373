"""What holds where nobody says otherwise: a figure must not change because a default did."""

from __future__ import annotations

from fractions import Fraction

from detak_collector.downtime.catalogue import Catalogue, Dated, Service
from detak_collector.downtime.facts import Facts


def test_an_organisation_that_says_nothing_has_the_ministrys_rules() -> None:
    plain = Catalogue(Dated.always("org"), "Asia/Jakarta", ())
    assert plain.target_percent == Dated.always(Fraction(1, 10))
    assert plain.counted_criticality == ("sangat kritis",)
    assert plain.ha_rule == Dated.always("lowest_member")
    assert plain.planned_in_denominator == Dated.always(value=True)
    assert plain.counted_exclusions == ("planned", "preventive", "third_party", "measurement_error")
    assert plain.minimum_outage_ms == plain.freeze_degraded_below_ms == Dated.always(0)
    assert plain.incident_gap_ms == Dated.always(60_000)


def test_a_service_that_says_nothing_never_closes_and_is_guarded_by_its_probes() -> None:
    plain = Service("s", Dated.always("S"), Dated.always("sangat kritis"))
    assert (plain.hours, plain.probe_guard) == (Dated.always("24x7"), Dated.always(value=True))


def test_clocks_and_deadlines_are_taken_to_be_as_good_as_the_method_says() -> None:
    plain = Facts({})
    assert (plain.down_after_ms, plain.drift_ppm) == (15_000, 100)
    assert (plain.freeze_allowance_ms, plain.utc_error_ms) == (100, 50)
