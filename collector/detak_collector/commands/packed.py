"""Packed bundles as commands read them: recomputed under a bar, refused in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.bundle.deriving import contents_of, from_package, result_digest, result_of
from detak_collector.bundle.package import BundleError, open_package
from detak_collector.downtime.derive import Result
from detak_collector.report.effects import effects


def recomputed_package(
    path: Path, part_of: Callable[[Result], Result], *, measured: bool
) -> tuple[Result, bool, Mapping[str, int] | None]:
    """The part that is shown of what a packed bundle comes to, whether that is what it came with, and the effects.

    The effects are None where they are not `measured`. Raises click.UsageError, or OSError.
    """
    try:
        package = open_package(path)
        with contents_of(package) as contents, months_bar("recomputing", len(package.manifest.months)) as step:
            result = result_of(contents, step=step)
            is_same, shown = result_digest(result) == package.manifest.result, part_of(result)
            return shown, is_same, effects(shown, from_package(contents)) if measured else None
    except BundleError as error:
        raise click.UsageError(str(error)) from None


def explained_package(path: Path, service: str) -> Result:
    """The result of one service with the details of its months. Raises click.UsageError, or OSError."""
    try:
        with contents_of(open_package(path)) as contents:
            every = contents.catalogue.services
            chosen = [one for one in every if one.id == service]
            if not chosen:
                known = ", ".join(one.id for one in every)
                raise click.UsageError(f"SERVICE: no such service; one of {known} (got {service!r})")
            return result_of(contents, services=chosen)
    except BundleError as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def months_bar(text: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; what it gives is called after each month."""
    console = Console(stderr=True)
    columns = (TextColumn(f"{text} months"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
