"""`explain` for a terminal: each outage in pieces, each piece back to its rule, its spans and its exclusions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo

from rich.console import Console
from rich.text import Text

from detak_collector.downtime.derive import Result
from detak_collector.downtime.explain import COUNTED, Explained, Layer, Piece
from detak_collector.report.correction_line import correction_line
from detak_collector.report.numbers import clock_text, moment_of
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable


def print_explanation(explained: Sequence[Explained], result: Result, console: Console) -> None:
    """Every outage of the result that was explained, in order."""
    zone = result.case.zone
    if not explained:
        console.print("No outage in this period: nothing is counted.")
    for one in explained:
        outage = one.outage
        number = result.numbers.get(outage.key)
        head = Text(f"{outage.id}  " if number is None else f"{number}  {outage.id}  ", style="bold")
        head.append(f"{local_text(outage.begin, zone)} to {local_text(outage.end, zone)}", style="not bold")
        head.append("  still running" if outage.running else "", style="red")
        console.print(head)
        bounds = f"certain {clock_text(outage.certain_ms)}, possible {clock_text(outage.possible_ms)}"
        console.print(f"  counted {clock_text(outage.counted_ms)} ({bounds})")
        for piece in one.pieces:
            _print_piece(piece, (zone, result.drills), console)
        console.print()


def _print_piece(piece: Piece, by: tuple[tzinfo, Collection[str] | None], console: Console) -> None:
    zone, drills = by
    fate = COUNTED if piece.fate == COUNTED else f"not counted: {piece.fate.replace('_', ' ')}"
    head = Text(f"  {_clock(piece.begin, zone)} - {_clock(piece.end, zone)}  {clock_text(piece.end - piece.begin)}  ")
    head.append(fate, style="red" if piece.fate == COUNTED else "blue")
    head.append(f"  {piece.cause}")
    console.print(head)
    for layer in piece.layers:
        console.print(f"    {_layer(layer)}", highlight=False)
    for check, passage in piece.evidence:
        line = Text(f"    {check}  {_clock(passage.begin, zone)} - {_clock(passage.end, zone)}  {passage.shown_as}")
        line.append(f": {printable(passage.message)}" if passage.message else "")
        line.append(f"  [{', '.join(passage.evidence)}]" if passage.evidence else "", style="dim")
        console.print(line)
    for correction in piece.corrections:
        console.print(Text(f"    {correction_line(correction, drills)}", style="blue"))


def _layer(layer: Layer) -> str:
    text = f"group {layer.group} ({layer.category})"
    text += f", rule {layer.rule}" if layer.rule else ""
    return text + (f": {layer.stands_for_it} stands for it this month" if layer.stands_for_it else "")


def _clock(instant: int, zone: tzinfo) -> str:
    return f"{moment_of(instant, zone):%d %H:%M:%S}.{instant % 1000:03d}"
