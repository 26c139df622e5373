"""What `fuzz.py` throws at the readers of files and answers that people and other programs hand in.

Calendars, exports of past outages with mappings of one's own, lists to reconcile with, and a time-stamp authority.
"""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

from detak_collector.catalogue import parse
from detak_collector.closing.listed import read_decree, read_tickets
from detak_collector.closing.terms import TimestampPlace
from detak_collector.closing.timestamping import response_in
from detak_collector.decisions.calendar_events import Defaults
from detak_collector.decisions.calendar_file import read_calendar
from detak_collector.past.mapping import MAPPINGS, read_mapping
from detak_collector.past.outages import Wanted, read_outages

NOW = 1_800_000_000_000
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VTIMEZONE\r\nTZID:SE Asia Standard Time\r\n"
    b"BEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0700\r\nTZOFFSETTO:+0700\r\nEND:STANDARD\r\n"
    b"END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Patch\r\nDTSTART;TZID=SE Asia Standard Time:20260301T220000\r\n"
    b"DTEND;TZID=SE Asia Standard Time:20260302T000000\r\nRRULE:FREQ=MONTHLY;BYDAY=1SU;COUNT=9\r\n"
    b"EXDATE;TZID=SE Asia Standard Time:20260405T220000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\n"
    b"RECURRENCE-ID:20260503T150000Z\r\nDTSTART:20260503T160000Z\r\nDURATION:PT2H\r\nSUMMARY:moved\r\nEND:VEVENT\r\n"
    b"BEGIN:VEVENT\r\nUID:b\r\nDTSTART;VALUE=DATE:20260310\r\nSUMMARY:day\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n"
    b"END:VCALENDAR\r\n"
)
ZABBIX = (
    b'"Severity","Time","Recovery time","Status","Host","Problem"\n'
    b'"High","2024-01-05 08:00:00 AM","2024-01-05 09:00:00 AM","RESOLVED","portal-1","Down"\n'
)
KUMA = b"monitor,time,status,msg\nportal,2024-01-05 01:00:00.123,0,x\nportal,2024-01-05 02:00:00.123,1,ok\n"
NAGIOS = b"[1704416400] HOST ALERT: fw;DOWN;HARD;3;PING CRITICAL\n[1704420000] HOST ALERT: fw;UP;HARD;3;ok\n"
MAPPING = (
    b'rows = "outages"\ntimes = ["%d/%m/%Y %H.%M", "iso"]\ntimezone = "Asia/Makassar"\ndelimiter = ";"\n'
    b'encoding = "cp1252"\n[columns]\nbegin = "Mulai"\nminutes = "Lama"\nobject = ["L"]\n[only]\nS = ["a"]\n'
    b'[services]\n"P*" = "impor"\n'
)
MAPPED = b"Mulai;Lama;L;S\n05/01/2024 08.00;12,5;Portal;a\n"
TICKETS = b"layanan,tiket,mulai,selesai\nimpor,T1,1767600000,1767603600\n"
GRANTED = bytes.fromhex("3003020100")
"""A time stamp's response that says it is granted, and has none."""

_WANTED = Wanted(["impor"], "impor", ignoring=False, zone=ZoneInfo("Asia/Jakarta"))


def calendar(catalogue: bytes) -> Callable[[bytes], object]:
    """An iCalendar file that an operator hands in."""
    known, said = parse(catalogue.decode()), Defaults("planned", {"service": "impor"}, "ND-1")
    return lambda data: read_calendar(data, "calendar.ics", said, known)


def past(data: bytes) -> None:
    """The export of another tool; the first byte chooses which."""
    mappings = [*MAPPINGS.values(), read_mapping(MAPPING, "mapping.toml")]
    mapping = mappings[data[0] % len(mappings)] if data else mappings[0]
    read_outages(data[1:], "past.csv", mapping, _WANTED, NOW)


def past_seeds() -> Iterable[bytes]:
    """Each export behind the byte that chooses its reader."""
    own = len(MAPPINGS).to_bytes(1, "big") + MAPPED
    exports = {"zabbix": ZABBIX, "uptime-kuma": KUMA, "nagios": NAGIOS}
    return [*(bytes([list(MAPPINGS).index(name)]) + told for name, told in exports.items()), own]


def mapping(data: bytes) -> None:
    """A mapping of one's own, and an export read by it."""
    read_outages(MAPPED, "past.csv", read_mapping(data, "mapping.toml"), _WANTED, NOW)


def lists() -> Callable[[bytes], None]:
    """The services of a decree, and the tickets of a service desk."""
    file = Path(tempfile.mkdtemp()) / "list.csv"

    def moment(words: str, place: str) -> int:
        try:
            return int(words)
        except ValueError:
            raise ValueError(f"{place}: no moment") from None

    def read(data: bytes) -> None:
        file.write_bytes(data)
        (read_decree if data[:1] == b"s" else lambda path: read_tickets(path, moment))(file)

    return read


def stamp(data: bytes) -> None:
    """What a time-stamp authority answers."""
    response_in(TimestampPlace("http://tsa.example", Path("tsa.pem")), data)
