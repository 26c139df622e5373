"""agent.toml and agent.d: what they may say, and every error at once. It decides only whether the files are right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from detak_agent.authorities import MOST_KEYS
from detak_agent.checks.base import CheckSettings, Kind
from detak_agent.config_pieces import Entry, Piece, Table, entries, piece_of, read_pieces
from detak_agent.failures import ConfigurationError
from detak_agent.fingerprints import AUTHORITY_KEY_RULE, FINGERPRINT_RULE, normal_fingerprint
from detak_agent.journal import DEFAULT_MAX_BYTES
from detak_agent.proxies import is_loopback
from detak_agent.runner import Check
from detak_agent.settings_reading import Errors, fields_of, joined, read_table
from detak_agent.spans import ALIVE
from detak_wire import limits

_NAME = re.compile(limits.NAME_PATTERN)
_SHORTEST_MS = 100
_LONGEST_MS = 3_600_000
_SHORTEST_METRICS_MS = 10_000
_MOST_TRIES = 10
_MOST_CONFIRM = 100
_LISTS = ("collector", "check")

Pace = Annotated[int, Meta(ge=_SHORTEST_MS, le=_LONGEST_MS)]


class CollectorSettings(Struct, frozen=True, kw_only=True):
    """One `[[collector]]`. Without `key_file` the key lies in the state directory, where `enroll` puts it.

    A `key_file` without a slash is a systemd credential. Fingerprints are in their normal form: `fingerprint` of the
    collector's certificate, `ca_keys` of the keys of one or two authorities. `renew_days` = 0: never.
    """

    url: str
    ca_file: str | None = None
    fingerprint: str | None = None
    ca_keys: list[str] = []
    key_file: str | None = None
    renew_days: Annotated[int, Meta(ge=0, le=3_650)] = 30


class _File(Struct, frozen=True, kw_only=True):
    """The top level of the files; the tables are read one by one, so that each error has its path."""

    node: str = ""
    state_directory: str = "/var/lib/detak-agent"
    tick_ms: Pace = 1_000
    beat_ms: Pace = 5_000
    metrics_ms: int = 60_000
    allow_plaintext: bool = False
    journal_max_bytes: Annotated[int, Meta(ge=1024 * 1024)] = DEFAULT_MAX_BYTES
    collector: list[dict[str, Any]] = []
    check: list[dict[str, Any]] = []


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """A configuration that has been found right, and the names of the files that it was read from."""

    node: str
    state_directory: Path
    tick_ms: int
    beat_ms: int
    metrics_ms: int
    journal_max_bytes: int
    collectors: tuple[CollectorSettings, ...]
    checks: tuple[Check, ...]
    files: tuple[str, ...] = ()


def load(path: Path, registry: Mapping[str, Kind]) -> AgentConfig:
    """The configuration in this file and its folder; raises ConfigurationError with every error that they have."""
    return _composed(read_pieces(path), registry)


def parse(text: str, registry: Mapping[str, Kind], file_name: str = "agent.toml") -> AgentConfig:
    """The configuration in this text; raises ConfigurationError."""
    return _composed([piece_of(text, file_name)], registry)


def _composed(pieces: Sequence[Piece], registry: Mapping[str, Kind]) -> AgentConfig:
    """Lists of tables are joined, file after file; every other key may stand in one of the files only."""
    errors = Errors(pieces[0].name)
    top, said_in = _top(pieces, errors)
    collectors = _collectors(entries(pieces, "collector", errors), top.get("allow_plaintext") is True)
    checks = _checks(entries(pieces, "check", errors), registry)
    for key, reason, value in _flaws(top):
        errors.of(said_in.get(key, pieces[0].name)).add_value(key, reason, value)
    if len(checks) > limits.CHECKS:
        errors.add("check", f"more than {limits.CHECKS} checks on one node")
    if errors.lines:
        raise ConfigurationError(errors.lines)
    file = _File(**top)
    return AgentConfig(
        node=file.node,
        state_directory=Path(file.state_directory),
        tick_ms=file.tick_ms,
        beat_ms=file.beat_ms,
        metrics_ms=file.metrics_ms,
        journal_max_bytes=file.journal_max_bytes,
        collectors=tuple(collectors),
        checks=tuple(checks),
        files=tuple(piece.name for piece in pieces),
    )


def _top(pieces: Sequence[Piece], errors: Errors) -> tuple[dict[str, Any], dict[str, str]]:
    """The single keys of all files, of the right types, and which file says each."""
    top: dict[str, Any] = {}
    said_in: dict[str, str] = {}
    for piece in pieces:
        read_table(_File, piece.table, "", errors.of(piece.name))
        for key, value in piece.table.items():
            if key in _LISTS:
                continue
            if key in top:
                errors.of(piece.name).add_value(key, f"{said_in[key]} says it already; leave it in one of them", value)
            else:
                top[key], said_in[key] = value, piece.name
    if "node" not in top:
        errors.add("node", "missing")
    if not any("collector" in piece.table for piece in pieces):
        errors.add("collector", "at least one [[collector]] with its url is needed")
    return top, said_in


def _flaws(top: Table) -> Iterable[tuple[str, str, object]]:
    """The keys whose values are of the right type and wrong nevertheless."""
    node = top.get("node")
    if isinstance(node, str) and not _NAME.fullmatch(node):
        yield "node", _NAME_RULE, node
    tick_ms, beat_ms = top.get("tick_ms", 1_000), top.get("beat_ms", 5_000)
    if isinstance(tick_ms, int) and isinstance(beat_ms, int) and beat_ms < tick_ms:
        yield "beat_ms", f"may not be less than tick_ms = {tick_ms}", beat_ms
    metrics_ms = top.get("metrics_ms")
    if isinstance(metrics_ms, int) and metrics_ms and not _SHORTEST_METRICS_MS <= metrics_ms <= _LONGEST_MS:
        yield "metrics_ms", f"must be 0 or lie between {_SHORTEST_METRICS_MS} and {_LONGEST_MS}", metrics_ms


def _collectors(found: Iterable[Entry], allow_plaintext: bool) -> list[CollectorSettings]:  # noqa: FBT001
    collectors: list[CollectorSettings] = []
    for entry in found:
        settings = read_table(CollectorSettings, entry.table, entry.path, entry.errors)
        if settings is None:
            continue
        problem = url_problem(settings.url, allow_plaintext=allow_plaintext)
        if problem is not None:
            entry.errors.add_value(joined(entry.path, "url"), problem, settings.url)
        elif any(settings.url.rstrip("/") == other.url for other in collectors):
            entry.errors.add_value(joined(entry.path, "url"), "this collector is there twice", settings.url)
        elif _is_identified(settings, entry.path, entry.errors):
            collectors.append(_normal(settings))
    return collectors


def _normal(settings: CollectorSettings) -> CollectorSettings:
    """With the fingerprints, which are good, as programs compare them."""
    pins = [normal_fingerprint(one) or "" for one in (settings.fingerprint or "", *settings.ca_keys)]
    url = settings.url.rstrip("/")
    return msgspec.structs.replace(settings, url=url, fingerprint=pins[0] or None, ca_keys=pins[1:])


def _is_identified(settings: CollectorSettings, path: str, errors: Errors) -> bool:
    """Whether it is plain how the two prove to each other who they are."""
    found = len(errors.lines)
    written = {
        "fingerprint": [] if settings.fingerprint is None else [settings.fingerprint],
        "ca_keys": settings.ca_keys,
    }
    for key, fingerprints in written.items():
        rule = FINGERPRINT_RULE if key == "fingerprint" else f"each {AUTHORITY_KEY_RULE}"
        if any(normal_fingerprint(one) is None for one in fingerprints):
            errors.add_value(joined(path, key), rule, getattr(settings, key))
            continue
        problem = _pin_problem(key, fingerprints, settings)
        if problem is not None:
            errors.add(joined(path, key), problem)
    if settings.key_file == "":
        errors.add(joined(path, "key_file"), "must be a path, or the name of a systemd credential")
    return len(errors.lines) == found


def _pin_problem(key: str, fingerprints: list[str], settings: CollectorSettings) -> str | None:
    if len(fingerprints) > MOST_KEYS:
        return f"at most {MOST_KEYS}: the present authority's, and the next one's during a roll-over"
    if fingerprints and settings.ca_file is not None:
        return "may not stand beside ca_file: which of them counts?"
    if fingerprints and key == "ca_keys" and settings.fingerprint is not None:
        return "may not stand beside fingerprint: which of them counts?"
    if fingerprints and settings.url.startswith("http:"):
        return "plain HTTP has no certificate; use https"
    return None


def url_problem(url: str, *, allow_plaintext: bool) -> str | None:
    """Why this cannot be the address of a collector."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not a URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "must be a URL such as https://detak.example.go.id"
    if parts.query or parts.fragment or parts.username is not None:
        return "must have no user, query or fragment"
    if parts.scheme == "http" and not allow_plaintext and not is_loopback(host):
        return "plain HTTP beyond this machine is refused; use https, or set allow_plaintext = true"
    return None


_NAME_RULE = "must be 1 to 64 lower case letters, digits, '.', '_' or '-', with a letter or digit at both ends"


def _checks(found: Iterable[Entry], registry: Mapping[str, Kind]) -> list[Check]:
    checks: list[Check] = []
    names: dict[str, Entry] = {}
    for entry in found:
        table, path, errors = entry.table, entry.path, entry.errors
        _check_name(table.get("name"), entry, names)
        kind = registry.get(table["kind"]) if isinstance(table.get("kind"), str) else None
        if kind is None:
            _add_unknown_kind(table, path, registry, errors)
            continue
        settings = read_table(kind.settings, _with_timeout(table, kind), path, errors)
        if settings is not None:
            _check_settings(settings, kind, path, errors)
            checks.append(Check(settings, kind))
    return checks


def _check_name(name: object, entry: Entry, names: dict[str, Entry]) -> None:
    if not isinstance(name, str):
        return
    where = joined(entry.path, "name")
    if not _NAME.fullmatch(name):
        entry.errors.add_value(where, _NAME_RULE, name)
    elif name == ALIVE:
        entry.errors.add_value(where, "reserved: every node has this check by itself", name)
    elif name in names:
        entry.errors.add_value(where, f"{names[name].seen_from(entry)} has this name already", name)
    names.setdefault(name, entry)


def _add_unknown_kind(table: Table, path: str, registry: Mapping[str, Kind], errors: Errors) -> None:
    where = joined(path, "kind")
    if "kind" in table:
        errors.add_value(where, f"unknown kind; known are {', '.join(sorted(registry))}", table["kind"])
    else:
        errors.add(where, "missing")


def _with_timeout(table: Table, kind: Kind) -> Table:
    """A short interval brings the default time-out down with it, so that only a written one can be too long."""
    interval_ms = table.get("interval_ms")
    if "timeout_ms" in table or not isinstance(interval_ms, int):
        return table
    default = fields_of(kind.settings)["timeout_ms"].default
    return {**table, "timeout_ms": min(default, interval_ms * 4 // 5)}


def _check_settings(settings: CheckSettings, kind: Kind, path: str, errors: Errors) -> None:
    bounds = (
        ("interval_ms", settings.interval_ms, _SHORTEST_MS, _LONGEST_MS),
        ("timeout_ms", settings.timeout_ms, 1, _LONGEST_MS),
        ("confirm", settings.confirm, 1, _MOST_CONFIRM),
        ("tries", settings.tries, 1, _MOST_TRIES),
    )
    for key, value, least, most in bounds:
        if not least <= value <= most:
            errors.add_value(joined(path, key), f"must lie between {least} and {most}", value)
    if settings.timeout_ms > settings.interval_ms:
        errors.add_value(
            joined(path, "timeout_ms"), f"may not exceed interval_ms = {settings.interval_ms}", settings.timeout_ms
        )
    for key, reason in kind.problems(settings):
        errors.add_value(joined(path, key), reason, getattr(settings, key, None))
