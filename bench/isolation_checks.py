"""The checks of bench/isolation.py: ordinary ones of many kinds, and among them whatever should hold up others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path

ORDINARY = (
    'kind = "os"\nitems = ["cpu", "memory", "swap", "load", "clock"]',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {http}',
    'kind = "http"\nurl = "http://127.0.0.1:{http}/"\nbody_contains = "health"',
    'kind = "file"\npath = "/etc/hostname"\nsize_least_bytes = 1',
    'kind = "process"\ncommand_pattern = "isolation_agent"',
    'kind = "command"\ncommand = ["{plugins}/good"]',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {http}\nsend = "GET / HTTP/1.0\\r\\n\\r\\n"\nexpect = "200 OK"',
    'kind = "dns"\nquery = "example.test"\nservers = ["127.0.0.1:{dns}"]',
    'kind = "os"\nitems = ["disk", "inodes", "read_only"]',
    'kind = "tls"\nhost = "127.0.0.1"\nport = {https}\nverify_tls = false',
    'kind = "http"\nurl = "https://127.0.0.1:{https}/"\nverify_tls = false',
    'kind = "ping"\nhost = "127.0.0.1"',
    'kind = "log"\npath = "{plugins}/app.log"\npattern = "FATAL"',
    'kind = "file"\npath = "{plugins}/*"',
)
"""Taken again and again, in this order, until there are enough checks."""

HUNG_FILES = (
    'kind = "file"\npath = "{hung}/app.log"\npattern = "ready"',
    'kind = "file"\npath = "{hung}/*.log"',
    'kind = "os"\nfilesystems = ["{hung}"]',
    'kind = "log"\npath = "{hung}/app.log"\npattern = "FATAL"',
    'kind = "process"\npid_file = "{hung}/app.pid"',
    'kind = "command"\ncommand = ["{hung}/plugin"]',
    'kind = "command"\ncommand = ["{plugins}/reads", "{hung}/app.log"]',
    'kind = "command"\ncommand = ["{plugins}/hung_interpreter"]',
    'kind = "command"\ncommand = ["{plugins}/good"]\npassword_file = "{hung}/password"\npassword_variable = "WORD"',
    'kind = "http"\nurl = "https://127.0.0.1:{https}/"\nca_file = "{hung}/ca.pem"',
    'kind = "tls"\nhost = "127.0.0.1"\nport = {https}\nca_file = "{hung}/ca.pem"',
    'kind = "redis"\nhost = "127.0.0.1"\nport = {silent}\npassword_file = "{hung}/password"',
    'kind = "postgresql"\nhost = "127.0.0.1"\nport = {silent}\npassword_file = "{hung}/password"',
    'kind = "redis"\nhost = "{hung}/redis.sock"',
    'kind = "postgresql"\nhost = "{hung}"',
    'kind = "mysql"\nhost = "{hung}/mysql.sock"',
    'kind = "haproxy"\nsocket = "{hung}/haproxy.sock"\nbackend = "b"',
)
"""They touch a file system whose server does not answer."""

BAD_SERVERS = (
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {trickle}\nexpect = "never"',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {firehose}\nexpect = "never"',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {silent}\nexpect = "hello"',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {refused}',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {full}',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {reset}\nexpect = "hello"',
    'kind = "http"\nurl = "http://127.0.0.1:{trickle}/"',
    'kind = "http"\nurl = "http://127.0.0.1:{trickle_body}/"\nbody_contains = "never"',
    'kind = "http"\nurl = "http://127.0.0.1:{firehose}/"\nbody_contains = "never"',
    'kind = "http"\nurl = "http://127.0.0.1:{silent}/"',
    'kind = "http"\nurl = "http://127.0.0.1:{garbage}/"',
    'kind = "http"\nurl = "http://127.0.0.1:{reset}/"',
    'kind = "http"\nurl = "https://127.0.0.1:{trickle_tls}/"\nverify_tls = false',
    'kind = "tls"\nhost = "127.0.0.1"\nport = {silent}\nverify_tls = false',
    'kind = "tls"\nhost = "127.0.0.1"\nport = {trickle}\nverify_tls = false',
    'kind = "tls"\nhost = "127.0.0.1"\nport = {full}\nverify_tls = false',
    'kind = "redis"\nhost = "127.0.0.1"\nport = {firehose}',
    'kind = "redis"\nhost = "127.0.0.1"\nport = {trickle}',
    'kind = "postgresql"\nhost = "127.0.0.1"\nport = {trickle}',
    'kind = "postgresql"\nhost = "127.0.0.1"\nport = {firehose}',
    'kind = "mysql"\nhost = "127.0.0.1"\nport = {silent}',
    'kind = "mysql"\nhost = "127.0.0.1"\nport = {firehose}',
    'kind = "mongodb"\nhost = "127.0.0.1"\nport = {garbage}',
    'kind = "mongodb"\nhost = "127.0.0.1"\nport = {silent}',
    'kind = "sqlserver"\nhost = "127.0.0.1"\nport = {silent}\npassword = "word"\nverify_tls = false',
    'kind = "oracle"\nhost = "127.0.0.1"\nport = {silent}\nservice_name = "X"\npassword = "word"',
    'kind = "ups"\nups = "u"\nhost = "127.0.0.1"\nport = {trickle}',
    'kind = "haproxy"\nurl = "http://127.0.0.1:{firehose}/stats"\nbackend = "b"',
    'kind = "redfish"\nhost = "127.0.0.1"\nport = {trickle}\ntls = false\ninterval_ms = 5000\ntimeout_ms = 4000',
    'kind = "snmp"\nhost = "127.0.0.1"\nport = {black_hole}\ncommunity = "public"',
)
"""Their servers trickle, flood, say nothing, refuse or break off."""

BLACK_HOLES = (
    'kind = "dns"\nquery = "example.test"\nservers = ["127.0.0.1:{black_hole}"]',
    'kind = "dns"\nquery = "example.test"\nservers = ["127.0.0.1:{black_hole}", "127.0.0.1:{dns}"]',
    'kind = "dns"\nquery = "example.test"',
    'kind = "tcp"\nhost = "one.detak.test"\nport = {http}',
    'kind = "tcp"\nhost = "two.detak.test"\nport = {http}',
    'kind = "http"\nurl = "http://three.detak.test:{http}/"',
    'kind = "http"\nurl = "http://four.detak.test:{http}/"',
    'kind = "ping"\nhost = "five.detak.test"',
    'kind = "redis"\nhost = "six.detak.test"',
    'kind = "postgresql"\nhost = "seven.detak.test"',
)
"""Their name servers never answer, the system's own among them."""

PLUGINS = (
    'kind = "command"\ncommand = ["{plugins}/forks"]',
    'kind = "command"\ncommand = ["{plugins}/forks"]',
    'kind = "command"\ncommand = ["{plugins}/bomb", "5"]',
    'kind = "command"\ncommand = ["{plugins}/bomb", "5"]',
    'kind = "command"\ncommand = ["{plugins}/prints"]',
    'kind = "command"\ncommand = ["{plugins}/complains"]',
    'kind = "command"\ncommand = ["{plugins}/ignores"]',
    'kind = "command"\ncommand = ["{plugins}/ignores"]',
    'kind = "command"\ncommand = ["{plugins}/sleeps"]\non_timeout = "down"',
    'kind = "command"\ncommand = ["{plugins}/leaves"]',
    'kind = "command"\ncommand = ["{plugins}/much"]',
)

SCRIPTS = {
    "good": "echo 'OK - all is well | value=1'",
    "reads": 'cat "$1"; echo "OK - it could be read"',
    "forks": "i=0; while [ $i -lt 60 ]; do sleep 600 & i=$((i+1)); done; trap '' TERM; wait",
    "bomb": '[ "$1" -gt 0 ] || exec sleep 600\n"$0" $(($1-1)) & "$0" $(($1-1)) & wait',
    "prints": "exec yes 'this never ends'",
    "complains": "exec yes 'this never ends' >&2",
    "ignores": "trap '' TERM INT HUP; while :; do sleep 600; done",
    "sleeps": "exec sleep 600",
    "leaves": "sleep 600 & echo 'OK - a child holds the pipe'",
    "much": "i=0; while [ $i -lt 2000 ]; do echo \"OK | 'value $i'=$i;1;2;3;4\"; i=$((i+1)); done",
}
"""Plug-ins by their names, as text for the shell."""


def write_plugins(folder: Path, hung: Path, inside: Path) -> None:
    """The plug-ins into `folder`; what the checks look for on `hung`, into the folder `inside` that it shows."""
    for name, text in SCRIPTS.items():
        _program(folder / name, f"#!/bin/sh\n{text}\n")
    _program(folder / "hung_interpreter", f"#!{hung}/sh\necho OK\n")
    _program(inside / "plugin", "#!/bin/sh\necho OK\n")
    (inside / "sh").write_bytes(Path("/bin/sh").read_bytes())
    (inside / "sh").chmod(0o755)
    (folder / "app.log").write_text("started\n")
    (inside / "app.log").write_text("ready\n")
    (inside / "app.pid").write_text("1\n")
    (inside / "password").write_text("word\n")


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def hostile(*, has_hung_files: bool, has_black_hole: bool) -> tuple[str, ...]:
    """All checks that should hold up nothing but themselves."""
    files = HUNG_FILES if has_hung_files else ()
    names = BLACK_HOLES if has_black_hole else BLACK_HOLES[:2]
    return (*files, *BAD_SERVERS, *names, *PLUGINS)


def some(bad: tuple[str, ...], count: int) -> tuple[str, ...]:
    """All of the bad ones, or every second or third and so on: as leaves half of so many checks to ordinary ones."""
    return bad[:: max(1, -(-2 * len(bad) // max(1, count)))]


def tables(bad: tuple[str, ...], count: int, where: Mapping[str, object]) -> str:
    """So many checks as agent.toml has them: the bad ones once, ordinary ones besides."""
    return "\n".join(_table(at, check, where) for at, check in enumerate(islice(_all(bad), count)))


def _all(bad: tuple[str, ...]) -> Iterator[str]:
    yield from bad
    yield from cycle(ORDINARY)


def _table(at: int, check: str, where: Mapping[str, object]) -> str:
    paced = check if "interval_ms" in check else f"{check}\ninterval_ms = 5000\ntimeout_ms = 4000"
    return f'[[check]]\nname = "check-{at}"\n{paced}\n'.format(**where)
