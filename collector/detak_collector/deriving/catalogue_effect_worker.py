"""The process that answers one question of another catalogue's effect, at low priority, and ends.

`python -m detak_collector.deriving.catalogue_effect_worker`, started by a serving collector: the question comes pickled
on standard input, and the answer goes to standard output.
"""

from __future__ import annotations

import pickle
import sys

from detak_collector.deriving.catalogue_effect import Effect, Evidence, Question, effect_of
from detak_collector.deriving.stored import ReadingDatabase, StoredFacts, WrittenElsewhereError
from detak_collector.store.base import CaughtUp, StoreError, StoreUnavailableError
from detak_collector.store.derived import SqlDerived
from detak_collector.store.registry import SqlRegistry


class _OnlyRead(SqlDerived):
    """The months kept by the serving process. Where facts are too new to know without writing, none serves."""

    def catch_up(self) -> CaughtUp:
        try:
            return super().catch_up()
        except WrittenElsewhereError:
            raise StoreUnavailableError("facts have come that are still to be looked through") from None


def main() -> None:
    """Answers with an Effect, or with a text that says what failed."""
    question = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    assert isinstance(question, Question)
    database = ReadingDatabase(question.place.database())
    evidence = Evidence(StoredFacts(database), _OnlyRead(database), SqlRegistry(database))
    try:
        answer: Effect | str = effect_of(evidence, question.rules, question.other, question.now)
    except StoreError as error:
        answer = str(error)
    pickle.dump(answer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
