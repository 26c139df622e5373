"""What the JSON report says of what people wrote. The standard library alone: what checks a bundle uses it too."""

from __future__ import annotations

from typing import Any

from detak_collector.downtime.stories import Story
from detak_collector.report.numbers import iso_utc


def story_document(story: Story) -> dict[str, Any]:
    """Its cause, chronology, effect and follow-up, and who wrote it when."""
    return {
        "cause": story.cause,
        "effect": story.effect,
        "chronology": [{"at": iso_utc(one.at), "text": one.text} for one in story.chronology],
        "follow_up": [{"what": one.what, "who": one.who, "until": one.until or None} for one in story.follow_up],
        "told_by": story.told_by,
        "told_at": iso_utc(story.told_at),
        "version": story.version,
    }
