"""Every peer that the laboratory knows, in the order in which they are shown."""

from __future__ import annotations

from lab.peers.icinga import Icinga
from lab.peers.peer import Peer
from lab.peers.place import Place
from lab.peers.prometheus import Prometheus
from lab.peers.zabbix import Zabbix


def all_peers(place: Place, interval_s: int) -> list[Peer]:
    """One of each, in a place, that looks each so many seconds."""
    return [kind(place, interval_s) for kind in (Prometheus, Zabbix, Icinga)]
