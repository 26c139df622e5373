"""What kind of file an attachment is, by its bytes and never by its name, and under which name it is kept. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

PDF, PNG, JPEG, WEBP, GIF = "application/pdf", "image/png", "image/jpeg", "image/webp", "image/gif"
TEXT = "text/plain"
ENDINGS = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    WEBP: (".webp",),
    GIF: (".gif",),
    TEXT: (".txt", ".log", ".csv", ".md"),
}
MOST_BYTES = 5 * 1024 * 1024
MOST_TOGETHER = 512 * 1024 * 1024
MOST_OF_AN_OUTAGE = 20
MOST_NAME = 100
NAMELESS = "attachment"
_RIFF_HEAD = 12


def kind_of(content: bytes) -> str | None:
    """The type of a file that is taken; None for any other."""
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if content.startswith(b"RIFF") and content[8:_RIFF_HEAD] == b"WEBP":
        return WEBP
    return TEXT if _is_text(content) else None


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not any(letter < " " and letter not in "\t\n\r\f" for letter in text)


def file_name(given: str, kind: str) -> str:
    """The last part of the name, without what no file system likes, and with an ending of its kind.

    What the kind is not must not be in its name either: a browser or an office program goes by that.
    """
    last = PurePosixPath(given.replace("\\", "/")).name
    clean = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"/\\|?*;%').strip(" .")
    endings = ENDINGS[kind]
    stem, dot, ending = clean.rpartition(".")
    if dot and f".{ending.lower()}" in endings:
        kept = f".{ending.lower()}"
    else:
        stem, kept = clean.replace(".", "_"), endings[0]
    return f"{stem[: MOST_NAME - len(kept)].strip(' .') or NAMELESS}{kept}"
