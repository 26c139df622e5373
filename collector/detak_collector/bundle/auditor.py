"""`detak-verify.pyz`: a bundle checked, recomputed and looked into on an auditor's laptop, with nothing but Python.

Exit codes: 0 all holds, 1 it does not, 2 wrong use or no bundle, 3 it could not be done.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from detak_collector.bundle.auditor_text import print_checked, print_effect, print_outage, print_size, print_span
from detak_collector.bundle.checking import checked, named
from detak_collector.bundle.deriving import OtherRulesError, contents_of, result_of, without
from detak_collector.bundle.evidence import Chain, followed
from detak_collector.bundle.package import BundleError, Package, open_package
from detak_collector.bundle.sampling import drawn, explained
from detak_collector.downtime import RULE_VERSION
from detak_collector.ledger.chain import GivenHead
from detak_collector.report.terminal import printable

FINE, BAD_NEWS, USAGE, COULD_NOT = 0, 1, 2, 3
MOST_DRAWN = 10_000


def main() -> None:
    """The program."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """One call, and its exit code."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return int(given.does(given))
    except BrokenPipeError:
        # Whoever read the output has gone; Python must not find out once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever a hostile bundle brought about is told
        text, code = told_of(error, given.file)
        print(printable(text), file=sys.stderr)
        return code


def told_of(error: BaseException, file: Path) -> tuple[str, int]:
    """What people are told of an error, and the exit code."""
    match error:
        case OtherRulesError():
            return str(error), COULD_NOT
        case BundleError():
            return str(error), USAGE
        case OSError():
            return f"{error.filename or file}: {error.strerror or error}", COULD_NOT
        case KeyboardInterrupt():
            return "stopped", COULD_NOT
        case _:
            return f"{file}: cannot be derived from: {type(error).__name__}: {str(error)[:200]}", COULD_NOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="detak-verify.pyz",
        description="Check what `detak-collector bundle` made, without a network and with nothing but Python.",
        epilog="Exit code 0: all holds. 1: it does not. 2: wrong use, or no bundle. 3: it could not be done.",
    )
    parser.add_argument("--version", action="version", version=f"rule version {RULE_VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = _command(commands, "check", _check, "whether chain, facts, entries and figure hold")
    check.add_argument("--head", type=_head, help="a head that you kept, as a report or a mail has it")
    told = _command(commands, "explain", _explain, "an outage piece by piece, with the lines that it rests on")
    told.add_argument("outage", metavar="OUTAGE", help="its number in the report, or its id")
    some = _command(commands, "sample", _sample, "a random sample of outages and spans, with their lines")
    some.add_argument("--n", type=_size, default=25, metavar="N", help="how many (25)")
    some.add_argument("--seed", type=int, required=True, metavar="S", help="any number; the same draws the same")
    less = _command(commands, "without", _without, "the figure as if an exclusion had never been made")
    less.add_argument("exclusion", metavar="EXCLUSION", help="its id, such as x12")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    does: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("file", type=Path, metavar="FILE", help="the bundle")
    parser.set_defaults(does=does)
    return parser


def _head(words: str) -> GivenHead:
    try:
        return GivenHead.of(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _size(words: str) -> int:
    if not words.isdecimal() or not 1 <= int(words[:9]) <= MOST_DRAWN:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_DRAWN}")
    return int(words)


def _check(given: argparse.Namespace) -> int:
    package = open_package(given.file)
    found = checked(package, given.head, _step(package))
    print_checked(package, found, given.head)
    return BAD_NEWS if found.wrong else FINE


def _explain(given: argparse.Namespace) -> int:
    package = open_package(given.file)
    records = chain_of(package).records
    with contents_of(package) as contents:
        key = named(result_of(contents), given.outage)
        for one in explained(contents, (key,)):
            print_outage(one, contents, records)
    return FINE


def _sample(given: argparse.Namespace) -> int:
    package = open_package(given.file)
    records = chain_of(package).records
    with contents_of(package) as contents:
        sample = drawn(result_of(contents, step=_step(package)), records, given.n, given.seed)
        for one in explained(contents, sample.outages):
            print_outage(one, contents, records)
        for key in sample.spans:
            print_span(key, records)
    print_size(sample, given.seed)
    return FINE


def _without(given: argparse.Namespace) -> int:
    package = open_package(given.file)
    chain_of(package)
    with contents_of(package) as contents:
        other = without(contents, given.exclusion)
        print_effect(given.exclusion, result_of(contents, step=_step(package)), result_of(other, step=_step(package)))
    return FINE


def chain_of(package: Package) -> Chain:
    """The chain, which has to hold before anybody looks at single records; raises BundleError where it does not."""
    found = followed(package, None)
    if isinstance(found, Chain):
        return found
    raise BundleError(f"{package.path}: its chain does not hold: {found.text}")


def _step(package: Package) -> Callable[[], None] | None:
    """Counts months on a terminal that somebody watches."""
    if not sys.stderr.isatty():
        return None
    done, of = 0, len(package.manifest.months)

    def step() -> None:
        nonlocal done
        done += 1
        print(f"\r{done} of {of} months", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return step
