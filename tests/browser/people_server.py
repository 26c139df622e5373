"""The pages of accounts as `people_stage` has them, served by a thread of its own beside a browser that waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from people_stage import Stage, people_stage


@contextmanager
def serving_people(folder: Path) -> Iterator[Stage]:
    """A stage that is served until the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        context = people_stage(folder)
        stage = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
        try:
            yield stage
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
