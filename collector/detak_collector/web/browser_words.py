"""A browser in a few words, so that somebody knows his own sessions apart. What it says of itself is not kept."""

from __future__ import annotations

BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_words(user_agent: str) -> str:
    """Such as `Firefox, Windows`; empty where it is none that is known."""
    found = (next((name for sign, name in known if sign in user_agent[:500]), "") for known in (BROWSERS, SYSTEMS))
    return ", ".join(name for name in found if name)
