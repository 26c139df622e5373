"""Errors that the command line tells of and that no one part of the collector owns."""

from __future__ import annotations


class CannotServeError(Exception):
    """The collector cannot do its work here; the text says why and what to do."""


class EvidenceDisposedError(CannotServeError):
    """What was asked rests on evidence that was disposed of; the text says since when, and what there is instead."""


UNFINISHED = "a disposal of evidence was interrupted: give `detak-collector retention dispose` again first"


class FencedError(CannotServeError):
    """This copy of the store must not be served, now or later, until a person decides otherwise."""
