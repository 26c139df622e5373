"""`[[notify]]` in collector.toml, and the commands that try it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from detak_collector.cli import group
from detak_collector.config import ConfigurationError, load
from notified import SECRET, receiver


def write(folder: Path, *tables: str) -> Path:
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o640)
    path = folder / "collector.toml"
    path.write_text('state_directory = "state"\n' + "".join(f"[[notify]]\n{one}\n" for one in tables))
    (folder / "services.toml").write_text(
        'organisation = "DJBC"\ntimezone = "Asia/Jakarta"\n[[service]]\nid = "impor"\nname = "CEISA Impor"\n'
        'criticality = "kritis"\n[[service.group]]\nname = "db"\ncategory = "database"\nmembers = ["db-01/pg"]\n'
    )
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        load(path)
    return error.value.faults


HOOK = 'name = "noc"\nwebhook = "https://noc.example.go.id/detak"\nsecret_file = "secret"'


def test_what_is_written_is_what_is_meant(tmp_path: Path) -> None:
    [target] = load(write(tmp_path, f'{HOOK}\nlanguage = "id"\nservices = ["impor"]\nafter_seconds = 60')).notify
    assert (target.name, target.url, target.language) == ("noc", "https://noc.example.go.id/detak", "id")
    assert (target.choice.after_ms, target.choice.gather_ms) == (60_000, 10_000)
    assert target.choice.services == frozenset({"impor"})


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('name = "noc"', "notify[0]: expected one of webhook, alertmanager and apprise_file: how is noc reached?"),
        (
            'name = "n o c"\nalertmanager = "http://localhost:9093"',
            'notify[0].name: expected letters, digits, dots and dashes such as noc (got "n o c")',
        ),
        (
            'name = "noc"\nwebhook = "https://x/"',
            "notify[0].secret_file: is missing: the receiver proves with it that a message comes from here",
        ),
        (
            'name = "noc"\nwebhook = "ftp://x/"\nsecret_file = "secret"',
            'notify[0].webhook: expected a URL beginning with https:// or http:// (got "ftp://x/")',
        ),
        (
            'name = "noc"\nalertmanager = "http://example.go.id:9093"',
            (
                "notify[0].alertmanager: messages would travel readable to another machine: use https://, or say "
                'allow_plaintext = true (got "http://example.go.id:9093")'
            ),
        ),
        (f'{HOOK}\nlanguage = "nl"', 'notify[0].language: expected one of en, id (got "nl")'),
        (f"{HOOK}\nafter_second = 1", "notify[0].after_second: no such key, did you mean after_seconds?"),
        (f"{HOOK}\nservices = []", "notify[0].services: expected at least one service; leave it out for all"),
        (
            'name = "noc"\napprise_file = "nowhere"',
            'notify[0].apprise_file: no such file (got "nowhere")',
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, table: str, fault: str) -> None:
    assert faults(write(tmp_path, table)) == [f"collector.toml: {fault}"]


def test_without_apprise_a_target_that_needs_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    path = write(tmp_path, 'name = "chat"\napprise_file = "secret"')
    assert faults(path) == [
        "collector.toml: notify[0].apprise_file: needs the library apprise: install detak-collector[notify]"
    ]


def test_two_targets_of_one_name_are_refused(tmp_path: Path) -> None:
    assert faults(write(tmp_path, HOOK, HOOK)) == [
        f'collector.toml: notify[{at}].name: each name may be used once (got "noc")' for at in (0, 1)
    ]


def test_a_secret_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, HOOK)
    (tmp_path / "secret").chmod(0o644)
    assert "everybody can read it" in faults(path)[0]


def said(path: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(group, ["--config", str(path), "notify", *words], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value or 0, done.output


def test_a_test_message_says_of_each_target_whether_it_took_it(tmp_path: Path) -> None:
    with receiver() as hook:
        noc = f'name = "noc"\nwebhook = "{hook.url}"\nsecret_file = "secret"'
        path = write(tmp_path, noc, noc.replace('"noc"', '"further"'))
        assert said(path, "test") == (0, "noc: taken\nfurther: taken\n")
        assert (hook.events(), hook.wrong) == (["test", "test"], [])
        hook.refuses = 401
        assert said(path, "test", "further") == (1, "further: status 401\n")


def test_an_unknown_target_and_none_at_all_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"collector\.toml has noc"):
        said(write(tmp_path, HOOK), "test", "nobody")
    with pytest.raises(Exception, match="nobody is told"):
        said(write(tmp_path), "test")
