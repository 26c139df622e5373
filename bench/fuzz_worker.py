"""One target of `fuzz.py` in a process of its own, fuzzed by atheris: what reaches new code is mutated further.

    fuzz_worker.py TARGET FOLDER [libFuzzer's options]

Of JSON mostly values are mutated, since of mutated bytes hardly any are JSON still.
"""

import json
import random
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeAlias

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests")]

with atheris.instrument_imports(include=["detak_wire", "detak_collector", "detak_agent"]):
    from fuzz_targets import Target, targets

VALUES: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**63, 10**30, 0.5, -0.0, 1e308,
    "", "n", "\0", "\n", "é\u202e\U0001f525", "alive", "x" * 600,
    "2024-01-05T01:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59", [], {}, [[[]]], {"a": {}},
)  # fmt: skip
Holder: TypeAlias = dict[Any, Any] | list[Any]

AS_BYTES = 0.2
"""The share of mutations of JSON that are of its bytes."""


def mutator(data: bytes, most: int, seed: int) -> bytes:
    """Another JSON text, one thing in it changed."""
    chance = random.Random(seed)
    try:
        content: object = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    if content is None or chance.random() < AS_BYTES:
        return bytes(atheris.Mutate(data, most))
    changed = json.dumps(_changed(content, chance)).encode("utf-8", "surrogatepass")
    return changed if len(changed) <= most else bytes(atheris.Mutate(data, most))


def _changed(content: object, chance: random.Random) -> object:
    """The content with one of its values changed, added, doubled or taken away."""
    places = list(_places(content))
    if not places:
        return deepcopy(chance.choice(VALUES))
    holder, key = chance.choice(places)
    deed = chance.choice(("drop", "double", "count", "move", "replace", "replace"))
    if deed == "drop":
        del holder[key]
    elif deed == "double" and isinstance(holder, list):
        holder.insert(key, deepcopy(holder[key]))
    elif deed == "double" and isinstance(holder, dict):
        holder[str(chance.choice(VALUES))] = deepcopy(holder[key])
    elif deed == "count" and isinstance(holder[key], int):
        holder[key] += chance.choice((-1_000, -1, 1, 1_000, 10**6))
    elif deed == "move":
        other, place = chance.choice(places)
        holder[key] = deepcopy(other[place])
    else:
        holder[key] = deepcopy(chance.choice(VALUES))
    return content


def _places(content: object) -> Iterator[tuple[Holder, Any]]:
    """Every place of a value, as what holds it and its key there."""
    if not isinstance(content, dict | list):
        return
    for key in list(content) if isinstance(content, dict) else range(len(content)):
        yield content, key
        yield from _places(content[key])


def main() -> None:
    name, folder, *options = sys.argv[1:]
    target = targets()[name]
    corpus = Path(folder) / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    more = {"custom_mutator": mutator} if target.is_json else {}
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: once(target, data), **more)
    atheris.Fuzz()


def once(target: Target, data: bytes) -> None:
    """One input; whatever the target may not raise ends the run, and its input is kept by libFuzzer."""
    try:
        target.read(data)
    except target.refusals:
        return


if __name__ == "__main__":
    main()
