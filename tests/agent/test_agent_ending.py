import asyncio

import pytest

from detak_agent.ending import end_all


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def miss_the_first_cancellation() -> None:
    try:
        await wait_for_ever()
    except asyncio.CancelledError:
        await wait_for_ever()


async def break_down() -> None:
    raise ZeroDivisionError


@pytest.mark.asyncio
async def test_all_tasks_have_ended_also_those_that_miss_being_told_once() -> None:
    works = (wait_for_ever(), miss_the_first_cancellation(), break_down())
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.sleep(0)
    await asyncio.wait_for(end_all(tasks), 5)
    assert all(task.done() for task in tasks)


@pytest.mark.asyncio
async def test_without_a_task_nothing_is_waited_for() -> None:
    await asyncio.wait_for(end_all([]), 5)
