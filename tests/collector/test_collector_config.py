from pathlib import Path

import pytest

from detak_collector.config import ConfigurationError, as_far_as_right, load

SHIPPED = Path(__file__).parents[2] / "config" / "collector.toml"
MALFORMED = "listen: expected ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080"
PLAIN = (
    "listen: plain HTTP beyond this machine is refused: "
    "add [tls], or allow_plaintext = true if a proxy in front speaks TLS"
)
BARE = 'state_directory = "state"\n'


def faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "collector.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    return refused.value.faults


def test_the_shipped_configuration_is_good_and_stays_on_this_machine() -> None:
    config = load(SHIPPED)
    assert (config.host, config.port, config.url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert (config.down_after_ms, config.drift_ppm) == (15_000, 100)


def test_paths_are_meant_from_the_file_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    (tmp_path / "collector.toml").write_text(BARE)
    config = load(tmp_path / "collector.toml")
    assert (config.state_directory, config.services) == (tmp_path / "state", tmp_path / "services.toml")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("lisen = 1", "lisen: no such key, did you mean listen?"),
        ("listen = 8080", "listen: expected a text (got 8080)"),
        ('listen = "8080"', f'{MALFORMED} (got "8080")'),
        ('listen = "127.0.0.1:99999"', f'{MALFORMED} (got "127.0.0.1:99999")'),
        ('listen = "0.0.0.0:8080"', f'{PLAIN} (got "0.0.0.0:8080")'),
        ("down_after_ms = 1", "down_after_ms: expected a whole number >= 1000 (got 1)"),
        ('references = "fw-01"', 'references: expected a list of texts (got "fw-01")'),
        ("references = [1]", "references: expected a text (got [1])"),
        ("drift_ppm = true", "drift_ppm: expected a whole number (got true)"),
        ("allow_plaintext = 1", "allow_plaintext: expected true or false (got 1)"),
        ('public_url = "detak"', 'public_url: expected a URL beginning with https:// or http:// (got "detak")'),
        ("tls = 1", "tls: expected a table (got 1)"),
        ('[tls]\ncertificate = "c"', "tls.key: is missing"),
        ('[tls]\ncertificate = "c"\nkey = "k"\nca = "x"', "tls.ca: no such key; known are authority, certificate, key"),
        ("syslog = 1", "syslog: expected a table (got 1)"),
        ("[syslog]", "syslog.address: is missing"),
        (
            '[syslog]\naddress = "siem"',
            ("syslog.address: expected udp://, tcp:// or tls:// and HOST:PORT such as tls://siem.example.go.id:6514 "
            '(got "siem")'),
        ),
        (
            '[syslog]\naddress = "udp://siem"\nfacility = "mail"',
            ("syslog.facility: expected one of user, daemon, auth, authpriv, audit, local0, local1, local2, local3, "
            'local4, local5, local6, local7 (got "mail")'),
        ),
        (
            '[syslog]\naddress = "udp://siem"\nca_file = "ca.pem"',
            'syslog.ca_file: only with an address that begins with tls:// (got "ca.pem")',
        ),
        ('[syslog]\naddress = "tls://siem"\nca_file = "ca.pem"', 'syslog.ca_file: no such file (got "ca.pem")'),
        (
            '[syslog]\naddress = "tls://siem"\ncertificate = "c.pem"',
            "syslog.key: is missing; certificate and key come together",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_with_its_place_reason_and_value(tmp_path: Path, line: str, fault: str) -> None:
    assert faults(tmp_path, BARE + line) == [f"collector.toml: {fault}"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, 'listen = 1\ndrift_ppm = 0\nunknown = "x"\n[tls]\n')
    assert [fault.split(": ")[1] for fault in told] == [
        "listen", "drift_ppm", "unknown", "tls.certificate", "tls.key", "state_directory",
    ]  # fmt: skip


def test_files_of_tls_must_be_there(tmp_path: Path) -> None:
    told = faults(tmp_path, BARE + 'listen = "0.0.0.0:443"\n[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    assert told == [
        'collector.toml: tls.certificate: no such file (got "c.pem")',
        'collector.toml: tls.key: no such file (got "k.pem")',
    ]


@pytest.mark.parametrize("address", ["127.0.0.9:80", "[::1]:80", "localhost:80"])
def test_loopback_needs_no_tls(tmp_path: Path, address: str) -> None:
    (tmp_path / "collector.toml").write_text(f'{BARE}listen = "{address}"\n')
    assert load(tmp_path / "collector.toml").url == f"http://{address}"


def test_plaintext_beyond_this_machine_can_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "collector.toml").write_text(f'{BARE}listen = "0.0.0.0:80"\nallow_plaintext = true\n')
    assert load(tmp_path / "collector.toml").host == "0.0.0.0"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"listen = \n", "not TOML"), (b"\xff", "is not UTF-8 text"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "collector.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason):
        load(path)


def test_only_where_there_is_no_file_init_is_said_to_write_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "collector.toml"
    with pytest.raises(ConfigurationError, match="write one with `detak-collector init`"):
        load(path)
    path.mkdir()
    with pytest.raises(ConfigurationError, match="Is a directory"):
        load(path)
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    assert "init" not in str(refused.value)

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(ConfigurationError, match="Permission denied: run this as the user of the collector"):
        load(path)


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ("down_after_ms = 5\n", "down_after_ms"),
        ('listen = "nowhere"\n', "host"),
        ('[tls]\ncertificate = "a"\nkey = 5\n', "tls"),
        ('[syslog]\naddress = "x"\n', "syslog"),
        ('follow = "x"\nfolow = 1\n', "follow"),
    ],
)
def test_of_a_wrong_configuration_the_rest_is_told(tmp_path: Path, more: str, left: str) -> None:
    path = tmp_path / "collector.toml"
    path.write_text(BARE + more)
    config, found = as_far_as_right(path)
    assert found
    assert config is not None
    path.write_text(BARE)
    assert getattr(config, left) == getattr(load(path), left)


def test_of_one_that_names_no_folder_nothing_is(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    for content in ("listen = \n", "state_directory = 5\n"):
        path.write_text(content)
        assert as_far_as_right(path)[0] is None
