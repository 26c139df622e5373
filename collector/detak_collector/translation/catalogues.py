"""The gettext catalogues of this package. They are read as translators write them (.po): nothing has to be compiled."""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from detak_collector.translation import ENGLISH


@cache
def translations_of(code: str) -> NullTranslations:
    """What turns English sentences into those of the language `code`, which has a catalogue here."""
    if code == ENGLISH:
        return NullTranslations()
    content = resources.files(__package__).joinpath(f"{code}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(content), locale=code))
    compiled.seek(0)
    return Translations(compiled)
