"""What a recogniser is, and the one literal table of all of them: by program, command line and usual port. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from detak_agent.discovery.drafts import Group
from detak_agent.discovery.facts import RunningProcess
from detak_agent.discovery.ports import (
    OnPort,
    dns,
    mongodb,
    nothing,
    redis,
    says,
    tcp,
    tls,
    web,
    web_or_tcp,
)


@dataclass(frozen=True, eq=False)
class Recogniser:
    """One kind of server. The first that fits a process has it, so what is special stands before what is general.

    `programs` are file names of programs, with `*`; `argument` must be found in the command line too. `ports` are its
    usual TCP ports: it is called after others, and known by them where its processes cannot be seen.
    """

    title: str
    name: str
    group: Group
    programs: Sequence[str]
    ports: Sequence[int] = ()
    argument: str = ""
    on_port: OnPort = tcp
    also_on: Mapping[int, OnPort] = field(default_factory=dict)
    """Ports that mean something else than `on_port` says."""
    steady: bool = True
    """Whether a port in the range that the kernel gives out is meant to be there."""
    named_by: Callable[[RunningProcess], str] | None = None
    """Gives what it is called, where the program's name says nothing."""
    sockets: str = ""
    """Its Unix sockets, where their holder cannot be seen: a pattern of their paths."""
    is_service: bool = True
    """Whether it is worth a check that it runs: not so, where only its ports matter."""
    bus: int = 0
    """A port this far above another one of its own is for its own use."""
    note: str = ""

    def fits(self, process: RunningProcess) -> bool:
        """Whether the process is one of its own."""
        named = any(fnmatchcase(name, program) for name in process.names for program in self.programs)
        return named and (not self.argument or re.search(self.argument, process.command) is not None)

    def has_socket(self, path: str) -> bool:
        """Whether a Unix socket of this path is its own."""
        return bool(self.sockets) and re.search(self.sockets, path) is not None

    def on(self, port: int) -> OnPort:
        """How to check a port of it."""
        return self.also_on.get(port, self.on_port)


_JAVA = ("java", "jsvc", "*/java")
_JAR = re.compile(r"([^/\\]+)\.[jwe]ar$")
_VERSION = re.compile(r"[-_.]v?\d[\w.+-]*$")
_TAKES_A_VALUE = frozenset({"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens"})
_PYTHON_SERVERS = "gunicorn|uvicorn|hypercorn|daphne|waitress-serve|granian"
_COMMON_SCRIPTS = frozenset({"app", "cli", "index", "main", "manage", "run", "server", "start", "wsgi"})


def jvm_name(process: RunningProcess) -> str:
    """After the unit, else the jar without its version, else the main class."""
    if process.unit:
        return unit_stem(process.unit)
    arguments = list(process.arguments[1:])
    while arguments:
        word = arguments.pop(0)
        if word in _TAKES_A_VALUE and arguments:
            arguments.pop(0)
        elif word == "-jar" and arguments:
            jar = _JAR.search(arguments[0])
            return _VERSION.sub("", jar[1]) if jar else "java"
        elif not word.startswith("-"):
            return word.rpartition(".")[2]
    return "java"


def script_name(process: RunningProcess) -> str:
    """After the unit, else the first argument that is no option: a script, or an application as gunicorn names it."""
    if process.unit:
        return unit_stem(process.unit)
    words = [word for word in process.arguments[1:] if word and not word.startswith("-")]
    words = [word for word in words if not re.fullmatch(rf"(.*/)?({_PYTHON_SERVERS})|[\d.:]+|master|worker", word)]
    folder, _, file = words[0].rpartition("/") if words else ("", "", process.name)
    stem = file.partition(":")[0].partition(".")[0]
    # What every other program is called too says less than where it lies.
    return folder.rpartition("/")[2] or stem if stem in _COMMON_SCRIPTS else stem or process.name


def tomcat_name(process: RunningProcess) -> str:
    """After the unit, else the directory of this instance."""
    base = re.search(r"-Dcatalina\.base=(\S*?)/?(?:\s|$)", process.command)
    folder = base[1].rpartition("/")[2] if base else ""
    return unit_stem(process.unit) if process.unit else _VERSION.sub("", folder) or "tomcat"


def oracle_sid(process: RunningProcess) -> str:
    """The instance's name, which its process monitor has in its own."""
    monitor = next((name for name in sorted(process.names) if "_pmon_" in name), "")
    return monitor.partition("_pmon_")[2]


def oracle_name(process: RunningProcess) -> str:
    """After the instance."""
    return f"oracle-{oracle_sid(process)}"


def unit_stem(unit: str) -> str:
    """The unit's name without its type."""
    return unit.removesuffix(".service")


_DATABASES = (
    Recogniser("PostgreSQL", "postgresql", Group.DATABASES, ("postgres", "postmaster", "edb-postgres"), (5432,),
               sockets=r"/\.s\.PGSQL\.\d+$"),
    Recogniser("PgBouncer", "pgbouncer", Group.DATABASES, ("pgbouncer",), (6432,)),
    Recogniser("MariaDB", "mariadb", Group.DATABASES, ("mariadbd",), (3306,), on_port=nothing,
               sockets=r"/(mysqld?|mariadbd?)\.sock$"),
    Recogniser("MySQL or MariaDB", "mysql", Group.DATABASES, ("mysqld",), (3306,), on_port=nothing,
               sockets=r"/(mysqld?|mariadbd?)\.sock$"),
    Recogniser("Oracle listener", "oracle-listener", Group.DATABASES, ("tnslsnr",), (1521,)),
    Recogniser("Oracle database", "oracle", Group.DATABASES, ("ora_pmon_*", "db_pmon_*", "xe_pmon_*"),
               on_port=nothing, named_by=oracle_name),
    Recogniser("SQL Server", "sqlserver", Group.DATABASES, ("sqlservr",), (1433,),
               also_on={1434: nothing, 1431: nothing}),
    Recogniser("Redis Sentinel", "redis-sentinel", Group.DATABASES, ("redis-sentinel", "valkey-sentinel"), (26379,),
               on_port=says("^[+-]", "PING\r\n")),
    Recogniser("Redis Sentinel", "redis-sentinel", Group.DATABASES, ("redis-server", "valkey-server"), (26379,),
               argument=r"\[sentinel\]|--sentinel", on_port=says("^[+-]", "PING\r\n")),
    Recogniser("Redis", "redis", Group.DATABASES, ("redis-server", "valkey-server", "keydb-server"), (6379,),
               on_port=redis, bus=10_000),
    Recogniser("MongoDB", "mongodb", Group.DATABASES, ("mongod", "mongos"), (27017,), on_port=mongodb),
    Recogniser("memcached", "memcached", Group.DATABASES, ("memcached",), (11211,),
               on_port=says("^VERSION ", "version\r\n")),
    Recogniser("Elasticsearch", "elasticsearch", Group.DATABASES, _JAVA, (9200,), on_port=web(),
               argument=r"org\.elasticsearch\.(bootstrap|server)", also_on={9300: nothing}, steady=False),
    Recogniser("OpenSearch", "opensearch", Group.DATABASES, _JAVA, argument=r"org\.opensearch\.bootstrap",
               on_port=web(), also_on={9300: nothing, 9600: nothing}, steady=False),
    Recogniser("Cassandra", "cassandra", Group.DATABASES, _JAVA, (9042,),
               argument=r"org\.apache\.cassandra\.", also_on={7000: nothing, 7199: nothing}, steady=False),
    Recogniser("etcd", "etcd", Group.DATABASES, ("etcd",), (2379,), on_port=web("/health", contains="true"),
               also_on={2380: nothing}),
)  # fmt: skip

_WEB = (
    Recogniser("nginx", "nginx", Group.WEB, ("nginx", "openresty", "angie"), (80, 443), on_port=web()),
    Recogniser("Apache", "apache", Group.WEB, ("apache2", "httpd", "httpd.worker", "httpd-prefork"), (80, 443),
               on_port=web()),
    Recogniser("HAProxy", "haproxy", Group.WEB, ("haproxy",), on_port=web_or_tcp, sockets=r"haproxy.*sock"),
    Recogniser("Caddy", "caddy", Group.WEB, ("caddy",), on_port=web(), also_on={2019: nothing}),
    Recogniser("lighttpd", "lighttpd", Group.WEB, ("lighttpd",), on_port=web()),
    Recogniser("Traefik", "traefik", Group.WEB, ("traefik",), on_port=web()),
    Recogniser("Envoy", "envoy", Group.WEB, ("envoy",), on_port=web_or_tcp),
    Recogniser("Varnish", "varnish", Group.WEB, ("varnishd", "cache-main"), (6081,), on_port=web(),
               also_on={6082: nothing}),
    Recogniser("Squid", "squid", Group.WEB, ("squid", "(squid-1)"), (3128,)),
    Recogniser("keepalived", "keepalived", Group.WEB, ("keepalived",),
               note="An address that keepalived moves is best checked from another node, with remote = true."),
)  # fmt: skip

_TOMCAT_PORTS: Mapping[int, OnPort] = {8005: nothing, 8009: tcp}
_APPLICATIONS = (
    Recogniser("Kafka", "kafka", Group.MESSAGING, _JAVA, (9092,), argument=r"\bkafka\.Kafka\b", steady=False),
    Recogniser("ZooKeeper", "zookeeper", Group.MESSAGING, _JAVA, (2181,), argument="QuorumPeerMain",
               also_on={2888: nothing, 3888: nothing, 8080: nothing}, steady=False),
    Recogniser("ActiveMQ", "activemq", Group.MESSAGING, _JAVA, (61616,), argument=r"activemq\.jar|ActiveMQ",
               also_on={8161: web()}, steady=False),
    Recogniser("Tomcat", "tomcat", Group.APPLICATIONS, _JAVA, on_port=web(), also_on=_TOMCAT_PORTS, steady=False,
               argument=r"-Dcatalina\.(base|home)=|org\.apache\.catalina\.startup", named_by=tomcat_name),
    Recogniser("WildFly or JBoss", "wildfly", Group.APPLICATIONS, _JAVA, argument=r"jboss-modules\.jar|org\.jboss\.as",
               on_port=web(), also_on={8009: tcp, 9999: tcp}, steady=False, named_by=jvm_name),
    Recogniser("WebLogic", "weblogic", Group.APPLICATIONS, _JAVA, (7001,), argument=r"\bweblogic\.(Server|NodeManager)",
               on_port=web("/console"), also_on={5556: tcp}, steady=False),
    Recogniser("WebSphere", "websphere", Group.APPLICATIONS, _JAVA, (9080,), on_port=web(), steady=False,
               argument=r"com\.ibm\.ws\.|ws-server\.jar|com\.ibm\.wsspi"),
    Recogniser("GlassFish or Payara", "glassfish", Group.APPLICATIONS, _JAVA, argument=r"glassfish|payara",
               on_port=web(), also_on={3700: tcp, 7676: tcp, 8686: tcp}, steady=False),
    Recogniser("Java program", "java", Group.APPLICATIONS, _JAVA, steady=False, named_by=jvm_name,
               on_port=web("/actuator/health", "/", contains="UP")),
    Recogniser("PHP-FPM", "php-fpm", Group.APPLICATIONS, ("php-fpm*",)),
    Recogniser("Python web application", "python-web", Group.APPLICATIONS,
               ("gunicorn*", "uvicorn*", "hypercorn*", "daphne*", "waitress-serve", "granian", "python*"),
               argument=rf"(^|/|\s)({_PYTHON_SERVERS})\b", on_port=web(), named_by=script_name),
    Recogniser("uWSGI", "uwsgi", Group.APPLICATIONS, ("uwsgi*",), on_port=web(), named_by=script_name),
    Recogniser("Ruby web application", "ruby-web", Group.APPLICATIONS, ("puma*", "unicorn*", "ruby*"),
               argument=r"\b(puma|unicorn|passenger|rails)\b", on_port=web(), named_by=script_name),
    Recogniser("Node.js program", "node", Group.APPLICATIONS, ("node", "nodejs", "PM2*"), on_port=web(), steady=False,
               named_by=script_name),
    Recogniser(".NET program", "dotnet", Group.APPLICATIONS, ("dotnet",), on_port=web(), steady=False,
               named_by=script_name),
    Recogniser("Prometheus", "prometheus", Group.SYSTEM, ("prometheus",), (9090,), on_port=web("/-/healthy")),
    Recogniser("Grafana", "grafana", Group.APPLICATIONS, ("grafana", "grafana-server"), on_port=web("/api/health")),
)  # fmt: skip

_NAME_SERVICE = (
    Recogniser("BIND", "named", Group.NAME_SERVICE, ("named",), (53,), on_port=dns, also_on={953: nothing}),
    Recogniser("NSD", "nsd", Group.NAME_SERVICE, ("nsd",), on_port=dns, also_on={8952: nothing}),
    Recogniser("Unbound", "unbound", Group.NAME_SERVICE, ("unbound",), on_port=dns, also_on={8953: nothing}),
    Recogniser("dnsmasq", "dnsmasq", Group.NAME_SERVICE, ("dnsmasq",), on_port=dns),
    Recogniser("Knot DNS", "knot", Group.NAME_SERVICE, ("knotd",), on_port=dns),
    Recogniser("PowerDNS", "powerdns", Group.NAME_SERVICE, ("pdns_server", "pdns_recursor"), on_port=dns,
               also_on={8081: nothing, 8082: nothing}),
    Recogniser("CoreDNS", "coredns", Group.NAME_SERVICE, ("coredns",), on_port=dns,
               also_on={8080: web("/health"), 8181: nothing, 9153: nothing}),
    Recogniser("systemd-resolved", "resolved", Group.NAME_SERVICE, ("systemd-resolved", "systemd-resolve"),
               on_port=nothing),
)  # fmt: skip

_MESSAGING = (
    Recogniser("RabbitMQ", "rabbitmq", Group.MESSAGING, ("beam.smp", "beam"), (5672,), argument=r"\brabbit",
               also_on={15672: web(), 25672: nothing, 15692: nothing}),
    Recogniser("Erlang port mapper", "epmd", Group.MESSAGING, ("epmd",), (4369,), on_port=nothing),
    Recogniser("Mosquitto", "mosquitto", Group.MESSAGING, ("mosquitto",), (1883,)),
    Recogniser("NATS", "nats", Group.MESSAGING, ("nats-server",), (4222,), on_port=says("^INFO "),
               also_on={8222: web("/healthz"), 6222: nothing}),
    Recogniser("MinIO", "minio", Group.MESSAGING, ("minio",), (9000,), on_port=web("/minio/health/live", "/")),
    Recogniser("Samba", "samba", Group.MESSAGING, ("smbd",), (445,), also_on={139: nothing}),
    Recogniser("FTP server", "ftp", Group.MESSAGING, ("vsftpd", "proftpd*", "pure-ftpd*"), (21,),
               on_port=says("^220", quiet=True)),
)  # fmt: skip

_CONTAINERS = (
    Recogniser("Docker", "docker", Group.CONTAINERS, ("dockerd",)),
    Recogniser("Port of a Docker container", "published", Group.CONTAINERS, ("docker-proxy",), on_port=web_or_tcp,
               is_service=False),
    Recogniser("Port of a Podman container", "published", Group.CONTAINERS,
               ("rootlessport*", "slirp4netns", "pasta*"), on_port=web_or_tcp, is_service=False),
    Recogniser("containerd", "containerd", Group.CONTAINERS, ("containerd",), on_port=nothing),
    Recogniser("CRI-O", "crio", Group.CONTAINERS, ("crio",), on_port=nothing),
    Recogniser("Podman", "podman", Group.CONTAINERS, ("podman",), argument=r"\bsystem service\b"),
    Recogniser("kubelet", "kubelet", Group.CONTAINERS, ("kubelet",), on_port=nothing,
               also_on={10248: web("/healthz", contains="ok")}),
    Recogniser("Kubernetes API", "kube-apiserver", Group.CONTAINERS, ("kube-apiserver",), (6443,),
               on_port=web("/livez", contains="ok")),
    Recogniser("Kubernetes proxy", "kube-proxy", Group.CONTAINERS, ("kube-proxy",), on_port=nothing,
               also_on={10256: web("/healthz")}),
    Recogniser("Kubernetes scheduler or controllers", "kube-control", Group.CONTAINERS,
               ("kube-scheduler", "kube-controller*"), on_port=nothing,
               also_on={10257: web("/healthz"), 10259: web("/healthz")}),
    Recogniser("Pacemaker", "pacemaker", Group.CONTAINERS, ("pacemakerd",), on_port=nothing),
    Recogniser("Corosync", "corosync", Group.CONTAINERS, ("corosync",), on_port=nothing),
    Recogniser("libvirt", "libvirt", Group.CONTAINERS, ("libvirtd", "virtqemud"), on_port=nothing),
)  # fmt: skip

_SMTP, _IMAP, _POP3 = says("^220", quiet=True), says(r"^\* OK", quiet=True), says(r"^\+OK", quiet=True)
_MAIL_PORTS: Mapping[int, OnPort] = {
    25: _SMTP, 587: _SMTP, 465: tls, 143: _IMAP, 993: tls, 110: _POP3, 995: tls,
}  # fmt: skip
_MAIL = (
    Recogniser("Postfix", "postfix", Group.MAIL, ("master",), (25,), argument="postfix", also_on=_MAIL_PORTS),
    Recogniser("Exim", "exim", Group.MAIL, ("exim", "exim4"), also_on=_MAIL_PORTS),
    Recogniser("Sendmail", "sendmail", Group.MAIL, ("sendmail", "sendmail-mta"), also_on=_MAIL_PORTS),
    Recogniser("Dovecot", "dovecot", Group.MAIL, ("dovecot",), (143, 993), also_on=_MAIL_PORTS),
)  # fmt: skip

_DIRECTORY = (
    Recogniser("OpenLDAP", "openldap", Group.DIRECTORY, ("slapd",), (389,), also_on={636: tls}),
    Recogniser("389 Directory Server", "ldap", Group.DIRECTORY, ("ns-slapd",), also_on={636: tls}),
    Recogniser("Kerberos", "kerberos", Group.DIRECTORY, ("krb5kdc",), (88,)),
    Recogniser("FreeRADIUS", "radius", Group.DIRECTORY, ("freeradius", "radiusd"), on_port=nothing),
)

_SYSTEM = (
    Recogniser("OpenSSH", "ssh", Group.SYSTEM, ("sshd",), (22,), on_port=says("^SSH-", quiet=True)),
    Recogniser("chrony", "chrony", Group.SYSTEM, ("chronyd",), on_port=nothing),
    Recogniser("ntpd", "ntp", Group.SYSTEM, ("ntpd",), on_port=nothing),
    Recogniser("systemd-timesyncd", "timesyncd", Group.SYSTEM, ("systemd-timesyncd", "systemd-timesyn"),
               on_port=nothing),
    Recogniser("Network UPS Tools", "ups-server", Group.SYSTEM, ("upsd",), (3493,),
               on_port=says("^BEGIN LIST UPS", "LIST UPS\n")),
    Recogniser("SNMP agent", "snmpd", Group.SYSTEM, ("snmpd",), on_port=nothing),
    Recogniser("Detak collector", "detak-collector", Group.SYSTEM, ("detak-collector",), on_port=web()),
)  # fmt: skip

RECOGNISERS: Sequence[Recogniser] = (
    *_DATABASES, *_WEB, *_APPLICATIONS, *_NAME_SERVICE, *_MESSAGING, *_CONTAINERS, *_MAIL, *_DIRECTORY, *_SYSTEM,
)  # fmt: skip
