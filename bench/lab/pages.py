"""The picture, and the part of each page, that are made from a run's results: how they read, and where they belong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lab.picturing import in_words, picture
from lab.results import Results
from lab.standing import standings
from lab.telling import by_kind, compared, occasion, of_kinds, verdict, where_and_when

BEGIN, END = "<!-- proof -->", "<!-- /proof -->"
_BETWEEN = re.compile(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}$", re.MULTILINE | re.DOTALL)


PICTURE = "docs/proof.svg"


class UnmarkedError(Exception):
    """A page that does not say where the proof belongs."""


def filled(page: Path, text: str) -> str:
    """The page with the text between its two lines. Raises UnmarkedError."""
    before = page.read_text(encoding="utf-8")
    if len(_BETWEEN.findall(before)) != 1:
        raise UnmarkedError(f"{page.name} needs one line {BEGIN} and below it one line {END}, where the proof belongs")
    return _BETWEEN.sub(lambda _: f"{BEGIN}\n{text}\n{END}", before)


def brief(results: Results, drawn: str) -> Iterator[str]:
    """One picture and one table."""
    yield f"![{in_words(standings(results, disturbed=False))}]({drawn})"
    yield ""
    yield from compared(results)
    yield ""
    yield occasion(results)


def long(results: Results) -> Iterator[str]:
    """Everything, with the limits."""
    yield occasion(results)
    yield ""
    yield from of_kinds(results)
    if results.peers:
        yield from (*compared(results), "", *by_kind(results), "")
    yield from ("```", *verdict(results), "```")


PAGES: Mapping[str, Callable[[Results], Iterator[str]]] = {
    "README.md": lambda results: brief(results, PICTURE),
    "docs/comparison.md": lambda results: brief(results, Path(PICTURE).name),
    "bench/results/proof.md": long,
}


def files(results: Results, root: Path) -> dict[Path, str]:
    """Each file and what is to stand in it. Raises UnmarkedError for a page without its two lines."""
    drawn = picture(standings(results, disturbed=False), results.pace.interval_ms, where_and_when(results))
    pages = {root / name: filled(root / name, "\n".join(make(results))) for name, make in PAGES.items()}
    return {root / PICTURE: drawn, **pages}


def stale(made: Mapping[Path, str]) -> list[Path]:
    """Those that do not say so yet."""
    return [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
