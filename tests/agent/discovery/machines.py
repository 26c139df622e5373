"""Facts as they were recorded on servers of several distributions, shortened to what discovery looks at."""

from detak_agent.discovery.facts import Balancer, Facts, Listener, LocalSocket, Protocol, RunningProcess

_JVM = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"


def process(pid: int, name: str, command: str, unit: str = "", program: str = "", parent: int = 1) -> RunningProcess:
    """A process whose arguments hold no spaces of their own."""
    arguments = tuple(command.split())
    return RunningProcess(pid, parent, name, arguments, program or arguments[0].rpartition("/")[2], unit=unit)


def titled(pid: int, name: str, title: str, unit: str = "", program: str = "", parent: int = 1) -> RunningProcess:
    """A process that has overwritten its command line with a title."""
    return RunningProcess(pid, parent, name, (title,), program or name, unit=unit)


def at(address: str, port: int, *pids: int, protocol: Protocol = "tcp", uid: int = 0) -> Listener:
    return Listener(protocol, address, port, pids, uid)


DEBIAN_12 = Facts(
    host="dc-app-01.example.go.id",
    system="Debian GNU/Linux 12 (bookworm)",
    machine="virtual machine",
    systemd=True,
    processes=(
        process(1, "systemd", "/sbin/init"),
        titled(410, "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "ssh.service", "sshd"),
        titled(9001, "sshd", "sshd: admin [priv]", "", "sshd", parent=410),
        titled(9002, "sshd", "sshd: admin@pts/0", "", "sshd", parent=9001),
        process(9003, "python3", "python3 -m http.server 8000", parent=9002),
        process(500, "chronyd", "/usr/sbin/chronyd -F 1", "chrony.service"),
        process(600, "postgres", "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c "
                "config_file=/etc/postgresql/15/main/postgresql.conf", "postgresql@15-main.service"),
        titled(601, "postgres", "postgres: 15/main: checkpointer ", "postgresql@15-main.service", parent=600),
        titled(700, "redis-server", "/usr/bin/redis-server 127.0.0.1:6379", "redis-server.service", "redis-check-rdb"),
        process(800, "mariadbd", "/usr/sbin/mariadbd", "mariadb.service"),
        titled(900, "nginx", "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
               "nginx.service", "nginx"),
        titled(901, "nginx", "nginx: worker process", "nginx.service", "nginx", parent=900),
        titled(950, "php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "php8.2-fpm.service",
               "php-fpm8.2"),
        process(1000, "java", f"{_JVM} -Djava.util.logging.config.file=/var/lib/tomcat10/conf/logging.properties "
                "-Dcatalina.base=/var/lib/tomcat10 -Dcatalina.home=/usr/share/tomcat10 "
                "org.apache.catalina.startup.Bootstrap start", "tomcat10.service"),
        process(1100, "java", f"{_JVM} -Xmx1g -Dspring.profiles.active=prod -jar /srv/siap/declaration-api-2.3.1.jar "
                "--server.port=8081", "siap-api.service"),
        process(1200, "gunicorn", "/srv/portal/venv/bin/python3 /srv/portal/venv/bin/gunicorn --workers 4 "
                "--bind 127.0.0.1:8001 portal.wsgi:application", "portal.service", "python3.11"),
        process(1201, "gunicorn", "/srv/portal/venv/bin/python3 /srv/portal/venv/bin/gunicorn --workers 4 "
                "--bind 127.0.0.1:8001 portal.wsgi:application", "portal.service", "python3.11", parent=1200),
        process(1300, "master", "/usr/lib/postfix/sbin/master -w", "postfix@-.service"),
        process(1400, "dockerd", "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
                "docker.service"),
        process(1401, "docker-proxy", "/usr/sbin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8085 "
                "-container-ip 172.17.0.2 -container-port 80", "docker.service", parent=1400),
        RunningProcess(1500, 1450, "nginx", ("nginx: master process nginx -g daemon off;",), "nginx",
                       container="0123456789ab"),
        process(1600, "named", "/usr/sbin/named -f -u bind", "named.service"),
        process(1700, "keepalived", "/usr/sbin/keepalived --dont-fork", "keepalived.service"),
        process(1701, "keepalived", "/usr/sbin/keepalived --dont-fork", "keepalived.service", parent=1700),
        process(1800, "legacyd", "/opt/legacy/legacyd --port 4711", "legacy.service"),
    ),
    listeners=(
        at("0.0.0.0", 22, 410), at("::", 22, 410),
        at("0.0.0.0", 25, 1300),
        at("127.0.0.1", 53, 1600), at("10.20.0.5", 53, 1600), at("127.0.0.1", 953, 1600),
        at("10.20.0.5", 53, 1600, protocol="udp"),
        at("0.0.0.0", 80, 900, 901), at("::", 80, 900, 901), at("0.0.0.0", 443, 900, 901),
        at("127.0.0.1", 323, 500, protocol="udp"),
        at("127.0.0.1", 3306, 800),
        at("0.0.0.0", 4711, 1800),
        at("127.0.0.1", 5432, 600),
        at("127.0.0.1", 6379, 700), at("::1", 6379, 700),
        at("0.0.0.0", 8000, 9003),
        at("127.0.0.1", 8001, 1200, 1201),
        at("::", 8080, 1000), at("127.0.0.1", 8005, 1000), at("::", 41235, 1000),
        at("::", 8081, 1100),
        at("0.0.0.0", 8085, 1401),
    ),
    local_sockets=(
        LocalSocket("/run/mysqld/mysqld.sock", (800,), "*"),
        LocalSocket("/var/run/postgresql/.s.PGSQL.5432", (600,), "*"),
    ),
    own_units=("backup.timer", "detak-agent.service", "legacy.service", "siap-api.service"),
    network_mounts=("/mnt/arsip",),
    zones={"named": ("example.go.id", "lab.example.go.id")},
)  # fmt: skip

RED_HAT_9 = Facts(
    host="DRC-DB_02",
    system="Red Hat Enterprise Linux 9.4 (Plow)",
    systemd=True,
    processes=(
        process(1, "systemd", "/usr/lib/systemd/systemd --switched-root --system"),
        process(700, "httpd", "/usr/sbin/httpd -DFOREGROUND", "httpd.service"),
        process(701, "httpd", "/usr/sbin/httpd -DFOREGROUND", "httpd.service", parent=700),
        process(800, "tnslsnr", "/u01/app/oracle/product/19.0.0/dbhome_1/bin/tnslsnr LISTENER -inherit"),
        titled(810, "ora_pmon_siap", "ora_pmon_siap", program="oracle"),
        titled(811, "ora_psp0_siap", "ora_psp0_siap", program="oracle"),
        titled(820, "ora_pmon_test", "ora_pmon_test", program="oracle"),
        process(900, "sqlservr", "/opt/mssql/bin/sqlservr", "mssql-server.service"),
        process(901, "sqlservr", "/opt/mssql/bin/sqlservr", "mssql-server.service", parent=900),
        process(1000, "mongod", "/usr/bin/mongod -f /etc/mongod.conf", "mongod.service"),
        process(1100, "haproxy", "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid",
                "haproxy.service"),
        process(1101, "haproxy", "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid",
                "haproxy.service", parent=1100),
        process(1200, "java", "/usr/lib/jvm/jre-11/bin/java -D[Standalone] -Xms1303m "
                "-jar /opt/wildfly/jboss-modules.jar -mp /opt/wildfly/modules org.jboss.as.standalone",
                "wildfly.service"),
        process(1300, "java", "/u01/jdk/bin/java -server -Dweblogic.Name=AdminServer weblogic.Server"),
        process(1400, "beam.smp", "/usr/lib64/erlang/erts-13/bin/beam.smp -W w -- -root /usr/lib64/erlang "
                "-progname erl -- -home /var/lib/rabbitmq -- -boot start_sasl -noshell -s rabbit boot",
                "rabbitmq-server.service"),
        process(1500, "upsd", "/usr/sbin/upsd -F", "nut-server.service"),
        process(1600, "slapd", "/usr/sbin/slapd -u ldap -h ldap:/// ldaps:///", "slapd.service"),
        process(1700, "node", "/usr/bin/node /srv/antrian/server.js"),
        titled(1800, "redis-server", "/usr/bin/redis-server 10.30.0.8:6380 [cluster]", "redis@6380.service"),
        titled(1900, "redis-server", "/usr/bin/redis-server 10.30.0.8:6381 [cluster]", "redis@6381.service"),
    ),
    listeners=(
        at("::", 80, 700, 701),
        at("::", 1521, 800),
        at("0.0.0.0", 1433, 900, 901), at("127.0.0.1", 1434, 900),
        at("127.0.0.1", 27017, 1000),
        at("10.30.0.8", 8443, 1100, 1101), at("10.30.0.8", 3307, 1100, 1101),
        at("127.0.0.1", 9990, 1200), at("127.0.0.1", 8080, 1200),
        at("10.30.0.8", 7001, 1300),
        at("::", 5672, 1400), at("::", 25672, 1400),
        at("127.0.0.1", 3493, 1500),
        at("0.0.0.0", 389, 1600), at("0.0.0.0", 636, 1600),
        at("::", 3000, 1700),
        at("10.30.0.8", 6380, 1800), at("10.30.0.8", 16380, 1800), at("10.30.0.8", 6381, 1900),
    ),
    local_sockets=(LocalSocket("/run/haproxy/admin.sock", (1101,), "haproxy"),),
    balancer=Balancer(("/run/haproxy/admin.sock",), ("portal", "api")),
    ups_names=("rack-a",),
    has_controller=True,
)  # fmt: skip
