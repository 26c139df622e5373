"""A collector at which people sign in, as a process: from the first account to what strangers are not told."""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from installation import Installation, installation, process_check, service_of, sleeper, until

pytestmark = pytest.mark.system
PASSWORD = "kuda baterai staples benar"


class Browser:
    """With cookies, following redirects."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(self._url + path, headers=headers))

    def send(self, form: str, to: str, **fields: str) -> tuple[int, str]:
        token = re.search(r'name="token" value="(\w+)"', self.get(form)[1])
        assert token is not None
        body = urllib.parse.urlencode({"token": token[1], **fields}).encode()
        return self._ask(urllib.request.Request(self._url + to, body))

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def test_from_the_first_account_to_a_page_that_names_no_node_to_strangers(tmp_path: Path) -> None:
    (tmp_path / "metrics-token").write_text("prometheus-token\n")
    (tmp_path / "metrics-token").chmod(0o600)
    pid_file, process = tmp_path / "pid", sleeper()
    pid_file.write_text(str(process.pid))
    try:
        with installation(tmp_path, service_of("secret-node-01/app", more="public = true\n")) as running:
            _follow_the_story(running, pid_file)
    finally:
        process.kill()
        process.wait()


def _follow_the_story(running: Installation, pid_file: Path) -> None:
    configuration = running.folder / "collector.toml"
    running.add_agent("secret-node-01", process_check(pid_file))
    stranger, siti = Browser(running.url), Browser(running.url)
    until("the page shows the node", lambda: "secret-node-01" in stranger.get("/")[1])
    link = running.collector_says("user", "add", "siti", "--display", "Siti Rahma", "--role", "admin").strip()
    assert stranger.get("/sign-in")[0] == 404
    configuration.write_text(configuration.read_text() + '[sign_in]\nmetrics_token_file = "metrics-token"\n')
    running.collector_says("config-check")
    running.signal("collector", signal.SIGHUP)
    until("people sign in", lambda: stranger.get("/sign-in")[0] == 200)
    until("the page is there again", lambda: stranger.get("/")[0] == 200)
    for path in ("/", "/status/fragment", "/metrics", "/api/v1/nodes/secret-node-01/metrics", "/readyz", "/healthz"):
        assert "secret-node-01" not in stranger.get(path)[1], path
    assert stranger.get("/metrics")[0] == stranger.get("/api/v1/nodes/secret-node-01/metrics")[0] == 401
    assert stranger.get("/readyz") == (200, '{"status": "ready"}')
    assert stranger.get("/metrics", Authorization="Bearer prometheus-token")[0] == 200
    assert stranger.get("/metrics", Authorization="Bearer prometheus-tokeN")[0] == 401
    path = link.removeprefix(running.url)
    status, text = siti.send(path, "/sign-in/password", link=path.partition("link=")[2], new=PASSWORD, again=PASSWORD)
    assert (status, "Your password is set" in text) == (200, True)
    status, text = siti.send("/sign-in", "/sign-in", name="siti", password=PASSWORD)
    assert (status, "secret-node-01" in text, "Siti Rahma" in text) == (200, True, True)
    assert siti.get("/metrics")[0] == 200
    assert '"services"' in siti.get("/readyz")[1]
    assert siti.get("/api/v1/nodes/secret-node-01/metrics")[0] in {200, 404}
    assert "siti has signed in from 127.0.0.1" in running.log("collector")
    running.collector_says("user", "disable", "siti")
    assert siti.get("/metrics")[0] == 401
    assert (
        subprocess.run(["grep", "-rF", PASSWORD, str(running.folder)], capture_output=True, check=False).returncode == 1
    )
