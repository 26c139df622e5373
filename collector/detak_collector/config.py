"""collector.toml: read, checked as a whole, every fault named at once. It starts nothing and creates nothing."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from detak_collector.accounts.sign_in_file import TABLES as SIGN_IN_TABLES
from detak_collector.accounts.sign_in_file import SignInFile, SignInTerms, is_loopback, sign_in_faults, sign_in_terms
from detak_collector.closing.terms import USUAL, SealFile, SealTerms, seal_faults, seal_terms
from detak_collector.config_values import shown, table_faults, value_fault
from detak_collector.mail.file import TABLES as MAIL_TABLES
from detak_collector.mail.file import MailFile, MailTerms, mail_faults, mail_terms
from detak_collector.notify.targets import TABLES as NOTIFY_TABLES
from detak_collector.notify.targets import NotifyFile, Target, notify_faults, notify_targets
from detak_collector.operating.syslog_format import FACILITIES, Destination, address_of
from detak_collector.pair.ping_to import PingTo
from detak_collector.retention.terms import FOR_EVER, RetentionFile, RetentionTerms, retention_terms
from detak_collector.store.place import StorePlace, store_faults

DownAfter = Annotated[int, Meta(ge=1_000, le=3_600_000)]
Drift = Annotated[int, Meta(ge=1, le=10_000)]
Every = Annotated[int, Meta(ge=1_000, le=3_600_000)]
Enterprise = Annotated[int, Meta(ge=1, le=4_294_967_295)]


class ConfigurationError(Exception):
    """A configuration that is refused; `faults` holds one line for each thing that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class TlsFile(Struct, frozen=True):
    """The table `[tls]`: PEM files, read again when they change. `authority`: the folder of an own one, by `init`."""

    certificate: str
    key: str
    authority: str | None = None


class SyslogFile(Struct, frozen=True):
    """The table `[syslog]`: where outages, the audit trail and a sign of life each minute are sent."""

    address: str
    facility: str = "daemon"
    enterprise: Enterprise = 32473
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None


class PingFile(Struct, frozen=True):
    """The table `[ping]`: a URL that is told every so often that this collector is well."""

    url: str
    every_ms: Every = 60_000


TABLES: dict[str, type[Struct]] = {
    "tls": TlsFile, "syslog": SyslogFile, "ping": PingFile, "seal": SealFile, "retention": RetentionFile,
    **SIGN_IN_TABLES, **MAIL_TABLES,
    **NOTIFY_TABLES,
}  # fmt: skip


class CollectorFile(Struct, frozen=True):
    """The keys of collector.toml with their defaults. Relative paths are meant from the file's own directory."""

    state_directory: str
    listen: str = "127.0.0.1:8080"
    public_url: str | None = None
    store: str | None = None
    store_password_file: str | None = None
    services: str = "services.toml"
    down_after_ms: DownAfter = 15_000
    drift_ppm: Drift = 100
    references: list[str] = []
    allow_plaintext: bool = False
    tls: TlsFile | None = None
    syslog: SyslogFile | None = None
    follow: str | None = None
    ping: PingFile | None = None
    sign_in: SignInFile | None = None
    mail: MailFile | None = None
    seal: SealFile | None = None
    retention: RetentionFile | None = None
    notify: list[NotifyFile] = []


@dataclass(frozen=True, slots=True)
class Tls:
    """Where the certificate chain and its key are, and the folder of the own authority that signed it, if one did."""

    certificate: Path
    key: Path
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that has been found good."""

    host: str
    port: int
    url: str
    state_directory: Path
    store: StorePlace
    services: Path
    down_after_ms: int
    drift_ppm: int
    references: tuple[str, ...]
    tls: Tls | None
    syslog: Destination | None = None
    follow: str | None = None
    ping: PingTo | None = None
    allow_plaintext: bool = False
    sign_in: SignInTerms | None = None
    mail: MailTerms | None = None
    seal: SealTerms = USUAL
    retention: RetentionTerms = FOR_EVER
    notify: tuple[Target, ...] = ()


def load(path: Path) -> Config:
    """The configuration in `path`; raises ConfigurationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError([f"{path}: {error.strerror}: write one with `detak-collector init`"]) from error
    except PermissionError as error:
        told = f"{path}: {error.strerror}: run this as the user of the collector, or with sudo"
        raise ConfigurationError([told]) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ConfigurationError([f"{path}: {reason}"]) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{path}: not TOML: {error}"]) from error
    return parse(table, path)


def parse(table: Mapping[str, Any], path: Path) -> Config:
    """The configuration in a table that was read from `path`; raises ConfigurationError."""
    faults = list(table_faults(table, CollectorFile, TABLES))
    # What may stand in `listen` depends on [tls]: where a table is wrong, nothing more can be said.
    if not any(fault.startswith(tuple(TABLES)) for fault in faults):
        faults += _contradictions(_sound(table), path.parent)
    if faults:
        raise ConfigurationError([f"{path.name}: {fault}" for fault in faults])
    return _config(msgspec.convert(dict(table), CollectorFile), path.parent)


def as_far_as_right(path: Path) -> tuple[Config | None, list[str]]:
    """What can be told of a collector whose configuration is wrong, and every fault; None where it names no folder.

    A key that is wrong is left out, with all of its table; of [tls] only files may be missing.
    """
    try:
        return load(path), []
    except ConfigurationError as error:
        faults = error.faults
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None, faults
    wrong = {fault.removeprefix(f"{path.name}: ").partition(":")[0].partition(".")[0] for fault in faults}
    tls = table.get("tls")
    if isinstance(tls, dict) and not list(table_faults(tls, TlsFile, TABLES)):
        wrong.discard("tls")
    good = {name: value for name, value in table.items() if name not in wrong}
    if "state_directory" not in good:
        return None, faults
    return _config(msgspec.convert(good, CollectorFile), path.parent), faults


def _sound(table: Mapping[str, Any]) -> CollectorFile:
    """The values that are good by themselves, for the rest their defaults: what they contradict is told as well."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(CollectorFile) if field.name in table}
    good = {name: table[name] for name, kind in kinds.items() if not list(value_fault(name, table[name], kind))}
    return msgspec.convert({"state_directory": "", **good}, CollectorFile)


def _contradictions(file: CollectorFile, base: Path) -> Iterator[str]:
    address = _address(file.listen)
    if address is None:
        yield f"listen: expected ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080 (got {shown(file.listen)})"
    elif file.tls is None and not file.allow_plaintext and not is_loopback(address[0]):
        yield (
            f"listen: plain HTTP beyond this machine is refused: add [tls], or allow_plaintext = true "
            f"if a proxy in front speaks TLS (got {shown(file.listen)})"
        )
    if file.public_url is not None and not file.public_url.startswith(("http://", "https://")):
        yield f"public_url: expected a URL beginning with https:// or http:// (got {shown(file.public_url)})"
    yield from store_faults(file.store, file.store_password_file, allow_plaintext=file.allow_plaintext, base=base)
    if file.tls is not None:
        yield from _missing("tls", {"certificate": file.tls.certificate, "key": file.tls.key}, base)
        if file.tls.authority is not None and not (base / file.tls.authority / "authority.pem").is_file():
            yield f"tls.authority: no folder with an authority.pem (got {shown(file.tls.authority)})"
    if file.syslog is not None:
        yield from _syslog_faults(file.syslog, base)
    fault = None if file.follow is None else url_fault(file.follow, allow_plaintext=file.allow_plaintext)
    if fault is not None:
        yield f"follow: {fault}"
    if file.ping is not None and not file.ping.url.startswith(("http://", "https://")):
        yield f"ping.url: expected a URL beginning with https:// or http:// (got {shown(file.ping.url)})"
    yield from sign_in_faults(file.sign_in, _url(file), base)
    yield from seal_faults(file.seal, base)
    yield from mail_faults(file.mail, base, allow_plaintext=file.allow_plaintext)
    yield from notify_faults(file.notify, base, allow_plaintext=file.allow_plaintext)


def url_fault(url: str, *, allow_plaintext: bool) -> str | None:
    """Why another collector cannot be at this URL; None where it can."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        return f"expected a URL such as https://drc.example.go.id:8443 (got {shown(url)})"
    if parts.scheme == "http" and not allow_plaintext and not is_loopback(parts.hostname):
        return f"plain HTTP to another machine is refused: name it with https:// (got {shown(url)})"
    return None


def _missing(table: str, files: Mapping[str, str | None], base: Path) -> Iterator[str]:
    for name, value in files.items():
        if value is not None and not (base / value).is_file():
            yield f"{table}.{name}: no such file (got {shown(value)})"


def _syslog_faults(file: SyslogFile, base: Path) -> Iterator[str]:
    address = address_of(file.address)
    if address is None:
        yield (
            "syslog.address: expected udp://, tcp:// or tls:// and HOST:PORT such as tls://siem.example.go.id:6514 "
            f"(got {shown(file.address)})"
        )
    if file.facility not in FACILITIES:
        yield f"syslog.facility: expected one of {', '.join(FACILITIES)} (got {shown(file.facility)})"
    files = {"ca_file": file.ca_file, "certificate": file.certificate, "key": file.key}
    if address is not None and address[0] != "tls":
        for name in (name for name, value in files.items() if value is not None):
            yield f"syslog.{name}: only with an address that begins with tls:// (got {shown(files[name])})"
    elif (file.certificate is None) != (file.key is None):
        yield f"syslog.{'key' if file.key is None else 'certificate'}: is missing; certificate and key come together"
    else:
        yield from _missing("syslog", files, base)


def _address(listen: str) -> tuple[str, int] | None:
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            return None
    return (host, int(port)) if port.isdecimal() and port.isascii() and int(port) <= 65_535 else None


def _config(file: CollectorFile, base: Path) -> Config:
    address = _address(file.listen)
    if address is None:
        raise AssertionError(file.listen)
    return Config(
        host=address[0],
        port=address[1],
        url=_url(file),
        state_directory=base / file.state_directory,
        store=StorePlace(
            base / file.state_directory,
            file.store,
            None if file.store_password_file is None else base / file.store_password_file,
        ),
        services=base / file.services,
        down_after_ms=file.down_after_ms,
        drift_ppm=file.drift_ppm,
        references=tuple(file.references),
        tls=None if file.tls is None else _tls(file.tls, base),
        syslog=None if file.syslog is None else _destination(file.syslog, base),
        follow=None if file.follow is None else file.follow.rstrip("/"),
        ping=None if file.ping is None else PingTo(file.ping.url, file.ping.every_ms),
        allow_plaintext=file.allow_plaintext,
        sign_in=None if file.sign_in is None else sign_in_terms(file.sign_in, base),
        mail=None if file.mail is None else mail_terms(file.mail, base),
        seal=seal_terms(file.seal, base),
        retention=retention_terms(file.retention),
        notify=notify_targets(file.notify, base),
    )


def _url(file: CollectorFile) -> str:
    """How agents and people reach it."""
    scheme = "http" if file.tls is None else "https"
    return (file.public_url or f"{scheme}://{file.listen}").rstrip("/")


def _destination(file: SyslogFile, base: Path) -> Destination:
    address = address_of(file.address)
    if address is None:
        raise AssertionError(file.address)
    ca_file, certificate, key = (
        None if value is None else base / value for value in (file.ca_file, file.certificate, file.key)
    )
    return Destination(*address, FACILITIES[file.facility], file.enterprise, ca_file, certificate, key)


def _tls(file: TlsFile, base: Path) -> Tls:
    authority = None if file.authority is None else base / file.authority
    return Tls(base / file.certificate, base / file.key, authority)
