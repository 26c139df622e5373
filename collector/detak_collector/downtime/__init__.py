"""The downtime engine: pure functions from facts, catalogue and `now` to figures. No library, no I/O, no clock.

The flow is `facts -> reading (one check) -> groups -> services -> figure`; every step is set algebra on `intervals`.
"""

RULE_VERSION = "1"
"""Names the rules by which figures are derived; printed by every report, kept with every seal."""
