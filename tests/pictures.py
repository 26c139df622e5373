"""Pages of a PDF as pictures, and whether two of them look the same to somebody who reads them."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops, ImageFilter

SCALE = 0.8
"""Of 72 points an inch: small enough to be kept, large enough to be read."""

COLOURS = 32
PATCH = 8
"""Pixels of a side: about two letters."""

MOST_OF_A_PATCH, MOST_OF_ALL = 24.0, 1.0
"""Of 255, how far a patch, and the mean of all patches, may be off in any colour: what smoothing of edges makes."""


def pages(content: bytes) -> list[Image.Image]:
    """Every page."""
    with pypdfium2.PdfDocument(content) as document:
        return [page.render(scale=SCALE).to_pil().convert("RGB") for page in document]


def keep(picture: Image.Image, path: Path) -> None:
    """Writes it, small."""
    picture.quantize(COLOURS).save(path, optimize=True)


def difference(one: Image.Image, other: Image.Image) -> str:
    """What is not the same, for people; empty where the two look alike."""
    if one.size != other.size:
        return f"{one.size} is another size than {other.size}"
    soft = [each.convert("RGB").filter(ImageFilter.BoxBlur(1)) for each in (one, other)]
    apart = ImageChops.difference(*soft)
    small = apart.resize((apart.width // PATCH, apart.height // PATCH), Image.Resampling.BOX)
    colours = small.tobytes()
    values = [max(colours[at : at + 3]) for at in range(0, len(colours), 3)]
    most, mean = max(values), sum(values) / len(values)
    if most <= MOST_OF_A_PATCH and mean <= MOST_OF_ALL:
        return ""
    row, column = divmod(values.index(most), small.width)
    return f"differs by {most} of 255 at {column * PATCH}, {row * PATCH}, by {mean:.2f} in the mean"
