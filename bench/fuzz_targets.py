"""What `fuzz.py` throws bytes at: each reader of foreign bytes with the errors that it may raise, and valid seeds.

A reader that raises anything else has a fault.
"""

import gzip
import io
import itertools
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from detak_agent.authorities import certificates_in, keys_of
from detak_collector.bundle.facts import read_facts
from detak_collector.bundle.reading import read_bundle
from detak_collector.catalogue import CatalogueError, parse, parse_declarations, parse_exclusions
from detak_collector.catalogue.holiday_table import parse_holidays
from detak_collector.catalogue.place import Place
from detak_collector.channel.authority import issue, new_authority
from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.closing.timestamping import TimestampError
from detak_collector.copies.restore import BackupError
from detak_collector.ingest.validation import InvalidRecordError, check
from detak_collector.store.base import StoreError
from detak_collector.store.sqlite import open_store
from detak_wire import limits
from detak_wire.codec import InvalidMessageError, compress, decode, encode, inflate
from detak_wire.messages import Answer, Enrolled, Enrolment, Evidence, KeyRenewal, Problem, Stored
from evidence_builders import NODE, RUN, arrival, first_beat, later_beat, reading
from fuzz_files import CALENDAR, GRANTED, MAPPING, TICKETS, calendar, lists, mapping, past, past_seeds, stamp
from fuzz_pair import backup, learned, manifest, pair_seeds, read_backup, read_pair

SERVICES = Path(__file__).parents[1] / "config" / "services.toml"
FACT = b'{"node":"a","check":"db","state":"down","first":"2024-01-05T01:00:00Z","last":"2024-01-05T06:00:00Z"}\n'
EXCLUSION = (
    b'{"id":"x1","category":"planned","scope":{"service":"impor"},"from":"2026-03-01T15:00:00Z",'
    b'"to":"2026-03-01T17:00:00Z","document":"ND-12/2026","reason":"patch","proposed_by":"a",'
    b'"proposed_at":"2026-02-01T00:00:00Z","approved_by":"b","approved_at":"2026-02-02T00:00:00Z"}\n'
)
HOLIDAYS = b"date,name,kind,decree\n2026-01-01,Tahun Baru,national,SKB 3/2025\n2026-03-20,Cuti,joint-leave,SKB 3/2025\n"
CATALOGUE = (
    b'organisation = "O"\ntimezone = "Asia/Jakarta"\ntarget_percent = 0.1\n[[service]]\nid = "impor"\nname = "I"\n'
    b'criticality = "sangat kritis"\nhours = "kantor"\nprobes = ["e/w"]\n[[service.group]]\nname = "db"\n'
    b'category = "database"\nrule = "k_of_n"\nk = 1\nmembers = ["a/db", { check = "b/db", from = "2026-07-01" }]\n'
    b'[[calendar]]\nid = "kantor"\ntimezone = "Asia/Jakarta"\nweekly = { mon-fri = "07:30-17:00" }\n'
)
KINDS = (Evidence, Enrolment, KeyRenewal, Answer, Enrolled, Problem)


@dataclass(frozen=True)
class Target:
    """`read` is given bytes and may raise `refusals`; `is_json`: mutations keep to JSON, mostly."""

    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    is_json: bool = False


def targets() -> dict[str, Target]:
    """All of them by name."""
    seeds = (
        encode(first_beat()),
        encode(later_beat(3)),
        encode(Enrolment(1, NODE, "0" * 32)),
        encode(KeyRenewal(1, NODE)),
        encode(Answer(1, "c" * 16, 1, 2, {RUN: Stored(opened=True, mark=3, ranges=[(5, 6)], open={7: 8})}, 9)),
        encode(Problem("invalid", "no", "$.parts[0]", RUN, 3, 5)),
    )
    known, unfit = (InvalidMessageError, InvalidRecordError), (BackupError, OSError)
    return {
        "message": Target(_message, known, seeds, is_json=True),
        "packed": Target(lambda data: _message(inflate(data, 100_000)), known, tuple(map(compress, seeds))),
        "store": Target(_stored(), known, seeds[:2], is_json=True),
        "facts": Target(_facts, (CatalogueError,), (FACT, FACT * 3), is_json=True),
        "catalogue": Target(lambda data: parse(_text(data)), (CatalogueError,), (CATALOGUE, SERVICES.read_bytes())),
        "corrections": Target(_corrections(), (CatalogueError,), (EXCLUSION, _recurring()), is_json=True),
        "holidays": Target(_holidays, (CatalogueError,), (HOLIDAYS,)),
        "bundle": Target(_bundle(), (CatalogueError,), (_archive("w"), _archive("w:gz"))),
        "pair": Target(read_pair, (InvalidMessageError,), pair_seeds(), is_json=True),
        "learned": Target(
            learned(), (InvalidMessageError, ValueError, StoreError), (*pair_seeds()[2:5], _quiet()), is_json=True
        ),
        "manifest": Target(read_backup(lambda data: _gzip(backup(data))), unfit, (manifest(),), is_json=True),
        "backup": Target(read_backup(_gzip), unfit, (backup(manifest()),)),
        "calendar": Target(calendar(CATALOGUE), (CatalogueError,), (CALENDAR,)),
        "past": Target(past, (CatalogueError,), tuple(past_seeds())),
        "mapping": Target(mapping, (CatalogueError,), (MAPPING,)),
        "lists": Target(lists(), (ValueError,), (TICKETS, b"service;x\nimpor;1\n")),
        "stamp": Target(stamp, (TimestampError,), (GRANTED,)),
        "authorities": Target(lambda data: keys_of([data, *certificates_in(_text(data))]), (), _certificates()),
    }


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def _quiet() -> bytes:
    """An answer whose entries are all sound, so that it is taken whole."""
    told = msgspec.json.decode(pair_seeds()[3])
    return msgspec.json.encode({**told, "entries": told["entries"][:2]})


def _message(data: bytes) -> None:
    """As every kind of message; one that two readers take must come out of the codec as it went in."""
    refusal: InvalidMessageError | None = None
    for kind in KINDS:
        try:
            message = decode(data, kind)
        except InvalidMessageError as error:
            refusal = error
            continue
        assert decode(encode(message), kind) == message
        if isinstance(message, Evidence):
            check(message)
        return
    if refusal is not None:
        raise refusal


def _stored() -> Callable[[bytes], None]:
    """What passes the checks goes into a real store, one commit each, and the facts are read again."""
    folder = Path(tempfile.mkdtemp())
    store = open_store(folder, reading(1))
    redeem(store.registry, NODE, issue_token(store.registry, NODE, 1_000, reading(1)), reading(2))
    moments = itertools.count(10_000)

    def put(data: bytes) -> None:
        evidence = decode(data, Evidence)
        check(evidence)
        # Whose it is was settled by the key.
        now = reading(next(moments))
        (outcome,) = store.evidence.commit([arrival(replace(evidence, node=NODE), now)])
        if isinstance(outcome, InvalidRecordError):
            raise outcome
        store.evidence.node_facts(NODE, 0, limits.UTC_MS, now)

    return put


def _facts(data: bytes) -> None:
    place = Place("facts.ndjson", [])
    read_facts(io.BytesIO(data), place)
    place.settle()


def _corrections() -> Callable[[bytes], None]:
    catalogue = parse(CATALOGUE.decode())

    def read(data: bytes) -> None:
        text = _text(data)
        for entry in parse_exclusions(text, catalogue):
            list(entry.windows(1_800_000_000_000))
        parse_declarations(text.replace('"planned"', '"down"'), catalogue)

    return read


def _holidays(data: bytes) -> None:
    place = Place("holidays.csv", [])
    parse_holidays(_text(data), place)
    place.settle()


def _bundle() -> Callable[[bytes], None]:
    file = Path(tempfile.mkdtemp()) / "bundle.tar"

    def read(data: bytes) -> None:
        file.write_bytes(data)
        read_bundle(file)

    return read


def _archive(mode: str) -> bytes:
    packed = io.BytesIO()
    contents = {"services.toml": CATALOGUE, "facts.ndjson": FACT, "exclusions.ndjson": EXCLUSION}
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"bundle/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _recurring() -> bytes:
    return EXCLUSION.replace(b'"document"', b'"recurrence":"FREQ=MONTHLY;BYDAY=1SU;COUNT=9","document"')


def _certificates() -> tuple[bytes, ...]:
    authority = new_authority("O", 1_700_000_000_000)
    text = authority.certificate_pem
    return text, certificates_in(text.decode())[0], issue(authority, ["a", "10.0.0.1"], 1_700_000_000_000).chain


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
