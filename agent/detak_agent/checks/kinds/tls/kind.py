"""The check kind `tls`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks.addresses import endpoint, is_remote
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.loading import LoadedProbe

if TYPE_CHECKING:
    from detak_agent.checks.kinds.tls.client import TlsClient


class TlsSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `tls`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 443
    server_name: Annotated[str, Meta(max_length=253)] = ""
    starttls: Literal["", "smtp", "imap", "pop3", "ftp", "ldap", "postgresql"] = ""
    verify_tls: bool = True
    ca_file: str = ""
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    certificate_file: str = ""
    key_file: str = ""
    expiry_warning_days: Annotated[int, Meta(ge=0, le=400)] = 14
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None


def target(settings: TlsSettings) -> str:
    """Where the handshake is made, and with which name if it is another than the host's."""
    where = endpoint(settings.host, settings.port)
    name = f" as {settings.server_name}" if settings.server_name not in {"", settings.host} else ""
    return f"{where}{name}{f' ({settings.starttls})' if settings.starttls else ''}"


def remote(settings: TlsSettings) -> bool:
    """As the settings say, else by the address."""
    return is_remote(settings.host) if settings.remote is None else settings.remote


def problems(settings: TlsSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = [
        (key, "must be a host name or an address, without port, brackets or spaces")
        for key, value in (("host", settings.host), ("server_name", settings.server_name))
        if any(character.isspace() or character in "/[]" for character in value)
    ]
    if settings.ca_file and not settings.verify_tls:
        found.append(("ca_file", "has no effect with verify_tls = false"))
    if settings.key_file and not settings.certificate_file:
        found.append(("key_file", "has no effect without certificate_file"))
    if settings.slow_ms is not None and settings.slow_ms >= settings.timeout_ms:
        found.append(("slow_ms", "must be less than timeout_ms, which makes the check down"))
    return found


def build(settings: TlsSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> TlsClient:
        from detak_agent.checks.kinds.tls.client import TlsClient  # noqa: PLC0415 - it imports ssl

        return TlsClient(settings)

    return LoadedProbe(load)


KIND = Kind(
    name="tls",
    summary="A server speaks TLS, at once or after STARTTLS, with a certificate that is trusted and stays valid",
    settings=TlsSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
