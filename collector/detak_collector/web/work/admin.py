"""Adds the pages and the API of administrators to an application: people, nodes, versions of the catalogue."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from detak_collector.channel.enrol import Keyring
from detak_collector.rules import Rules
from detak_collector.store.place import StorePlace
from detak_collector.web.people import People
from detak_collector.web.work.admin_api import AdminApi
from detak_collector.web.work.admin_catalogue import CatalogueDesk
from detak_collector.web.work.admin_catalogue_pages import CataloguePages
from detak_collector.web.work.admin_desk import Desk
from detak_collector.web.work.admin_nodes_pages import NodesPages
from detak_collector.web.work.admin_pages import Administration
from detak_collector.web.work.admin_people_pages import PeoplePages
from detak_collector.web.work.admin_retention import RetentionOffice
from detak_collector.web.work.admin_retention_api import RetentionApi
from detak_collector.web.work.admin_retention_pages import RetentionPages


def add_administration(
    app: web.Application, people: People, keyring: Keyring, place: StorePlace, rules: Callable[[], Rules],
    beat: Callable[[], None],
) -> CatalogueDesk:  # fmt: skip
    """Adds the routes. `rules` are those of now, with corrections; `beat` has the status page drawn anew."""
    desk = Desk(people, keyring, place, rules, beat)
    base, catalogue, office = Administration(desk), CatalogueDesk(desk), RetentionOffice(desk)
    app.add_routes(
        [
            *PeoplePages(base).routes(),
            *NodesPages(base).routes(),
            *CataloguePages(base, catalogue).routes(),
            *RetentionPages(base, office).routes(),
            *AdminApi(desk, catalogue).routes(),
            *RetentionApi(desk, office).routes(),
        ]
    )
    app.on_cleanup.append(lambda _: office.close())
    return catalogue
