"""A real installation behind TLS with an authority of its own, as `detak-collector init --name` makes it."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import urllib.request
from pathlib import Path

from installation import DOWN_AFTER_MS, PROGRAMS, Installation, until


class OwnAuthority(Installation):
    """The folder `made` holds what `init` wrote."""

    @property
    def made(self) -> Path:
        return self.folder / "made"

    @property
    def server_file(self) -> Path:
        """The certificate and its key."""
        return self.made / "tls" / "server.pem"

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def configure(self, services: str) -> None:
        """By `init`, on a free port; services and deadline are the test's."""
        with socket.create_server((self.host, 0)) as free:
            self.port = free.getsockname()[1]
        words = ["init", str(self.made), "--name", self.host, "--name", "localhost", "--port", str(self.port)]
        subprocess.run([str(PROGRAMS / "detak-collector"), *words], check=True, capture_output=True, timeout=30)
        (self.made / "services.toml").write_text(
            'organisation = "Test"\ntimezone = "Asia/Jakarta"\ntarget_percent = 0.1\n' + services
        )
        told = (self.made / "collector.toml").read_text()
        told = re.sub(r"(?m)^listen = .*$", f'listen = "{self.host}:{self.port}"', told)
        told = re.sub(r"(?m)^down_after_ms = .*$", f"down_after_ms = {DOWN_AFTER_MS}", told)
        (self.folder / "collector.toml").write_text(told)
        (self.made / "collector.toml").write_text(told)
        self.collector_says("config-check")

    def get(self, path: str) -> str:
        """What a browser is told that does not look at the certificate."""
        context = ssl._create_unverified_context()
        with urllib.request.urlopen(self.url + path, timeout=5, context=context) as answer:
            return str(answer.read().decode())

    def served(self) -> str:
        """The certificate that a new connection gets."""
        return ssl.get_server_certificate((self.host, self.port), timeout=5)

    def agent_says(self, node: str, *words: str) -> str:
        """What a command of a node's agent prints."""
        command = [str(PROGRAMS / "detak-agent"), *words, "--config", str(self.folder / node / "agent.toml")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        return done.stdout

    def collector_says_all(self, *words: str) -> str:
        """What a command of the collector prints, warnings included."""
        command = [str(PROGRAMS / "detak-collector"), *self._collector_config, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def certificate(self, *words: str) -> str:
        """`detak-collector certificate …`, and once it is served, what it printed."""
        before, told = self.served(), self.collector_says("certificate", *words)
        if words[0] != "next-authority":
            until("the new certificate is served", lambda: self.served() != before)
        return told

    def noted(self) -> str:
        """What the collector left word of for its commands."""
        file = self.made / "state/channel.json"
        return file.read_text() if file.exists() else ""

    def pinned(self, node: str) -> list[str]:
        """The keys that a node's agent trusts."""
        (file,) = (self.folder / node / "state/keys").glob("*.authority")
        return file.read_text().split()

    @property
    def _collector_config(self) -> list[str]:
        return ["--config", str(self.made / "collector.toml")]

    def _is_served(self) -> bool:
        try:
            return '"status":"ok"' in self.get("/healthz").replace(" ", "")
        except OSError:
            return False
