"""The programs of the laboratory's things: what each is started with, and what it reads when it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab import probing
from lab.application import PAGE
from lab.host import Host, Program

SECOND_PORT, WEB_PORT, TLS_PORT = 8090, 80, 443
NAME, ADDRESS, WRONG_ADDRESS = "portal.lab.test", "10.0.0.7", "10.0.0.66"
MEMORY_LIMIT = 160 * 1024 * 1024
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def application(host: Host, name: str, port: int, group: Path | None = None) -> Program:
    """The one that can be told to misbehave."""
    mode = host.folder / f"{name}.mode"
    mode.write_text("ok\n")
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("application.py")), str(port), str(mode)]
    return Program(host, name, command, lambda: probing.serves(host.address, port, PAGE), group=group)


def worker(host: Host, name: str) -> Program:
    """A process that only has to be there."""
    path = host.folder / name
    path.write_text("#!/bin/sh\nwhile :; do sleep 3600; done\n")
    path.chmod(0o755)
    return Program(host, name, [str(path)])


def web_server(host: Host) -> Program:
    """nginx, as one process: to kill it is to kill all of it."""
    (host.folder / "html").mkdir(exist_ok=True)
    (host.folder / "html/index.html").write_text(PAGE)
    server = f"root {host.folder}/html; server {{ listen {WEB_PORT}; }}"
    return Program(
        host, "web", _nginx(host, "web", "master_process off;", server),
        lambda: probing.serves(host.address, WEB_PORT, PAGE),
    )  # fmt: skip


def tls_server(host: Host, certificates: Path) -> Program:
    """Nginx with TLS, which shows another certificate after SIGHUP."""
    pair = f"ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;"
    server = f"server {{ listen {TLS_PORT} ssl; {pair} return 204; }}"
    return Program(
        host, "tls", _nginx(host, "tls", "user root;", server),
        lambda: probing.shakes_hands(host.address, TLS_PORT, f"{certificates}/ca.pem"),
    )  # fmt: skip


def _nginx(host: Host, name: str, top: str, servers: str) -> list[str]:
    own = host.folder / f"nginx-{name}"
    own.mkdir()
    temporary = " ".join(
        f"{one}_temp_path {own}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (own / "nginx.conf").write_text(
        f"daemon off; {top} pid {own}/pid; error_log {own}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} {servers} }}\n"
    )
    return ["nginx", "-c", str(own / "nginx.conf"), "-p", str(own)]


def name_server(host: Host) -> Program:
    """BIND with one zone."""
    write_zone(host, ADDRESS)
    configuration = host.folder / "named.conf"
    configuration.write_text(
        f'options {{ directory "{host.folder}"; pid-file none; session-keyfile none; listen-on {{ any; }};'
        " listen-on-v6 { none; }; recursion no; dnssec-validation no; notify no; }; controls { };\n"
        'zone "lab.test" { type primary; file "zone"; };\n'
    )
    return Program(
        host, "dns", ["named", "-g", "-n", "1", "-c", str(configuration)],
        lambda: probing.resolves(host.address, NAME, ADDRESS),
    )  # fmt: skip


def write_zone(host: Host, address: str, serial: int = 1) -> None:
    """Where the portal is, from the next reload on."""
    (host.folder / "zone").write_text(
        f"$TTL 1\n@ SOA ns.lab.test. root.lab.test. {serial} 3600 3600 86400 1\n@ NS ns.lab.test.\n"
        f"ns A {host.address}\nportal A {address}\n"
    )


def certificate(folder: Path, name: str, address: str, days: tuple[str, str] | None = None) -> None:
    """A certificate of the laboratory's own authority, in `folder`/NAME.pem and .key; `days` as openssl has them."""
    if not (folder / "ca.pem").exists():
        _openssl("req", "-x509", *_KEY, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-days", "30",
                 "-subj", "/CN=Laboratory")  # fmt: skip
    _openssl("req", *_KEY, "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr", "-subj", f"/CN={address}")
    (folder / f"{name}.ext").write_text(f"subjectAltName=IP:{address}\n")
    if days is None:
        signing = ["x509", "-req", "-days", "30", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                   "-extfile", f"{name}.ext"]  # fmt: skip
    else:
        (folder / "index.txt").write_text("")
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )
        signing = ["ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                   "-startdate", days[0], "-enddate", days[1], "-extfile", f"{name}.ext"]  # fmt: skip
    _openssl(*signing, "-in", f"{name}.csr", "-out", f"{name}.pem", cwd=folder)


def _openssl(*words: str, cwd: Path | None = None) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=cwd)


def show(certificates: Path, name: str) -> None:
    """Which certificate the web server has from its next reload on."""
    for ending in ("pem", "key"):
        (certificates / f"server.{ending}").write_bytes((certificates / f"{name}.{ending}").read_bytes())


def memory_group(host: Host) -> Path:
    """A control group with little memory: what is in it and wants more is ended by the kernel."""
    group = Path("/sys/fs/cgroup/memory") / host.network.namespace(host.name)
    group.mkdir(exist_ok=True)
    (group / "memory.limit_in_bytes").write_text(str(MEMORY_LIMIT))
    return group
