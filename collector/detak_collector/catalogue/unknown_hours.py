"""Why hours are not known, as a sentence that can be said in each language: the engine itself speaks none."""

from __future__ import annotations

from collections.abc import Sequence

from detak_collector.downtime.calendars import UNKNOWN, Unknown
from detak_collector.translation.language import Language
from detak_collector.translation.saying import Saying, saying


def unknown_hours_words(one: Unknown) -> Saying:
    """What is wrong, where, and the command that mends it."""
    return saying(UNKNOWN, **one.named)


def all_told(unknown: Sequence[Unknown], language: Language) -> str:
    """All of it in that language, a line each."""
    return "\n".join(language.told(unknown_hours_words(one)) for one in unknown)
