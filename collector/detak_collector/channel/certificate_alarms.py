"""What somebody must see to about certificates: an end that comes near, agents that refuse the one served. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from detak_collector.channel.certificate_files import WARN_DAYS, Period, end_warning
from detak_collector.channel.certificate_refusals import Refuser
from detak_collector.operating.alarms import Alarm
from detak_collector.translation.saying import counted, saying

REFUSED = "certificate-refused"
SHOWN_ADDRESSES = 3


def end_alarms(ends: Mapping[str, Period], now_utc: int) -> Iterator[Alarm]:
    """One for each certificate that ends soon; a key of its own for 60, 30 and 7 days, so that each is told of."""
    for name, period in ends.items():
        warning = end_warning(name, period, now_utc)
        if warning is not None:
            days, said = warning
            text = saying(
                "{said}. Agents refuse it then: `detak-collector certificate renew`, or have its authority renew it",
                said=said,
            )
            yield Alarm(f"{name}-certificate-ends-{days}", is_urgent=days == min(WARN_DAYS), text=text)


def refused_alarm(refusers: Sequence[Refuser], *, unheard: bool) -> Iterator[Alarm]:
    """Of agents that refuse the certificate. No address is named: the status page may be public."""
    if not refusers:
        return
    reason, _ = Counter(one.reason for one in refusers).most_common(1)[0]
    meaning = (
        saying("Nodes that are silent are not presumed down meanwhile: this collector cannot hear them")
        if unheard
        else saying("Their nodes cannot be heard")
    )
    text = counted(
        "agents refuse this collector's certificate: {number} address refuses it ({reason}). {meaning}. "
        "Put the former certificate back, or see `detak-collector certificate show`",
        "agents refuse this collector's certificate: {number} addresses refuse it ({reason}). {meaning}. "
        "Put the former certificate back, or see `detak-collector certificate show`",
        len(refusers),
        reason=saying(reason),
        meaning=meaning,
    )
    yield Alarm(REFUSED, is_urgent=True, text=text)


def told_addresses(refusers: Sequence[Refuser]) -> str:
    """For the log: the first few addresses."""
    shown = ", ".join(one.address for one in refusers[:SHOWN_ADDRESSES])
    return shown if len(refusers) <= SHOWN_ADDRESSES else f"{shown} and {len(refusers) - SHOWN_ADDRESSES} more"
