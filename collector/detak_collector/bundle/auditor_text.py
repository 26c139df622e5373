"""What an auditor reads: plain lines, in which nothing that a bundle says can reach the terminal as a command."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo

from detak_collector.bundle.checking import Checked
from detak_collector.bundle.deriving import Contents
from detak_collector.bundle.evidence import Records, SpanKey, shown
from detak_collector.bundle.manifest import Numbered
from detak_collector.bundle.package import Package
from detak_collector.bundle.sampling import MOST_LINES, Sample, evidence_of
from detak_collector.downtime.derive import Result
from detak_collector.downtime.explain import COUNTED, Explained, Layer, Piece
from detak_collector.downtime.outages import OutageKey
from detak_collector.ledger.chain import GivenHead
from detak_collector.report.correction_line import correction_line
from detak_collector.report.numbers import clock_text, decimal_text, iso_utc, moment_of
from detak_collector.report.terminal import printable


def say(label: str, text: str) -> None:
    """One line."""
    print(f"{label:<9} {printable(text)}")


def print_checked(package: Package, found: Checked, given: GivenHead | None) -> None:
    """What was checked, then what is wrong."""
    told = package.manifest
    say("bundle", f"{told.period}: {iso_utc(told.from_utc)} to {iso_utc(told.to_utc)}, as of {iso_utc(told.as_of)}")
    say("files", f"{len(package.files):,}, each as bundle.json says")
    if found.chain is not None:
        size = f"{found.chain.carried:,} of {found.chain.blocks:,} blocks came with their records"
        say("chain", f"holds to the head {found.chain.head}; {size}")
        say("head", "not compared: give one that you kept (--head)" if given is None else f"{given} is one of them")
        say("facts", f"{found.spans:,} closed spans compared with their records, {found.open_spans:,} still open")
        if found.unseen:
            say("", f"{found.unseen:,} more records, by their numbers, were still open or are not in this bundle")
    if found.result is not None:
        say("figure", _figure(found.result))
        say("result", f"SHA-256 {found.digest}")
    for line in found.wrong:
        say("WRONG", line)
    say("NOT SOUND" if found.wrong else "SOUND", str(package.path))


def print_effect(name: str, before: Result, after: Result) -> None:
    """The figure with and without a correction."""
    say("with", _figure(before))
    say("without", f"{name}: {_figure(after)}")
    change = after.figure.counted_ms - before.figure.counted_ms
    say("change", f"{change:+,} ms counted")


def _figure(result: Result) -> str:
    figure, target = result.figure, result.target_percent
    percent = "no service time" if figure.percent is None else f"{decimal_text(figure.percent, 4)} %"
    verdict = figure.standing(target) or "no verdict"
    return (
        f"{percent}: {figure.counted_ms:,} ms counted of {figure.service_time_ms:,} ms; "
        f"certain {figure.certain_ms:,}, possible {figure.possible_ms:,}; target {decimal_text(target, 4)} %: {verdict}"
    )


def print_outage(one: Explained, contents: Contents, records: Records) -> None:
    """An outage in its pieces, and the lines behind it."""
    outage, zone = one.outage, contents.zone
    number = number_of(outage.key, contents.numbering.numbers) or "no number"
    running = ", still running" if outage.running else ""
    say("OUTAGE", f"{number}  {outage.id}  {local_text(outage.begin, zone)} to {local_text(outage.end, zone)}{running}")
    bounds = f"certain {clock_text(outage.certain_ms)}, possible {clock_text(outage.possible_ms)}"
    say("", f"counted {clock_text(outage.counted_ms)} ({bounds})")
    for piece in one.pieces:
        _print_piece(piece, zone, contents.corrections.drills)
    lines = evidence_of(one, records)
    for line in lines[:MOST_LINES]:
        say("line", shown(line))
    if len(lines) > MOST_LINES:
        say("line", f"and {len(lines) - MOST_LINES} more")


def _print_piece(piece: Piece, zone: tzinfo, drills: Collection[str] | None) -> None:
    fate = COUNTED if piece.fate == COUNTED else f"not counted: {piece.fate.replace('_', ' ')}"
    say("piece", f"{local_text(piece.begin, zone)} for {clock_text(piece.end - piece.begin)}  {fate}  {piece.cause}")
    for layer in piece.layers:
        say("", f"  {_layer(layer)}")
    for check, passage in piece.evidence:
        message = f": {passage.message}" if passage.message else ""
        rests = f"  [{', '.join(passage.evidence)}]" if passage.evidence else ""
        when = f"{local_text(passage.begin, zone)} to {local_text(passage.end, zone)}"
        say("", f"  {check}  {when}  {passage.shown_as}{message}{rests}")
    for correction in piece.corrections:
        say("", f"  {correction_line(correction, drills)}")


def _layer(layer: Layer) -> str:
    rule = f", rule {layer.rule}" if layer.rule else ""
    chosen = f": {layer.stands_for_it} stands for it this month" if layer.stands_for_it else ""
    return f"group {layer.group} ({layer.category}){rule}{chosen}"


def print_span(key: SpanKey, records: Records) -> None:
    """A closed span as its record has it; its times are agent time, in milliseconds."""
    node, run, number = key
    say("SPAN", f"{node}, run {run}, number {number}")
    say("line", shown(records.spans[key].line))


def print_size(sample: Sample, seed: int) -> None:
    """How much was drawn."""
    print(f"sample: {len(sample.outages)} outages and {len(sample.spans)} spans, seed {seed}")


def number_of(key: OutageKey, numbers: Sequence[Numbered]) -> str:
    """The number of an outage; empty where it has none."""
    return next((str(known.number) for known in numbers if (known.service, known.begin) == key), "")


def local_text(instant: int, zone: tzinfo) -> str:
    """An instant as a clock of that zone shows it, to the millisecond."""
    return f"{moment_of(instant, zone):%Y-%m-%d %H:%M:%S}.{instant % 1000:03d} {moment_of(instant, zone):%Z}"
