"""The second factor: six digits of RFC 6238 (SHA-1, 30 s), each good once. Pure but for making a secret."""

from __future__ import annotations

import hmac
import io

import pyotp
import segno

STEP_MS = 30_000
DIGITS = 6
ISSUER = "Detak"


def new_secret() -> str:
    """160 random bits, base32."""
    return pyotp.random_base32()


def matching_step(secret: str, typed: str, now_utc: int, last_step: int) -> int | None:
    """The time step whose code was typed, one step early or late at most, and later than any used before."""
    code = "".join(typed.split())
    if len(code) != DIGITS or not (code.isascii() and code.isdecimal()):
        return None
    now, made = now_utc // STEP_MS, pyotp.TOTP(secret)
    steps = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(made.generate_otp(step), code)]
    return next((step for step in steps if step > last_step), None)


def address_of(secret: str, name: str, place: str) -> str:
    """The otpauth:// address that an authenticator app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{name} ({place})", issuer_name=ISSUER)


def drawing_of(address: str) -> str:
    """Its QR code as an SVG element, dark on light, without any style of its own."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", border=4, xmldecl=False, svgns=True, omitsize=True, svgclass="qr", lineclass=None, nl=False,
        dark="#000", light="#fff",
    )  # fmt: skip
    return drawn.getvalue().decode()


def in_fours(secret: str) -> str:
    """The secret as somebody can type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
