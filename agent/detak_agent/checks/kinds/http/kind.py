"""The check kind `http`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from detak_agent.checks.addresses import endpoint, is_remote
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.kinds.http.address import NoWebAddressError, web_address
from detak_agent.checks.loading import LoadedProbe

if TYPE_CHECKING:
    from detak_agent.checks.kinds.http.client import HttpClient

_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SET_BY_THE_AGENT = frozenset({"content-length", "transfer-encoding"})


class HttpSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `http`."""

    url: Annotated[str, Meta(min_length=1, max_length=2_000)]
    method: Literal["GET", "HEAD", "POST"] = "GET"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str = ""
    status: tuple[int | str, ...] = ("200-399",)
    body_contains: str = ""
    body_pattern: Annotated[str, Meta(max_length=500)] = ""
    follow_redirects: bool = True
    verify_tls: bool = True
    ca_file: str = ""
    expiry_warning_days: Annotated[int, Meta(ge=0, le=400)] = 14
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None


def target(settings: HttpSettings) -> str:
    """The address without what may be secret: no credentials, and of a query only that there is one."""
    return f"{settings.method} {redacted(urlsplit(settings.url))}"


def redacted(url: SplitResult) -> str:
    """The URL as people may see it."""
    where = endpoint(url.hostname or "", url.port) if url.port else (url.hostname or "")
    return f"{url.scheme}://{where}{url.path or '/'}{'?…' if url.query else ''}"


def remote(settings: HttpSettings) -> bool:
    """As the settings say, else by the address."""
    return is_remote(urlsplit(settings.url).hostname or "") if settings.remote is None else settings.remote


def status_ranges(status: tuple[int | str, ...]) -> list[tuple[int, int]]:
    """`200`, `"2xx"` and `"200-399"` as inclusive ranges; ValueError says which one is none of these."""
    found = []
    for one in status:
        match = _STATUS.fullmatch(str(one))
        if match is None:
            raise ValueError(f'{one!r} is no status: write 200, "2xx" or "200-399"')
        hundreds, first, last = match.groups()
        low, high = (int(f"{hundreds}00"), int(f"{hundreds}99")) if hundreds else (int(first), int(last or first))
        if low > high:
            raise ValueError(f"{one!r} runs backwards")
        found.append((low, high))
    return found


def problems(settings: HttpSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    return [*_of_url(settings), *_of_request(settings), *_of_answer(settings)]


def _of_url(settings: HttpSettings) -> list[tuple[str, str]]:
    if _UNSAFE.search(settings.url):
        return [("url", "holds a space or a control character; write it as %20")]
    try:
        address = web_address(settings.url)
    except NoWebAddressError as error:
        return [("url", str(error))]
    found = []
    if settings.ca_file and not address.is_secure:
        found.append(("ca_file", "has no effect on http://"))
    if address.authorization and any(name.lower() == "authorization" for name in settings.headers):
        found.append(("headers", "'Authorization' and `user:password@` in url sign in twice: leave one out"))
    return found


def _of_request(settings: HttpSettings) -> list[tuple[str, str]]:
    found = []
    if settings.body and settings.method != "POST":
        found.append(("body", "is sent with method POST only"))
    if settings.ca_file and not settings.verify_tls:
        found.append(("ca_file", "has no effect with verify_tls = false"))
    for name, value in settings.headers.items():
        if not _HEADER_NAME.fullmatch(name) or _NOT_IN_A_HEADER.search(value):
            found.append(("headers", f"{name!r} is no header, or its value has a line break or control character"))
        elif name.lower() in _SET_BY_THE_AGENT:
            found.append(("headers", f"{name!r} is set by the agent, from the body"))
    return found


def _of_answer(settings: HttpSettings) -> list[tuple[str, str]]:
    found = []
    try:
        if not status_ranges(settings.status):
            found.append(("status", "must name at least one status"))
    except ValueError as error:
        found.append(("status", str(error)))
    try:
        re.compile(settings.body_pattern)
    except re.error as error:
        found.append(("body_pattern", f"is no regular expression: {error}"))
    sought = [key for key in ("body_contains", "body_pattern") if getattr(settings, key)]
    if settings.method == "HEAD":
        found += [(key, "cannot be found: an answer to HEAD has no body") for key in sought]
    if settings.slow_ms is not None and settings.slow_ms >= settings.timeout_ms:
        found.append(("slow_ms", "must be less than timeout_ms, which makes the check down"))
    return found


def build(settings: HttpSettings, _surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> HttpClient:
        from detak_agent.checks.kinds.http.client import HttpClient  # noqa: PLC0415 - for such checks only

        return HttpClient(settings)

    return LoadedProbe(load)


KIND = Kind(
    name="http",
    summary="A web server answers with the right status and content, quickly, and with a certificate that stays valid",
    settings=HttpSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
