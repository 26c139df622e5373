"""Which catalogue a serving collector works by: what was recorded, and not what happens to lie on its disk.

Where it leads, a file that has changed becomes a version; where it follows, it goes by the other one's versions, and by
its own file only until it has heard of one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.register import Register, Standing
from detak_collector.catalogue.texts import Read, read
from detak_collector.catalogue.versions import Version, is_news
from detak_collector.clocks import Clock
from detak_collector.config import Config, ConfigurationError
from detak_collector.operating.alarms import Alarm
from detak_collector.operating.catalogue_alarms import OnDisk, catalogue_alarms, refused_alarm
from detak_collector.operating.events import Audit
from detak_collector.operating.reloading import Fresh, reread
from detak_collector.pair.here import role_here
from detak_collector.rules import Rules, rules_of
from detak_collector.store.base import StoreBrokenError, StoreError, StoreUnavailableError
from detak_collector.store.parts import Store

LOOK_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class CatalogueKeeper:
    """Of one serving process. `rules` is what figures are derived by now.

    `begin`, `reload` and `look` are for the store's writing thread, the rest is for the event loop.
    """

    store: Store
    clock: Clock
    config: Config
    rules: Rules = field(init=False)
    register: Register = field(init=False)
    news: list[tuple[str, str, int, Version]] = field(default_factory=list, init=False)
    """What the audit trail is still to be told."""
    leads: bool = field(default=False, init=False)
    _disk: OnDisk = field(default_factory=lambda: OnDisk(""), init=False)
    _read: Read | None = field(default=None, init=False)
    _mark: int = field(default=-1, init=False)
    _standing: Standing | None = field(default=None, init=False)
    _refused: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.register = Register(self.store.entries)

    @property
    def needs_file(self) -> bool:
        """Whether this collector cannot go on without a services.toml that is right."""
        return self.leads or self._standing is None

    def begin(self) -> None:
        """What a start takes; raises CatalogueError where neither the file nor a version can be.

        A file that was broken while it served must not keep it down after the next reboot: the version in force stays.
        """
        self.leads = role_here(self.store, self.config).leads
        try:
            self._take_file(read(self.config.services))
        except CatalogueError as error:
            standing = self.register.standing()
            if standing is None:
                raise
            self._tell_broken(error, standing.version)
        self._record(asked=False)
        self._apply()

    async def reloaded(self, load: Callable[[], Config], thread: ThreadPoolExecutor) -> Config:
        """Takes both files as they are now; raises ConfigurationError, and takes nothing then."""
        try:
            self._refused = True
            fresh = await asyncio.to_thread(reread, load, self.config, needs_file=self.needs_file)
            await asyncio.get_running_loop().run_in_executor(thread, self.reload, fresh)
            self._refused = False
        except ConfigurationError:
            await asyncio.to_thread(self._inspect)
            raise
        except CatalogueError as error:
            raise ConfigurationError(list(error.lines)) from error
        except StoreUnavailableError as error:
            raise ConfigurationError([f"services.toml: no version of it can be recorded now: {error}"]) from error
        return fresh.config

    def reload(self, fresh: Fresh) -> None:
        """The file becomes a version where it differs; the rest of the configuration is in force at once."""
        before, self.config = self.config, fresh.config
        try:
            self.leads = role_here(self.store, fresh.config).leads
            if fresh.services is None:
                self._disk = OnDisk("", is_broken=True)
            else:
                self._take_file(fresh.services)
                self._record(asked=True)
            self._apply(anew=True)
        except (CatalogueError, StoreUnavailableError):
            self.config = before
            raise

    def _inspect(self) -> None:
        """Nothing was taken: only how the file is now."""
        try:
            self._disk = OnDisk(read(self.config.services).texts.digest)
        except CatalogueError:
            self._disk = OnDisk("", is_broken=True)

    def look(self) -> bool:
        """Takes what was decided or heard since; whether other rules are in force now. Raises StoreError."""
        self.leads = role_here(self.store, self.config).leads
        mark = self.store.entries.mark()
        if mark == self._mark:
            return False
        before = self._standing
        if before is None:
            self._record(asked=False)
        elif self.leads and self._is_overridden(before):
            again = self.register.affirm(before.version, self.clock().utc)
            self._tell("catalogue-affirmed", f"version {again.number} of the catalogue is version "
                       f"{before.version.number} once more: the other collector had recorded one while neither heard "
                       "the other, and this one leads", again)  # fmt: skip
        self._apply()
        return self._standing != before

    def alarms(self, _: int) -> Iterator[Alarm]:
        """What somebody must see to."""
        if self._standing is not None:
            yield from catalogue_alarms(self._standing.versions, self._disk, leads=self.leads)
        if self._refused and not (self._disk.is_broken and self.leads):
            yield refused_alarm()

    def word(self) -> str:
        """How it stands, in a word for programs and without a name of this machine: `ok` where all was taken."""
        in_force = "" if self._standing is None else f"; version {self._standing.version.number} stays in force"
        if self._disk.is_broken and self.leads:
            return f"services.toml is not right{in_force}"
        return "the last reload was refused" if self._refused else "ok"

    def digest(self) -> str:
        """By which two collectors see whether they work by the same; empty where no version is recorded."""
        return "" if self._standing is None else self._standing.version.digest[:16]

    def tell(self, audit: Audit) -> None:
        """Tells the audit trail what is new."""
        told, self.news = self.news, []
        for name, text, level, version in told:
            audit(name, text, level, version=version.number, digest=version.digest)

    async def run(self, thread: ThreadPoolExecutor, audit: Audit, changed: Callable[[], None]) -> None:
        """Looks for ever."""
        call = partial(asyncio.get_running_loop().run_in_executor, thread)
        trouble = ""
        while True:
            try:
                if await call(self.look):
                    changed()
                self.tell(audit)
                trouble = ""
            except StoreBrokenError:
                raise
            except (StoreError, CatalogueError) as error:
                if str(error) != trouble:
                    trouble = str(error)
                    _log.warning("the catalogue in force stays as it is: %s", trouble)
            await asyncio.sleep(LOOK_S)

    def _take_file(self, found: Read) -> None:
        self._read, self._disk = found, OnDisk(found.texts.digest)

    def _tell_broken(self, error: CatalogueError, standing: Version) -> None:
        self._disk = OnDisk("", is_broken=True)
        if not self.leads:
            for line in error.lines:
                _log.warning("not used, since this collector follows: %s", line)
            return
        for line in error.lines:
            _log.error("not taken, version %d of the catalogue stays in force: %s", standing.number, line)
        self._tell("catalogue-refused", "services.toml is not right and was not taken, version "
                   f"{standing.number} of the catalogue stays in force: {error.lines[0]}", standing,
                   logging.WARNING)  # fmt: skip

    def _record(self, *, asked: bool) -> None:
        """What is on disk becomes a version where it is news and this collector leads."""
        found, versions, collector = self._read, self.register.versions(), self.store.collector
        if not self.leads or found is None or not is_news(versions, found.texts.digest, collector, asked=asked):
            return
        has_past = self.store.evidence.known_since() is not None
        made = self.register.record(found, _proposer(self.config.services), self.clock().utc, has_past=has_past)
        if made.since is None:
            standing = versions.in_force()
            stays = "" if standing is None else f"; version {standing.number} stays in force"
            self._tell("catalogue-held", f"version {made.number} of the catalogue is held until it is approved{stays}: "
                       f"{'; '.join(made.touches)}", made, logging.WARNING)  # fmt: skip
        else:
            text = f"version {made.number} of the catalogue is in force, SHA-256 {made.digest}"
            self._tell("catalogue-version", text, made)

    def _is_overridden(self, before: Standing) -> bool:
        """Whether the other collector recorded what is in force now without knowing what is in force here."""
        now = self.register.standing()
        return (
            now is not None
            and now.version.collector != self.store.collector
            and now.version.entry != before.version.entry
            and now.version.digest != before.version.digest
            and not now.version.knew(before.version)
        )

    def _apply(self, *, anew: bool = False) -> None:
        self._mark = self.store.entries.mark()
        before, standing = self._standing, self.register.standing()
        if standing is None or standing != before or anew:
            self.rules = rules_of(self.config, standing)
        self._standing = standing
        if before is not None and standing is not None and before.version.entry != standing.version.entry:
            version = standing.version
            self._tell("catalogue-in-force", f"version {version.number} of the catalogue is in force", version)

    def _tell(self, name: str, text: str, version: Version, level: int = logging.INFO) -> None:
        self.news.append((name, text, level, version))


def _proposer(path: Path) -> str:
    """Whose change it is, as far as the file's owner tells: nobody's, where that is no person's account."""
    try:
        owner = path.stat().st_uid
        return "" if owner in {0, os.getuid()} else pwd.getpwuid(owner).pw_name
    except (OSError, KeyError):
        return ""
