"""Sends by apprise: mail, Telegram, Slack, Teams, gateways of messengers and the rest. It is loaded when it is used."""

from __future__ import annotations

import importlib
import logging

from detak_collector.notify.wording import Text

MISSING = "the library apprise is not installed: install detak-collector[notify]"


def send_by_apprise(url: str, text: Text) -> str:
    """Why it was not taken, empty where it was. The URL is a secret, and is not told."""
    try:
        apprise = importlib.import_module("apprise")
    except ImportError:
        return MISSING
    # What it logs may hold the URL.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    way = apprise.Apprise()
    if not way.add(url):
        return "the file's line is no URL that apprise knows"
    return "" if way.notify(title=text.title, body=text.body) else "apprise could not deliver it"
