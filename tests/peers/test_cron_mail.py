"""The shipped cron file, run by a real cron that talks to a real SMTP server over TLS; what cron mails is caught.

Cron sees folders of its own, in a mount namespace, and runs its lines as at the start of a machine: at once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certificates import self_signed
from conftest import program_path
from detak_collector import cli
from mail_server import Inbox, mail_server
from outage_history import SERVICES, fill

pytestmark = [
    pytest.mark.peers("cron", "unshare", "openssl"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a cron with folders of its own"),
]

SHIPPED = Path(__file__).parents[2] / "packaging" / "cron.d" / "detak-collector"
LINE = re.compile(r"^(\S+ \S+ \S+ \S+ \S+) +detak-collector +(.*--period (\S+) --send)$", re.MULTILINE)
PERIODS = {"yesterday": "daily", "last-week": "weekly", "last-month": "monthly", "last-year": "yearly"}
FOLDERS = """
set -e
mount --make-rprivate /
mkdir -p "$T/spool/crontabs" "$T/upper" "$T/work"
cp "$T/sendmail" "$T/upper/sendmail"
mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$T/upper,workdir=$T/work" /usr/sbin
mount --bind "$T/cron.d" /etc/cron.d
mount --bind "$T/spool" /var/spool/cron
mount -t tmpfs tmpfs /run
exec "$CRON" -f
"""
SENDMAIL = '#!/bin/sh\ncat >"$(mktemp {folder}/XXXXXX)"\n'
PROGRAM = """#!/bin/sh
{python} -m detak_collector "$@"
code=$?
echo $code >>{folder}/ended
exit $code
"""
PATIENCE_S = 30


@dataclass
class Cron:
    """Where the real one reads its lines, and the mails in which it passes on what they say."""

    folder: Path
    home: Path

    def lines(self) -> str:
        """The shipped file, as it is but for where the program and its configuration are."""
        text = SHIPPED.read_text()
        program = self.folder / "detak-collector"
        program.write_text(PROGRAM.format(python=sys.executable, folder=self.folder))
        program.chmod(0o755)
        text = LINE.sub(r"@reboot root \2", text)
        text = text.replace("/usr/bin/detak-collector", str(program))
        return text.replace("/etc/detak/collector.toml", str(self.home / "collector.toml"))

    def run(self) -> list[int]:
        """A life of cron, until every line has ended; with which exit codes."""
        for name in ("cron.d", "mailed"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "cron.d" / "detak-collector").write_text(self.lines())
        (self.folder / "ended").write_text("")
        sendmail = self.folder / "sendmail"
        sendmail.write_text(SENDMAIL.format(folder=self.folder / "mailed"))
        sendmail.chmod(0o755)
        environment = {"T": str(self.folder), "CRON": program_path("cron"), "PATH": os.environ["PATH"]}
        cron = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", FOLDERS],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            until = time.monotonic() + PATIENCE_S
            while len(codes := (self.folder / "ended").read_text().split()) < len(PERIODS):
                assert cron.poll() is None, cron.stdout.read().decode() if cron.stdout else ""
                assert time.monotonic() < until, f"ended: {codes}, cron mailed: {self.mailed()}"
                time.sleep(0.05)
            # Cron passes on what a line said once it has ended.
            time.sleep(0.5)
        finally:
            cron.kill()
            cron.communicate()
        return sorted(map(int, codes))

    def mailed(self) -> list[str]:
        """What cron has mailed to whoever looks after the machine."""
        return [one.read_text() for one in (self.folder / "mailed").iterdir()]


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    certificate = self_signed(program_path("openssl"), tmp_path / "tls", "127.0.0.1")
    with mail_server(certificate=certificate, password="rahasia") as one:
        yield one


@pytest.fixture
def cron(tmp_path: Path, inbox: Inbox) -> Cron:
    home, folder = tmp_path / "detak", tmp_path / "cron"
    folder.mkdir()
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    (home / "password").write_text("rahasia\n")
    (home / "password").chmod(0o600)
    with (home / "collector.toml").open("a") as file:
        file.write(
            f'\n[mail]\nserver = "127.0.0.1:{inbox.port}"\nca_file = "{tmp_path}/tls/ca.pem"\ntimeout_ms = 2000\n'
            'user = "detak"\npassword_file = "password"\nsender = "Detak <detak@example.go.id>"\n'
        )
        for kind in PERIODS.values():
            file.write(f'[[mail.recipient]]\naddress = "{kind}@example.go.id"\nsummaries = ["{kind}"]\n')
    fill(home / "state", {"web": [(60, 68)], "api": []}, 400)
    return Cron(folder, home)


def test_each_shipped_line_has_a_time_of_its_own_and_names_its_period() -> None:
    lines = LINE.findall(SHIPPED.read_text())
    assert [period for _, _, period in lines] == list(PERIODS)
    assert len({when for when, _, _ in lines}) == len(PERIODS)


def test_cron_sends_every_summary_once_and_has_nothing_to_say(cron: Cron, inbox: Inbox) -> None:
    assert (cron.run(), cron.mailed()) == ([0, 0, 0, 0], [])
    assert inbox.recipients == sorted(f"{kind}@example.go.id" for kind in PERIODS.values())
    assert inbox.encrypted == [True] * 4
    assert (cron.run(), cron.mailed()) == ([0, 0, 0, 0], [])
    assert len(inbox.taken) == 4


def test_cron_mails_what_went_wrong_in_plain_words(cron: Cron, inbox: Inbox) -> None:
    inbox.faults["RCPT"] = lambda said: "550 5.1.1 no such user" if "weekly" in said else None
    # All four lines run at once here, and each sends whatever waits: another one may have tried it and tells it too.
    codes, told = cron.run(), cron.mailed()
    assert 1 <= len(told) == codes.count(1)
    for one in told:
        assert re.search(r"\d{4}-W\d\d to weekly@example.go.id: not sent .*550 5.1.1 no such user", one)
        assert "Traceback" not in one
