"""Checks that look deeper once somebody lets the agent in: the exact commands, and no secret where none is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from detak_agent.discovery.drafts import AGENT_ACCOUNT, Draft, Proposal, how_to_keep_a_password, password_file
from detak_agent.discovery.facts import EVERYBODY, LOOPBACK, NOBODY, Facts, hosts_of, one_for_each_port
from detak_agent.discovery.matching import Instance
from detak_agent.discovery.recognisers import oracle_sid
from detak_agent.discovery.toml_text import Value

_POSTGRESQL_SOCKET = re.compile(r"^(.*)/\.s\.PGSQL\.(\d+)$")


def advice(instance: Instance, name: str, facts: Facts, others: Sequence[Instance]) -> tuple[Proposal, ...]:
    """The deeper checks of this server, among the `others`; most are switched off, with the steps that they need."""
    advise = ADVICE.get(instance.recogniser.name)
    return () if advise is None else tuple(advise(Asked(instance, name, facts, others)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What advice is asked for: a server, what its checks are called, and what is around it."""

    instance: Instance
    name: str
    facts: Facts
    others: Sequence[Instance]


def _off(name: str, draft: Draft, *steps: str) -> Proposal:
    return Proposal(name, (draft,), steps, off=True)


def _place(instance: Instance, usual: int) -> tuple[str, int]:
    """Host and port of its first TCP port, the usual one first."""
    listeners = [one for one in one_for_each_port(instance.listeners) if one.protocol == "tcp"]
    listeners.sort(key=lambda one: one.port != usual)
    return (hosts_of(listeners[0])[0], listeners[0].port) if listeners else (LOOPBACK, usual)


def _postgresql(asked: Asked) -> Iterable[Proposal]:
    """By its local socket PostgreSQL knows the account of who asks (peer): no password is needed."""
    instance, name = asked.instance, asked.name
    host, port = _place(instance, 5_432)
    sockets = [found for one in instance.local_sockets if (found := _POSTGRESQL_SOCKET.match(one.path))]
    own = [found for found in sockets if not instance.listeners or int(found[2]) == port]
    if not own:
        path = password_file(name)
        keys: dict[str, Value] = {"host": host, "port": port, "user": "detak", "password_file": path}
        yield _off(
            f"{name}-database", Draft("postgresql", keys),
            "To see whether it lets users in, make a role for the agent, in psql as its administrator:",
            "  CREATE ROLE detak LOGIN PASSWORD '...' IN ROLE pg_monitor;", *how_to_keep_a_password(path),
        )  # fmt: skip
        return
    # Debian's directory is a link to a shorter one; the longest is where administrators look for it.
    folder, port = own[0][1], int(own[0][2])
    yield _off(
        f"{name}-database",
        Draft("postgresql", {"host": folder, "port": port, "user": AGENT_ACCOUNT}),
        "To see whether it lets users in, make a role for the agent. It needs no password: over the local socket "
        "PostgreSQL knows the agent's account (method peer in pg_hba.conf, as distributions set it).",
        f"  sudo -u postgres psql -h {folder} -p {port} -c 'CREATE ROLE \"{AGENT_ACCOUNT}\" LOGIN IN ROLE pg_monitor'",
    )


def _mysql(asked: Asked) -> Iterable[Proposal]:
    """Its port gets no check of connections alone: a host that gives up many of them is locked out."""
    instance, name = asked.instance, asked.name
    sockets = [one.path for one in instance.local_sockets if not one.path.endswith("mysqlx.sock")]
    if not sockets:
        host, port = _place(instance, 3_306)
        path = password_file(name)
        keys: dict[str, Value] = {"host": host, "port": port, "user": "detak", "password_file": path}
        yield _off(
            f"{name}-database", Draft("mysql", keys),
            "To see whether it lets users in, make a user for the agent, in mysql as its administrator:",
            "  CREATE USER 'detak'@'localhost' IDENTIFIED BY '...';", *how_to_keep_a_password(path),
        )  # fmt: skip
        return
    ways = ["VIA unix_socket"] if instance.recogniser.name == "mariadb" else ["WITH auth_socket", "VIA unix_socket"]
    yield _off(
        f"{name}-database",
        Draft("mysql", {"host": sockets[0], "user": AGENT_ACCOUNT}),
        "To see whether it lets users in, make a user for the agent, in mysql as its administrator. It needs no "
        "password: over the local socket the server knows the agent's account."
        + (" The first line is for MySQL, the second for MariaDB." if len(ways) > 1 else ""),
        *(f"  CREATE USER '{AGENT_ACCOUNT}'@'localhost' IDENTIFIED {way};" for way in ways),
    )


def _oracle(asked: Asked) -> Iterable[Proposal]:
    name, process = asked.name, asked.instance.process
    listener = next((one for one in asked.others if one.recogniser.name == "oracle-listener"), asked.instance)
    host, port = _place(listener, 1_521)
    path = password_file(name)
    sid = oracle_sid(process) if process else "ORCL"
    keys: dict[str, Value] = {"host": host, "port": port, "sid": sid, "user": "detak", "password_file": path}
    yield _off(
        f"{name}-database", Draft("oracle", keys),
        "To see whether it lets users in, make a user for the agent, in sqlplus as sysdba:",
        '  CREATE USER detak IDENTIFIED BY "...";', "  GRANT CREATE SESSION TO detak;",
        "  GRANT SELECT ON sys.v_$instance TO detak;", "  GRANT SELECT ON sys.v_$database TO detak;",
        *how_to_keep_a_password(path),
    )  # fmt: skip


def _sqlserver(asked: Asked) -> Iterable[Proposal]:
    name = asked.name
    host, port = _place(asked.instance, 1_433)
    path = password_file(name)
    keys: dict[str, Value] = {"host": host, "port": port, "user": "detak", "password_file": path}
    keys["verify_tls"] = False
    note = "A server without a certificate of its own makes one that nobody trusts; with one, drop verify_tls."
    yield _off(
        f"{name}-database", Draft("sqlserver", keys, note),
        "To see whether it lets users in, make a login for the agent, in sqlcmd as its administrator:",
        "  CREATE LOGIN detak WITH PASSWORD = '...', DEFAULT_DATABASE = master;",
        *how_to_keep_a_password(path),
    )  # fmt: skip


def _haproxy(asked: Asked) -> Iterable[Proposal]:
    """HAProxy tells of its backends by a socket that only some may use: the agent is not among them by itself."""
    balancer, known = asked.facts.balancer, {one.path: one.group for one in asked.facts.local_sockets}
    path = next((one for one in balancer.sockets if one in known), "")
    steps: tuple[str, ...] = ()
    if path and known[path] == NOBODY:
        steps = (
            f"To see each backend, let a group of the agent's use {path}: mode 660 group NAME behind stats socket.",
        )
    elif path and known[path] != EVERYBODY:
        steps = (
            "To see each backend, let the agent use the socket for statistics, and restart it:",
            f"  usermod --append --groups {known[path]} {AGENT_ACCOUNT}",
        )
    for number, backend in enumerate(balancer.backends if path else ()):
        draft = Draft("haproxy", {"socket": path, "backend": backend})
        yield Proposal(f"{asked.name}-{backend}", (draft,), () if number else steps, off=bool(steps))


def _ups(asked: Asked) -> Iterable[Proposal]:
    """NUT tells everybody how each UPS is."""
    host, port = _place(asked.instance, 3_493)
    for name in asked.facts.ups_names:
        yield Proposal(f"ups-{name}", (Draft("ups", {"ups": name, "host": host, "port": port}),))


def controller_advice() -> Proposal:
    """The machine's own management controller, which knows of power supplies, fans and disks."""
    return _off(
        "controller", Draft("ipmi", {}),
        "To see what the machine's management controller tells of power, fans and disks, install ipmitool and let the "
        "agent use the controller:",
        f'  echo \'KERNEL=="ipmi*", GROUP="{AGENT_ACCOUNT}", MODE="0660"\' > /etc/udev/rules.d/70-detak-ipmi.rules',
        "  udevadm control --reload && udevadm trigger --subsystem-match=ipmi",
    )  # fmt: skip


ADVICE: Mapping[str, Callable[[Asked], Iterable[Proposal]]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "oracle": _oracle,
    "sqlserver": _sqlserver,
    "haproxy": _haproxy,
    "ups-server": _ups,
}
