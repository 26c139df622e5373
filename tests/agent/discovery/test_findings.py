import re
from typing import Any

import pytest

from agent.discovery.machines import DEBIAN_12, RED_HAT_9, at, process, titled
from agent.discovery.proposing import checks_of, off_of, proposed
from detak_agent.checks.registry import REGISTRY
from detak_agent.discovery.advice import ADVICE
from detak_agent.discovery.drafts import Draft
from detak_agent.discovery.facts import Facts, Listener, LocalSocket, RunningProcess
from detak_agent.discovery.findings import findings, pattern_of
from detak_agent.discovery.recognisers import RECOGNISERS
from detak_agent.discovery.trying import settings_of


def names(facts: Facts) -> list[str]:
    return [check["name"] for check in checks_of(facts)]


def named(facts: Facts, name: str) -> dict[str, Any]:
    return next(check for check in checks_of(facts) if check["name"] == name)


def test_a_debian_server_is_recognised_as_a_whole() -> None:
    assert names(DEBIAN_12) == [
        "os", "mount-mnt-arsip",
        "postgresql-unit", "postgresql-5432", "mariadb-unit", "redis-unit", "redis-6379",
        "nginx-unit", "nginx-80", "nginx-443", "keepalived-unit",
        "tomcat10-unit", "tomcat10-8080", "siap-api-unit", "siap-api-8081", "php-fpm-unit", "portal-unit",
        "portal-8001",
        "named-unit", "named-53",
        "docker-unit", "published-8085",
        "postfix-unit", "postfix-25",
        "ssh-unit", "ssh-22", "chrony-unit",
        "backup-timer-unit", "legacy-unit",
    ]  # fmt: skip


def test_a_red_hat_server_is_recognised_as_a_whole() -> None:
    assert names(RED_HAT_9) == [
        "os",
        "oracle-listener-process", "oracle-listener-1521", "oracle-siap-process", "oracle-test-process",
        "sqlserver-unit", "sqlserver-1433", "redis-6380-unit", "redis-6380", "redis-6381-unit", "redis-6381",
        "mongodb-unit", "mongodb-27017",
        "apache-unit", "apache-80", "haproxy-unit", "haproxy-3307", "haproxy-8443",
        "wildfly-unit", "wildfly-8080", "wildfly-9990", "weblogic-process", "weblogic-7001", "antrian-process",
        "antrian-3000",
        "rabbitmq-unit", "rabbitmq-5672",
        "openldap-unit", "openldap-389", "openldap-636",
        "ups-server-unit", "ups-server-3493", "ups-rack-a",
    ]  # fmt: skip


@pytest.mark.parametrize("facts", [DEBIAN_12, RED_HAT_9], ids=["debian", "red-hat"])
def test_the_order_of_processes_and_ports_changes_nothing(facts: Facts) -> None:
    other = Facts(
        **{
            **{key: getattr(facts, key) for key in facts.__slots__},
            "processes": facts.processes[::-1],
            "listeners": facts.listeners[::-1],
            "local_sockets": facts.local_sockets[::-1],
        }
    )
    assert proposed(other) == proposed(facts)


@pytest.mark.parametrize("facts", [DEBIAN_12, RED_HAT_9], ids=["debian", "red-hat"])
def test_no_check_that_is_switched_on_has_a_secret(facts: Facts) -> None:
    secrets = {key for check in checks_of(facts) for key in check if "password" in key or "community" in key}
    assert secrets == set()


@pytest.mark.parametrize("facts", [DEBIAN_12, RED_HAT_9], ids=["debian", "red-hat"])
def test_each_draft_is_one_that_the_agent_takes(facts: Facts) -> None:
    drafts = [draft for finding in findings(facts) for proposal in finding.proposals for draft in proposal.drafts]
    assert [draft for draft in drafts if settings_of(draft, REGISTRY) is None] == []


def test_every_kind_that_could_be_proposed_is_in_the_registry() -> None:
    listener = at("0.0.0.0", 443, 5)
    for row in RECOGNISERS:
        program = row.programs[0].replace("*", "x")
        server = RunningProcess(5, 1, "server", (f"/usr/bin/{program}", "-Dcatalina.base=/x"), program)
        facts = Facts(processes=(server,), listeners=(listener,), local_sockets=(LocalSocket("/run/x.sock", (5,)),))
        drafts = [draft for finding in findings(facts) for one in finding.proposals for draft in one.drafts]
        assert [draft for draft in drafts if settings_of(draft, REGISTRY) is None] == [], row.title
    assert {row.name for row in RECOGNISERS} >= set(ADVICE)


def test_a_database_lets_the_agent_in_over_its_socket_without_a_password() -> None:
    postgresql, mariadb = off_of(DEBIAN_12)[:2]
    assert postgresql == {
        "name": "postgresql-database", "kind": "postgresql", "host": "/var/run/postgresql", "port": 5432,
        "user": "detak-agent",
    }  # fmt: skip
    assert mariadb == {
        "name": "mariadb-database", "kind": "mysql", "host": "/run/mysqld/mysqld.sock", "user": "detak-agent",
    }  # fmt: skip
    assert 'CREATE ROLE "detak-agent" LOGIN IN ROLE pg_monitor' in proposed(DEBIAN_12)
    assert "CREATE USER 'detak-agent'@'localhost' IDENTIFIED VIA unix_socket;" in proposed(DEBIAN_12)


def test_each_oracle_instance_is_asked_at_the_listener_once_it_lets_the_agent_in() -> None:
    oracle = [check for check in off_of(RED_HAT_9) if check["kind"] == "oracle"]
    assert [(check["sid"], check["host"], check["port"]) for check in oracle] == [
        ("siap", "127.0.0.1", 1521),
        ("test", "127.0.0.1", 1521),
    ]


def test_a_login_session_and_what_runs_in_it_are_no_server() -> None:
    assert [name for name in names(DEBIAN_12) if name.startswith("ssh")] == ["ssh-unit", "ssh-22"]
    assert {"name": "python3-8000", "kind": "tcp", "host": "127.0.0.1", "port": 8000} in off_of(DEBIAN_12)


def test_a_session_that_outlived_its_server_is_no_second_server() -> None:
    main = titled(5, "sshd", "sshd: /usr/sbin/sshd -D [listener]", program="sshd")
    orphan = titled(9, "sshd", "sshd: admin@pts/0", program="sshd")
    facts = Facts(processes=(main, orphan), listeners=(at("0.0.0.0", 22, 5),))
    assert names(facts) == ["os", "ssh-process", "ssh-22"]
    assert "at_least" not in named(facts, "ssh-process")


def test_a_server_that_only_a_container_runs_is_not_proposed() -> None:
    inside = RunningProcess(5, 1, "nginx", ("nginx",), "nginx", container="0123456789ab")
    assert names(Facts(processes=(inside,))) == ["os"]
    assert names(Facts(processes=(inside,), own_container="0123456789ab")) == ["os", "nginx-process"]


def test_what_runs_in_a_container_is_not_checked_but_the_port_that_it_publishes_is() -> None:
    assert [name for name in names(DEBIAN_12) if name.startswith("nginx")] == ["nginx-unit", "nginx-80", "nginx-443"]
    assert named(DEBIAN_12, "published-8085")["port"] == 8085


def test_a_container_that_shares_the_ports_of_the_machine_is_checked() -> None:
    server = RunningProcess(7, 1, "kube-apiserver", ("kube-apiserver",), "kube-apiserver", container="kubepods")
    assert "kube-apiserver-6443" in names(Facts(processes=(server,), listeners=(at("::", 6443, 7),)))


@pytest.mark.parametrize(
    ("addresses", "host"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["::1"], "::1"),
        (["0.0.0.0"], "127.0.0.1"),
        (["::", "0.0.0.0"], "127.0.0.1"),
        (["10.20.0.5"], "10.20.0.5"),
        (["127.0.0.1", "10.20.0.5"], "10.20.0.5"),
        (["::1", "127.0.0.1"], "127.0.0.1"),
        (["fe80::1", "::1"], "::1"),
    ],
)
def test_a_port_is_checked_where_it_is_reached(addresses: list[str], host: str) -> None:
    listeners = tuple(at(address, 11211, 5) for address in addresses)
    facts = Facts(processes=(process(5, "memcached", "/usr/bin/memcached -m 64"),), listeners=listeners)
    assert named(facts, "memcached-11211")["host"] == host


def test_a_server_on_every_ipv6_address_is_tried_over_ipv6_after_ipv4() -> None:
    facts = Facts(processes=(process(5, "memcached", "/usr/bin/memcached"),), listeners=(at("::", 11211, 5),))
    (drafts,) = [one.drafts for finding in findings(facts) for one in finding.proposals if one.name.endswith("11211")]
    assert list(dict.fromkeys(draft.keys["host"] for draft in drafts)) == ["127.0.0.1", "::1"]


def test_without_systemd_processes_are_counted() -> None:
    servers = tuple(titled(pid, "redis-server", f"redis-server *:{port}") for pid, port in ((5, 6379), (6, 6400)))
    facts = Facts(processes=servers, listeners=(at("0.0.0.0", 6379, 5), at("0.0.0.0", 6400, 6)))
    assert names(facts) == ["os", "redis-process", "redis-6379", "redis-6400"]
    assert named(facts, "redis-process")["at_least"] == 2


def test_each_java_program_is_told_from_the_others_by_its_command_line() -> None:
    jars = ("/srv/a/pajak-worker-1.0.jar", "/srv/b/bea(cukai).jar")
    processes = tuple(process(5 + at, "java", f"/usr/bin/java -Xmx1g -jar {jar}") for at, jar in enumerate(jars))
    facts = Facts(processes=processes)
    patterns = {check["name"]: check["command_pattern"] for check in checks_of(facts) if check["kind"] == "process"}
    assert patterns == {
        "pajak-worker-process": "/srv/a/pajak-worker-1[.]0[.]jar",
        "bea-cukai-process": "/srv/b/bea[(]cukai[)][.]jar",
    }


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("java -cp /a.jar:/b.jar id.go.pajak.Worker", "worker"),
        ("java -jar jenkins.war --httpPort=8080", "jenkins"),
        ("java -Dx=y", "java"),
        ("/usr/bin/java -Dcatalina.base=/srv/tomcat/portal/ -Dcatalina.home=/opt/t org.apache.catalina.startup.X",
         "portal"),
        ("/usr/bin/java -Xmx1G -cp /opt/kafka/libs/* kafka.Kafka config/server.properties", "kafka"),
        ("java -Xms4g -m org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch"),
        ("node /srv/antrian/dist/queue.js", "queue"),
        ("node /srv/antrian/index.js", "antrian"),
        ("/usr/bin/python3 /usr/bin/uvicorn --port 8000 pelaporan.main:app", "pelaporan"),
    ],
)  # fmt: skip
def test_a_program_is_named_after_what_it_runs(command: str, name: str) -> None:
    program = command.split(maxsplit=1)[0].rpartition("/")[2]
    facts = Facts(processes=(process(5, program, command),))
    assert names(facts) == ["os", f"{name}-process"]


def test_a_port_that_the_kernel_gave_to_a_java_program_is_not_proposed() -> None:
    assert not [check for check in checks_of(DEBIAN_12) if check.get("port") == 41235 or "41235" in check["name"]]
    assert "8005" not in str(checks_of(DEBIAN_12))


def test_the_bus_of_a_redis_cluster_is_not_proposed() -> None:
    assert "16380" not in str(checks_of(RED_HAT_9) + off_of(RED_HAT_9))


def test_mysql_is_never_asked_by_connections_alone() -> None:
    facts = Facts(processes=(process(5, "mysqld", "/usr/sbin/mysqld"),), listeners=(at("10.0.0.5", 3306, 5),))
    assert [check["kind"] for check in checks_of(facts)] == ["os", "process"]
    (off,) = off_of(facts)
    assert (off["kind"], off["host"], off["password_file"]) == ("mysql", "10.0.0.5", "/etc/detak/mysql.password")


def test_without_rights_ports_go_to_the_server_of_that_user_or_of_that_port() -> None:
    servers = (
        RunningProcess(5, 1, "redis-server", ("redis-server",), uid=110),
        RunningProcess(6, 1, "nginx", ("nginx: master process",), uid=0),
        RunningProcess(7, 1, "apache2", ("apache2",), uid=0),
    )
    listeners = (at("0.0.0.0", 6400, uid=110), at("0.0.0.0", 80), at("0.0.0.0", 9999))
    facts = Facts(processes=servers, listeners=listeners, is_root=False)
    assert {"redis-6400", "nginx-80"} <= set(names(facts))
    assert [check["name"] for check in off_of(facts)] == ["port-9999"]
    assert "Who listens on 3 of 3 ports could not be seen" in proposed(facts)
    assert "Run it as root (sudo) to know." in proposed(facts).replace("\n# ", " ")


def test_where_processes_are_hidden_usual_ports_give_servers_away() -> None:
    facts = Facts(listeners=(at("0.0.0.0", 6379), at("0.0.0.0", 1)), is_root=False, hidden=True)
    assert names(facts) == ["os", "redis-6379"]
    assert "known by its port only" in proposed(facts)


def test_a_socket_that_systemd_holds_for_a_service_is_not_taken_for_systemd() -> None:
    facts = Facts(processes=(process(1, "systemd", "/sbin/init"),), listeners=(at("::", 631, 1),))
    assert [check["name"] for check in off_of(facts)] == ["port-631"]
    assert "held by the first process" in proposed(facts)


def test_haproxy_needs_no_step_where_everybody_may_ask_it() -> None:
    by_group = [check["name"] for check in off_of(RED_HAT_9) if check["kind"] == "haproxy"]
    assert by_group == ["haproxy-portal", "haproxy-api"]
    keys = {key: getattr(RED_HAT_9, key) for key in RED_HAT_9.__slots__}
    for_everybody = Facts(**{**keys, "local_sockets": (LocalSocket("/run/haproxy/admin.sock", (1101,), "*"),)})
    assert named(for_everybody, "haproxy-api")["socket"] == "/run/haproxy/admin.sock"


def test_more_ports_than_anybody_would_read_are_cut() -> None:
    many = tuple(at("0.0.0.0", port, 5) for port in range(7000, 7100))
    known = Facts(processes=(process(5, "nginx", "nginx"),), listeners=many)
    unknown = Facts(processes=(process(5, "legacyd", "legacyd"),), listeners=many)
    assert (len(checks_of(known)), len(off_of(unknown))) == (22, 20)


@pytest.mark.parametrize("word", ["a.b*c", "[x]", "a\\b", "^$", "x\ny", "a" * 1000, "(?P<x", "\udcff"])
def test_the_pattern_of_a_word_finds_the_word(word: str) -> None:
    found = re.search(pattern_of(word), word)
    assert found is not None
    settings = settings_of(Draft("process", {"command_pattern": pattern_of(word)}), REGISTRY)
    assert settings is not None


def test_a_unit_that_the_agent_cannot_name_falls_back_to_the_process() -> None:
    server = RunningProcess(5, 1, "nginx", ("nginx",), "nginx", unit="wei rd.service")
    facts = Facts(processes=(server,), listeners=(Listener("tcp", "0.0.0.0", 80, (5,)),), systemd=True)
    assert [check["kind"] for check in checks_of(facts)] == ["os", "process", "http"]
