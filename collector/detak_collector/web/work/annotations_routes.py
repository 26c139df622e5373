"""Adds what people say of outages to an application: pages, attachments, notes and the API, over one desk."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from detak_collector.rules import Rules
from detak_collector.web.people import People
from detak_collector.web.work.annotations import AnnotationPages
from detak_collector.web.work.annotations_api import AnnotationApi
from detak_collector.web.work.annotations_desk import Desk
from detak_collector.web.work.annotations_files import FilePages
from detak_collector.web.work.annotations_notes import NotePages


def add_annotations(app: web.Application, people: People, rules: Callable[[], Rules], beat: Callable[[], None]) -> Desk:
    """Adds the routes; the desk tells other pages what was said. `beat` has the status page drawn anew."""
    desk = Desk(people, rules, beat)
    app.add_routes([*AnnotationPages(desk).routes(), *FilePages(desk).routes(), *NotePages(desk).routes()])
    app.add_routes(AnnotationApi(desk).routes())
    return desk
