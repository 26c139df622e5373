"""The HTML of a mail: tables and inline styles, since mail programs know little more, and nothing is fetched.

Whatever a person or a check said is escaped by the template's engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detak_collector.mail.content import Summary
from detak_collector.mail.notice import Notice


@dataclass(frozen=True, slots=True)
class Tone:
    """The colours of a verdict; the words beside them always say the same."""

    back: str
    edge: str
    text: str


TONES = {
    "met": Tone("#e8f3f0", "#1f6f5c", "#17594a"),
    "missed": Tone("#faece8", "#b23a1e", "#96300f"),
    "none": Tone("#eef1f4", "#5b6875", "#1b2733"),
}


def html(mail: Summary, key: str) -> str:
    """The whole summary; its pictures are those of the same message, whose content ids end with `key`."""
    return _filled("summary.html", mail, key=key, tone=TONES[mail.tone], preview=mail.sentence)


def notice_html(mail: Notice) -> str:
    """The whole of a mail that says that something waits."""
    return _filled("notice.html", mail, preview=mail.sentence)


def _filled(template: str, mail: Summary | Notice, **more: str | Tone) -> str:
    told = {"mail": mail, "lang": mail.language.code, "subject": mail.subject, **more}
    return _environment().get_template(template).render(told)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
