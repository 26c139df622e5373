"""Judges mutants by the tests that run their lines.

One run of all tests tells which run which lines. Then each mutant is put into a fork of this process, where everything
is imported already, and meets those tests, the quickest first.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from _pytest.runner import runtestprotocol

from line_tracer import Lines, lines_run
from mutants import Mutant

TESTS = ("tests/collector/downtime", "tests/collector/report")
PACKAGE = Path("collector/detak_collector")
PATIENCE_S = 10
"""Processor time that a test may take besides ten times what it took unbroken: a mutant that takes more never ends."""

WHOLE_PATIENCE_S = 600
MEMORY_BYTES = 4 << 30
FAILED, KILLED, SURVIVED = 1, 8, 9
"""Exit codes of a trial: it failed itself, a test noticed, none did."""


def pytest_arguments(tests: Sequence[str] = TESTS) -> list[str]:
    """How the tests are run, in the order in which they are written."""
    plugins = ("no:randomly", "no:xdist", "no:cacheprovider", "steady_examples")
    return ["-x", "-qq", *(f"-p{plugin}" for plugin in plugins), *tests]


class Trial:
    """Judges all mutants in place of the run that pytest would make of the tests it collected.

    `tell` gets each mutant and whether it survived. `whole` takes the whole suite in a process of its own for every
    mutant, and not only for those that run at import: slow, and right without any cleverness.
    """

    def __init__(
        self, mutants: Sequence[Mutant], jobs: int, tell: Callable[[Mutant, bool], None], *, whole: bool
    ) -> None:
        self.mutants = mutants
        self.jobs = jobs
        self.tell = tell
        self.whole = whole
        self.seconds: dict[pytest.Item, float] = {}
        self.lines: dict[pytest.Item, Lines] = {}
        self.left_out: list[str] = []
        self.functions: dict[tuple[str, str, int], list[FunctionType]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        files = {str(mutant.file) for mutant in self.mutants}
        for item in session.items:
            self._learn(item, files)
        for name in self.left_out:
            print(f"left out, it fails without any change: {name}", flush=True)
        for function in [one for one in gc.get_objects() if type(one) is FunctionType]:
            if function.__code__.co_filename in files:
                self.functions.setdefault(_key(function.__code__), []).append(function)
        self._judge_all()
        return True

    def _learn(self, item: pytest.Item, files: set[str]) -> None:
        _forget()
        with lines_run(files) as lines:
            reports = runtestprotocol(item, log=False)
        if any(report.failed for report in reports):
            self.left_out.append(item.nodeid)
        else:
            self.seconds[item] = sum(report.duration for report in reports)
            self.lines[item] = lines

    def _judge_all(self) -> None:
        running: dict[int, Mutant] = {}
        for mutant in self.mutants:
            while len(running) >= self.jobs:
                self._hear(running)
            running[self._start(mutant)] = mutant
        while running:
            self._hear(running)

    def _hear(self, running: dict[int, Mutant]) -> None:
        """Wait for one trial to end. One that a signal ended grew or ran without end: the mutant is noticed."""
        process, status = os.wait()
        mutant = running.pop(process)
        code = os.waitstatus_to_exitcode(status)
        if code not in {KILLED, SURVIVED} and code >= 0:
            raise RuntimeError(f"the trial of {mutant} failed")
        self.tell(mutant, code == SURVIVED)

    def _start(self, mutant: Mutant) -> int:
        process = os.fork()
        if process:
            return process
        code = FAILED
        try:
            survives = self._survives_quickly if mutant.called and not self.whole else self._survives_whole
            code = SURVIVED if survives(mutant) else KILLED
        except MemoryError:
            code = KILLED
        except BaseException:  # noqa: BLE001 - a fork must never go on as its parent would
            traceback.print_exc()
        finally:
            os._exit(code)

    def _survives_quickly(self, mutant: Mutant) -> bool:
        """Whether every test that runs its lines passes on it. It is put into this process, which is spent then."""
        self._graft(mutant)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        return all(self._passes(item) for item in self._covering(mutant))

    def _covering(self, mutant: Mutant) -> list[pytest.Item]:
        wanted = {(str(mutant.file), line) for line in mutant.lines}
        return sorted((item for item, lines in self.lines.items() if wanted & lines), key=self.seconds.__getitem__)

    def _passes(self, item: pytest.Item) -> bool:
        _forget()
        signal.setitimer(signal.ITIMER_PROF, PATIENCE_S + 10 * self.seconds[item])
        return not any(report.failed for report in runtestprotocol(item, log=False))

    def _graft(self, mutant: Mutant) -> None:
        """Give every function of the module the code that it would have had, had the mutant been imported."""
        changed = False
        for code in _codes(compile(mutant.tree(), str(mutant.file), "exec", dont_inherit=True)):
            for function in self.functions.get(_key(code), ()):
                changed |= function.__code__ != code
                function.__code__ = code
        if not changed:
            raise RuntimeError(f"{mutant} changes no function")

    def _survives_whole(self, mutant: Mutant) -> bool:
        """Whether the whole suite passes on a package that was imported with the mutant in it."""
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / PACKAGE.name
            shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
            (package / mutant.file.relative_to(PACKAGE.resolve())).write_text(mutant.text())
            left_out = [f"--deselect={name}" for name in self.left_out]
            command = [sys.executable, "-m", "pytest", *left_out, f"--basetemp={folder}/tests", *pytest_arguments()]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join([folder, *sys.path])}
            try:
                done = subprocess.run(
                    command, env=environment, capture_output=True, timeout=WHOLE_PATIENCE_S, check=False
                )
            except subprocess.TimeoutExpired:
                return False
            return done.returncode == 0


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _forget() -> None:
    """What the engine remembers of other tests would hide lines, and mutants."""
    for name in [name for name in sys.modules if name.startswith("detak_collector.downtime.")]:
        for value in vars(sys.modules[name]).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
