"""The queue of notices over each kind of store: in order, once, whatever is opened again in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from contracts.kinds import OpenStore
from detak_collector.notify.items import Event, Item, Message
from detak_collector.notify.queue import GIVE_UP_MS, KEPT_MS, PAUSES_MS, Standing, next_try
from detak_collector.store.entries import entries_of, take_entries
from detak_collector.store.parts import Store
from notified import NOW


def item(number: int, event: Event = Event.OPENED, at: int = NOW) -> Item:
    return Item(
        matter=f"outage {number}", event=event, kind="outage", subject="impor", name="CEISA Impor", at=at,
        begin=NOW, over=event is Event.CLOSED, detail="dc-db-01/pg: refused",
    )  # fmt: skip


def message(key: str, *items: Item, target: str = "noc") -> Message:
    return Message(key=key, target=target, event=items[0].event, items=items, made_utc=NOW)


@contextmanager
def on_duty(open_store: OpenStore) -> Iterator[Store]:
    """A store of the collector that does what must be done once."""
    with closing(open_store()) as store:
        store.duty.take()
        yield store


def told(store: Store, target: str = "noc") -> dict[str, str]:
    return {matter: str(one.event) for matter, one in store.notices.told(NOW).get(target, {}).items()}


def take_all(store: Store, target: str = "noc") -> list[str]:
    taken = []
    while (notice := store.notices.next(target, NOW)) is not None:
        store.notices.take(notice, "status 204", NOW)
        taken.append(notice.message.key)
    return taken


def test_what_is_kept_is_there_when_the_store_is_opened_again_and_goes_out_in_order_once(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        assert store.notices.add([message("b", item(1)), message("a", item(1, Event.CLOSED, NOW + 1))]) == 2
        assert store.notices.add([message("b", item(1))]) == 0
    with on_duty(open_store) as store:
        assert told(store) == {"outage 1": "closed"}
        assert take_all(store) == ["b", "a"]
    with on_duty(open_store) as store:
        assert told(store) == {"outage 1": "closed"}
        assert take_all(store) == []
        [first, second] = [one for one in store.entries.all() if one.kind == "notice"]
        assert (first.told["event"], second.told["event"]) == ("opened", "closed")
        assert "refused" not in first.body


def test_none_overtakes_the_one_before_it_and_no_target_waits_for_another(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        store.notices.add([message("a", item(1)), message("b", item(2)), message("c", item(1), target="further")])
        first = store.notices.next("noc", NOW)
        assert first is not None
        store.notices.put_off(first, next_try(1, NOW, NOW), "status 503", NOW)
        assert store.notices.next("noc", NOW + PAUSES_MS[0] - 1) is None
        assert take_all(store, "further") == ["c"]
        again = store.notices.next("noc", NOW + PAUSES_MS[0])
        assert again is not None
        assert (again.message.key, again.tries, again.said) == ("a", 1, "status 503")


def test_what_is_given_up_holds_up_nothing_and_is_not_decided_again(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        store.notices.add([message("a", item(1)), message("b", item(2))])
        first = store.notices.next("noc", NOW)
        assert first is not None
        assert next_try(9, NOW, NOW + GIVE_UP_MS) is None
        store.notices.put_off(first, None, "status 410", NOW)
        assert take_all(store) == ["b"]
        assert told(store) == {"outage 1": "opened", "outage 2": "opened"}
        assert [one.standing for one in store.notices.listing()] == [Standing.GIVEN_UP, Standing.SENT]


def test_who_does_not_lead_leaves_what_waits_and_counts_it_as_not_told(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        store.notices.add([message("a", item(1))])
        store.notices.settle({"noc"}, NOW, leads=False)
        assert take_all(store) == []
        assert told(store) == {}


def test_a_copy_that_goes_on_from_a_backup_sends_nothing_that_waited_in_it(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        store.notices.add([message("a", item(1))])
        here = store.instance.read()
        store.instance.keep(replace(here, epoch=here.epoch + 1))
        store.notices.settle({"noc"}, NOW, leads=True)
        assert take_all(store) == []
        store.notices.add([message("b", item(2))])
        assert take_all(store) == ["b"]


def test_what_is_over_is_listed_for_a_week(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        store.notices.add([message("a", item(1)), message("b", item(2), target="further")])
        take_all(store)
        store.notices.settle({"noc", "further"}, NOW + KEPT_MS + 1, leads=True)
        assert [one.message.key for one in store.notices.listing()] == ["b"]
        assert told(store) == {"outage 1": "opened"}


def test_the_other_collector_of_a_pair_learns_what_was_taken_from_the_log(
    new_store: Callable[[], OpenStore],
) -> None:
    with on_duty(new_store()) as one, on_duty(new_store()) as other:
        one.notices.add([message("a", item(1)), message("b", item(2))])
        assert told(other) == {}
        first = one.notices.next("noc", NOW)
        assert first is not None
        one.notices.take(first, "status 204", NOW)
        with one.database.reading() as connection:
            entries = entries_of(connection, "notice")
        with other.database.writing() as connection:
            take_entries(connection, entries)
        assert told(other) == {"outage 1": "opened"}


def test_what_waits_for_a_target_that_is_not_configured_any_more_is_left(open_store: OpenStore) -> None:
    with on_duty(open_store) as store:
        store.notices.add([message("a", item(1)), message("b", item(1), target="gone")])
        store.notices.settle({"noc"}, NOW, leads=True)
        assert (take_all(store), take_all(store, "gone")) == (["a"], [])
