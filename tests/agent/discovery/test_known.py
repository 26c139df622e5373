import pytest

from agent.discovery.machines import DEBIAN_12, RED_HAT_9
from detak_agent.checks.registry import REGISTRY
from detak_agent.config import parse
from detak_agent.discovery.facts import Facts
from detak_agent.discovery.findings import findings
from detak_agent.discovery.known import without_known
from detak_agent.discovery.trying import usable

HEAD = 'node = "n"\n[[collector]]\nurl = "http://127.0.0.1:9"\n'


def left(facts: Facts, *checks: str) -> set[str]:
    """The names that are still proposed beside these checks."""
    tables = [f'[[check]]\nname = "c{number}"\n{keys}\n' for number, keys in enumerate(checks)]
    known = parse(HEAD + "".join(tables), REGISTRY).checks
    found = without_known(usable(findings(facts), REGISTRY), known, lambda host: not host.startswith("10.99."))
    return {proposal.name for finding in found for proposal in finding.proposals}


@pytest.mark.parametrize(
    ("facts", "check", "gone"),
    [
        (DEBIAN_12, 'kind = "os"', {"os"}),
        (DEBIAN_12, 'kind = "os"\nfilesystems = ["/mnt/arsip"]', {"mount-mnt-arsip"}),
        (DEBIAN_12, 'kind = "tcp"\nhost = "localhost"\nport = 5432', {"postgresql-5432"}),
        (DEBIAN_12, 'kind = "postgresql"\nhost = "10.20.0.5"', {"postgresql-5432", "postgresql-database"}),
        (DEBIAN_12, 'kind = "postgresql"\nhost = "/run/postgresql"', {"postgresql-5432", "postgresql-database"}),
        (DEBIAN_12, 'kind = "mysql"\nhost = "/run/mysqld/mysqld.sock"', {"mariadb-database"}),
        (DEBIAN_12, 'kind = "mysql"\nhost = "10.99.0.1"', set()),
        (DEBIAN_12, 'kind = "tcp"\nhost = "127.0.0.1"\nport = 6379', set()),
        (DEBIAN_12, 'kind = "redis"\nhost = "::1"', {"redis-6379"}),
        (DEBIAN_12, 'kind = "http"\nurl = "https://127.0.0.1/health"', {"nginx-443"}),
        (DEBIAN_12, 'kind = "tls"\nhost = "127.0.0.1"', {"nginx-443"}),
        (DEBIAN_12, 'kind = "http"\nurl = "http://10.99.0.1:80/"', set()),
        (DEBIAN_12, 'kind = "systemd"\nunits = ["nginx", "php8.2-fpm"]', {"nginx", "php-fpm"}),
        (DEBIAN_12, 'kind = "process"\nprocess_name = "nginx"', {"nginx"}),
        (DEBIAN_12, 'kind = "dns"\nquery = "x.id"\nservers = ["127.0.0.1", "10.99.0.1"]', {"named-53"}),
        (DEBIAN_12, 'kind = "tcp"\nhost = "127.0.0.1"\nport = 4711', {"legacyd-4711"}),
        (RED_HAT_9, 'kind = "haproxy"\nsocket = "/other"\nbackend = "api"', {"haproxy-api"}),
        (RED_HAT_9, 'kind = "ups"\nups = "rack-a"', {"ups-server-3493", "ups-rack-a"}),
        (RED_HAT_9, 'kind = "ups"\nups = "rack-b"', {"ups-server-3493"}),
        (RED_HAT_9, 'kind = "ipmi"', {"controller"}),
        (RED_HAT_9, 'kind = "oracle"\nhost = "127.0.0.1"\nsid = "siap"',
         {"oracle-listener-1521", "oracle-siap-database"}),
    ],
)  # fmt: skip
def test_what_is_checked_already_is_not_proposed_again(facts: Facts, check: str, gone: set[str]) -> None:
    assert left(facts) - left(facts, check) == gone


def test_a_unit_that_is_one_of_several_in_a_check_is_checked() -> None:
    units = '["siap-api", "tomcat10", "portal"]'
    assert not left(DEBIAN_12, f'kind = "systemd"\nunits = {units}') & {"siap-api", "tomcat10", "portal"}


def test_where_everything_is_checked_nothing_is_left() -> None:
    facts = Facts()
    assert left(facts) == {"os"}
    assert left(facts, 'kind = "os"') == set()
