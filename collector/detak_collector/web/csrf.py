"""Tokens that a form must bring back: made of two cookies, one of which another site can neither read nor set."""

from __future__ import annotations

import hashlib
import hmac
import secrets

FIELD = "token"


def fresh() -> str:
    """256 random bits for the cookie that forms are bound to."""
    return secrets.token_urlsafe(32)


def token(form_cookie: str, session_cookie: str) -> str:
    """What a form brings back: good for this browser, and for this sign-in only."""
    return hmac.new(form_cookie.encode(), session_cookie.encode(), hashlib.sha256).hexdigest()


def is_good(brought: str, form_cookie: str, session_cookie: str) -> bool:
    """Whether a form was made for this browser and sign-in."""
    if not form_cookie:
        return False
    return hmac.compare_digest(brought.encode("utf-8", "replace"), token(form_cookie, session_cookie).encode())
