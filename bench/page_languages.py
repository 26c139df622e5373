"""What the status page costs in one language and in two, drawn from a made-up board; deriving that is not in it.

    PYTHONPATH=tests python bench/page_languages.py [SERVICES]

It ends with one line: `page-languages services=… one_ms=… two_ms=… two_with_public_ms=… kib=…`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from browser.fabricated import many
from detak_collector.board.board import Board
from detak_collector.translation import LANGUAGES
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer, Snapshots

ROUNDS = 15


def main() -> None:
    """Draws again and again, as a page that is watched is drawn."""
    services = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    board, draw = many(services), Renderer(Assets(STATIC, TEMPLATES)).snapshots
    one = median_ms(lambda: draw(board, ["id"]))
    two = median_ms(lambda: draw(board, LANGUAGES))
    public = median_ms(lambda: draw(board, LANGUAGES, apart=True))
    kib = packed_kib(board, draw)
    print(
        f"page-languages services={services} one_ms={one:.1f} two_ms={two:.1f} two_with_public_ms={public:.1f}"
        f" kib={kib:.1f}"
    )


def median_ms(work: Callable[[], object]) -> float:
    """Of several rounds, after one that fills what is remembered."""
    work()
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(took)


def packed_kib(board: Board, draw: Callable[..., Snapshots]) -> float:
    """Of the larger page, as it is sent."""
    return max(len(one.page.packed) for one in draw(board, LANGUAGES).pages.values()) / 1_024


if __name__ == "__main__":
    main()
