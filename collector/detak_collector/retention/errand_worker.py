"""The process that runs one errand of a page about retention, at low priority, and ends.

`python -m detak_collector.retention.errand_worker`, started by a serving collector: the errand comes pickled on
standard input, and what became of it goes to standard output.
"""

from __future__ import annotations

import pickle
import sys

from detak_collector.retention.errand import Errand, done


def main() -> None:
    """Answers with an Outcome."""
    errand = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    assert isinstance(errand, Errand)
    pickle.dump(done(errand), sys.stdout.buffer)


if __name__ == "__main__":
    main()
