# ruff: noqa: INP001 - a script, in no package
"""Builds the documents as a site, by Zensical and without a network; fails where a link leads nowhere.

What documents link to beside docs/ goes with them under `project/`, so that a site that is copied away is whole.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SETTINGS = Path(__file__).with_name("zensical.toml")
STYLE = Path(__file__).with_name("site.css")
OUTSIDE = "project"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_NAMED = re.compile(r"^(#+ .*?)\s*<!-- ([a-z_]+) -->$", re.MULTILINE)
"""A heading with the name that links call it by."""
_COMMENT = re.compile(r"[ \t]*<!--.*?-->", re.DOTALL)


def stage(folder: Path) -> None:
    """Writes what the site is made of into `folder`: its settings, and `pages`."""
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(DOCS, pages)
    shutil.copy(SETTINGS, folder)
    shutil.copy(STYLE, pages)
    for page in sorted(pages.rglob("*.md")):
        source = DOCS / page.relative_to(pages)
        page.write_text(_within(source, page.read_text(encoding="utf-8"), pages), encoding="utf-8")


def _within(source: Path, text: str, pages: Path) -> str:
    """The text with links that stay within the site."""

    def changed(link: re.Match[str]) -> str:
        words, target, anchor = link[1], (source.parent / link[2]).resolve(), link[3] or ""
        if target.is_relative_to(DOCS):
            return link[0]
        if not target.is_file():
            return words
        return f"[{words}]({_taken_along(source, target, pages)}{anchor})"

    return _LINK.sub(changed, _COMMENT.sub("", _NAMED.sub(r"\1 { #\2 }", text)))


def _taken_along(source: Path, target: Path, pages: Path) -> str:
    """The link to a file of the project, which is put beside the pages. Its own links go nowhere there."""
    name = target.relative_to(ROOT)
    place = pages / OUTSIDE / name
    place.parent.mkdir(parents=True, exist_ok=True)
    text = target.read_text(encoding="utf-8")
    place.write_text(_LINK.sub(r"\1", text) if target.suffix == ".md" else text, encoding="utf-8")
    up = "../" * len(source.parent.relative_to(DOCS).parts)
    return f"{up}{OUTSIDE}/{name.as_posix()}"


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description="Builds the documents as a site.")
    parser.add_argument("folder", type=Path, help="where it is built, in a folder `site`")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    stage(folder)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode:
        # It colours each letter, and ends with a traceback.
        told = _COLOUR.sub("", done.stdout + done.stderr).partition("Traceback")[0]
        sys.exit(f"{told.rstrip()}\nno site was built")
    print(f"{folder / 'site'}: open index.html in a browser")


if __name__ == "__main__":
    main()
