"""A plugin of pytest (`-p steady_examples`): hypothesis draws the same examples in every run.

Of an example that fails it tells at once, without making it smaller first.
"""

from hypothesis import HealthCheck, Phase, settings


def pytest_configure() -> None:
    settings.register_profile(
        "steady",
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("steady")
