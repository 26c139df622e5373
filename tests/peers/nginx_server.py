"""A real nginx on loopback: pages good and bad, and a TLS port for each kind of certificate."""

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.checks.check_stage import Certificates
from peers.server_process import Server, free_ports

PAGE = "all is well"
CERTIFICATES = ("good", "soon", "expired", "other-name", "self-signed")

_CONFIGURATION = """
daemon off;
master_process off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate_key {key};
    {servers}
}}
"""
_PLAIN = """
server {{
    listen 127.0.0.1:{plain};
    location / {{ return 200 "{page}"; }}
    location /dead {{ proxy_pass http://127.0.0.1:{dead}; }}
    location /hangs {{ proxy_pass http://127.0.0.1:{hanging}; }}
    location /redirect {{ return 302 https://127.0.0.1:{good}/; }}
    location /packed {{ gzip on; gzip_types text/plain; gzip_min_length 1; return 200 "{page}"; }}
    location /large {{ add_header X-A "{large}"; add_header X-B "{large}"; return 200 "{page}"; }}
    location /empty {{ return 204; }}
    location /moved {{ return 307 /posted; }}
    location /posted {{ proxy_pass http://127.0.0.1:{plain}/echo; }}
    location /echo {{ if ($request_method != POST) {{ return 405; }} return 200 "$content_length $http_x_key"; }}
    location /slow/ {{ limit_rate 400; return 200 "{large}"; }}
}}
"""
_SECURE = 'server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {file}; {more} return 200 "{page}"; }}\n'


@dataclass(frozen=True)
class Nginx:
    """The running server; `ports` has one for "plain", for each of CERTIFICATES, and for "only-1.2" and "wants-one"."""

    ports: dict[str, int]
    process: Server


@contextlib.contextmanager
def nginx(program: str, certificates: Certificates) -> Iterator[Nginx]:
    """Starts it, and leaves nothing behind. Its upstream `/dead` refuses connections and `/hangs` never answers."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as hanging:
        names = ("plain", "dead", *CERTIFICATES, "only-1.2", "wants-one")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        configuration = Path(folder) / "nginx.conf"
        servers = _PLAIN.format(page=PAGE, large="x" * 3_000, hanging=hanging.getsockname()[1], **ports) + _secure(
            ports, certificates
        )
        configuration.write_text(_CONFIGURATION.format(folder=folder, key=certificates.key, servers=servers))
        log = Path(folder) / "error.log"
        command = [program, "-p", folder, "-c", str(configuration), "-e", str(log)]
        process = Server(command, log, lambda: _answers(ports["plain"]))
        try:
            process.start()
            yield Nginx(ports, process)
        finally:
            process.stop()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def _secure(ports: dict[str, int], certificates: Certificates) -> str:
    client = f"ssl_verify_client on; ssl_client_certificate {certificates.authority};"
    served = [(name, name, "") for name in CERTIFICATES]
    served += [("only-1.2", "good", "ssl_protocols TLSv1.2;"), ("wants-one", "good", client)]
    return "".join(
        _SECURE.format(port=ports[name], file=certificates.path(file), more=more, page=PAGE)
        for name, file, more in served
    )
