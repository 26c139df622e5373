"""What `fuzz.py` throws at the readers of another collector's bytes: the messages of a pair, and backups.

Only who has a key sends the former, and only an operator restores the latter; neither may end a collector all the same.
"""

import hashlib
import io
import itertools
import json
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from detak_collector.copies.manifest import FORMAT, MANIFEST, STORE, Manifest, Member
from detak_collector.copies.restore import read
from detak_collector.pair.entry import PROMOTION, RULING, contradictions
from detak_collector.pair.fetching import relayed_arrival, version_arrival
from detak_collector.pair.messages import (
    Answered,
    Ask,
    EntryLine,
    Marks,
    OutageLine,
    Paired,
    Pairing,
    Records,
    RunLine,
    RunRecords,
    StaleRun,
    UnheardLine,
    VersionLine,
    Wanted,
    WantedRun,
    WatchLine,
    entry_of,
)  # fmt: skip
from detak_collector.store.base import Arrival
from detak_collector.store.holdings import lacking, records_of
from detak_collector.store.learning import add_nodes, learn, mark_records
from detak_collector.store.peers import Peer
from detak_collector.store.sqlite import open_store
from detak_collector.store.telling import answer
from detak_wire.codec import InvalidMessageError, decode, encode
from evidence_builders import NODE, RUN, first_beat, reading

OTHER = "c" * 16
KINDS = (Pairing, Paired, Ask, Answered, Wanted, Records)
DEEP = "[" * 3_000 + "]" * 3_000


def pair_seeds() -> tuple[bytes, ...]:
    """One of each message, all its fields filled."""
    part = first_beat().parts[0]
    entries = [
        _entry(0, RULING, {"kind": "split", "outages": [1, 2], "reason": "r", "undoes": None}),
        _entry(1, PROMOTION, {"reason": "r", "least_number": 7}),
        EntryLine("2" * 32, "later", 5, "a", OTHER, {OTHER: 2}, DEEP),
    ]
    told = Answered(
        protocol=1, collector=OTHER, epoch=1, now_utc=1_000, leads=True, services="d" * 16, marks=Marks(1, 2, 3, 4, 5),
        last_change=9, more=False, entries=entries,
        watch=[WatchLine(OTHER, "b007ed", 1, 2, "stop")],
        unheard=[UnheardLine(OTHER, NODE, 1, 2)],
        outages=[
            OutageLine(1, "s", 1, 2, running=False, merged_into=None, first_derived_utc=1),
            OutageLine(2, "s", 2, 3, running=False, merged_into=1, first_derived_utc=1),
        ],
        runs=[RunLine(NODE, RUN, [(1, 9)], stopped=True)], silent={NODE: 5}, hears={NODE: 6}, ahead=[(NODE, RUN)],
        contradicted=[VersionLine(NODE, part)],
    )  # fmt: skip
    ask = Ask(1, OTHER, leads=False, services="d" * 16, marks=Marks(), runs_until=0, stale=[StaleRun(NODE, RUN, 5)])
    return (
        encode(Pairing(1, "t" * 64, OTHER, "https://drc.example:8443", "k" * 64, "PEM")),
        encode(Paired(OTHER, "k" * 64)),
        encode(ask),
        encode(told),
        encode(Wanted(1, [WantedRun(NODE, RUN, [(1, 9)], open=True)])),
        encode(Records([RunRecords(NODE, part, "stop", 5_000)])),
    )


def _entry(number: int, kind: str, body: dict[str, object]) -> EntryLine:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return EntryLine(f"{number}" * 32, kind, 5, "siti", OTHER, {OTHER: number}, text)


def read_pair(data: bytes) -> None:
    """As every kind of message, which must come out of the codec as it went in; then what is in it, as it is taken."""
    refusal: InvalidMessageError | None = None
    for kind in KINDS:
        try:
            message = decode(data, kind)
        except InvalidMessageError as error:
            refusal = error
            continue
        assert decode(encode(message), kind) == message
        if isinstance(message, Answered):
            for line in message.entries:
                with suppress(ValueError):
                    entry_of(line)
            for one in message.contradicted:
                version_arrival(one, reading(5))
        if isinstance(message, Records):
            for records in message.runs:
                relayed_arrival(records, reading(5))
        return
    if refusal is not None:
        raise refusal


def learned() -> Callable[[bytes], None]:
    """What decodes is taken into a real store as a follower takes it, and asked of it again."""
    store = open_store(Path(tempfile.mkdtemp()), reading(1))
    store.peers.put(Peer(OTHER, "http://127.0.0.1:9", "k", None), b"k", 1)
    moments = itertools.count(10_000)

    def take(data: bytes) -> None:
        now = reading(next(moments))
        try:
            told = msgspec.structs.replace(decode(data, Answered), collector=OTHER)
        except InvalidMessageError:
            with store.database.reading() as connection:
                _asked(data, connection, now)
            return
        with store.database.writing() as connection:
            learn(connection, told, 1, leads=False)
            mark_records(connection, told, 1)
            for line in told.runs:
                lacking(connection, line)
        found = [version_arrival(one, now) for one in told.contradicted]
        arrivals: list[Arrival] = [one for one in found if one is not None]
        with store.database.writing() as connection:
            add_nodes(connection, {one.node for one in arrivals}, now.utc)
        if arrivals:
            store.evidence.commit(arrivals)
        list(contradictions(store.entries.all()))

    def _asked(data: bytes, connection: object, now: object) -> None:
        try:
            answer(connection, decode(data, Ask), now, leads=True, services="")  # type: ignore[arg-type]
        except InvalidMessageError:
            records_of(connection, decode(data, Wanted).runs)  # type: ignore[arg-type]

    return take


def manifest() -> bytes:
    """Of a backup with two files, as `backup` writes it."""
    members = [
        Member(STORE, "store", "detak.sqlite", 5, "0" * 64, 0o600),
        Member("files/000-collector.toml", "configuration", "collector.toml", SIZE, DIGEST, 0o644, "root"),
        Member("files/001-services.toml", "beside", "services.toml", SIZE, DIGEST, 0o644),
    ]
    return msgspec.json.encode(Manifest(FORMAT, 5, "0.1.0", OTHER, 1, ["0001_evidence"], members, "3:" + "0" * 64))


CONFIGURATION = b'state_directory = "state"\n'
SIZE = len(CONFIGURATION)
DIGEST = hashlib.sha256(CONFIGURATION).hexdigest()


def backup(content: bytes) -> bytes:
    """A whole archive with this manifest."""
    packed = io.BytesIO()
    files = {"files/000-collector.toml": CONFIGURATION, "files/001-services.toml": CONFIGURATION, STORE: b"store"}
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, octets in {MANIFEST: content, **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))
    return packed.getvalue()


def read_backup(packed: Callable[[bytes], bytes]) -> Callable[[bytes], None]:
    """All that `restore` looks at before it writes anything, of an archive that is made of the input."""
    folder = Path(tempfile.mkdtemp())

    def look(data: bytes) -> None:
        archive = folder / "b.tar.gz"
        archive.write_bytes(packed(data))
        found = read(archive)
        config = folder / "etc" / "collector.toml"
        found.differing(config)
        found.state_directory(config)

    return look
