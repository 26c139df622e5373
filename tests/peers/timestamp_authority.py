"""A time stamp authority of openssl behind a small HTTP server, on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamp]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = usual
[usual]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamp.pem
signer_key = {folder}/stamp.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
accuracy = secs:1
"""


@dataclass
class Authority:
    """Where it is, and its root. `says`: it stamps, answers nonsense, stamps another thing, or replays an old stamp."""

    openssl: str
    folder: Path
    url: str = ""
    says: str = "stamp"

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def run(self, *words: str, given: bytes = b"") -> bytes:
        done = subprocess.run([self.openssl, *words], input=given, capture_output=True, check=True, cwd=self.folder)
        return done.stdout

    def answer(self, query: bytes) -> bytes:
        if self.says == "nonsense":
            return b"<html>busy</html>"
        if self.says == "another":
            query = self.run("ts", "-query", "-data", str(self.root), "-sha256", "-cert")
        if self.says == "replay":
            at = query.index(b"\x04\x20") + 2
            query = self.run("ts", "-query", "-digest", query[at : at + 32].hex(), "-sha256", "-cert")
        asked = self.folder / "asked.tsq"
        asked.write_bytes(query)
        return self.run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", str(asked))


def _made(openssl: str, folder: Path) -> Authority:
    folder.mkdir(parents=True)
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "serial").write_text("01\n")
    made = Authority(openssl, folder)
    fresh = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "tsa.cnf")
    root = ("-subj", "/CN=Root", "-days", "2", "-extensions", "ca", "-keyout", "root.key", "-out", "root.pem")
    made.run("req", "-x509", *fresh, *root)
    made.run("req", *fresh, "-subj", "/CN=Time stamps", "-keyout", "stamp.key", "-out", "stamp.csr")
    signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "2", "-extfile", "tsa.cnf")
    made.run("x509", "-req", "-in", "stamp.csr", *signed, "-extensions", "stamp", "-out", "stamp.pem")
    return made


@contextmanager
def authority(openssl: str, folder: Path) -> Iterator[Authority]:
    """An authority that answers while the block runs."""
    made = _made(openssl, folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = made.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/tsa"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
