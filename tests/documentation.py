"""What the documents say, as the tests of them read it: fences, code within text, the command lines in both."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "commands.md"
"""Made from the programs, so it proves nothing about them."""

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
WRITTEN = [page for page in PAGES if page != REFERENCE]
PROGRAMS = ("detak-agent", "detak-collector")

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_BEFORE = re.compile(r"^(?:[$#] |sudo |-u \S+ |[A-Z_]+=\S+ )*")
_SUBSTITUTED = re.compile(r'\$\([^)]*\)|"\$\([^)]*\)"')
_AFTER = re.compile(r"\s{2,}|\s[|>;&]")


@dataclass(frozen=True)
class Piece:
    """A fence, or code within text, and where it begins."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(page: Path) -> list[Piece]:
    text = page.read_text(encoding="utf-8")
    return [Piece(page, _line(text, one), one["language"], one["text"]) for one in _FENCE.finditer(text)]


def code_in_text(page: Path) -> list[Piece]:
    """Code between backticks outside of fences, in one line each."""
    text = _FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), page.read_text(encoding="utf-8"))
    return [Piece(page, _line(text, one), "", " ".join(one[1].split())) for one in _CODE.finditer(text)]


def _line(text: str, found: "re.Match[str]") -> int:
    return text.count("\n", 0, found.start()) + 1


def command_lines(pages: list[Path]) -> Iterator[tuple[Piece, list[str]]]:
    """Every command line of ours in a fence, as the words that a shell would make of it."""
    for fence in (one for page in pages for one in fences(page)):
        if fence.language in {"", "sh", "bash", "console"}:
            for line in re.sub(r" \\\n\s*", " ", fence.text).splitlines():
                words = words_of(line)
                if words:
                    yield fence, words


def words_of(line: str) -> list[str]:
    """The words of a command line of ours, without what a person or a shell adds to it; none of any other line."""
    line = _SUBSTITUTED.sub("X", _BEFORE.sub("", line.strip()))
    if not line.startswith(PROGRAMS):
        return []
    return shlex.split(_AFTER.split(line, maxsplit=1)[0], comments=True)
