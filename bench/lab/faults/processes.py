"""Faults of processes and applications."""

from __future__ import annotations

import signal
from collections.abc import Callable

from lab.faults.base import Fault
from lab.host import until
from lab.making import ADDRESS, WRONG_ADDRESS, show, write_zone
from lab.stage import Lab
from lab.truth import now_ms

PROCESSES = ("pekerja-dc2", "pekerja-drc2")
PAGES = ("impor", "ekspor", "lapor")
WITHIN_S = 20.0


def _ended_by(number: signal.Signals, service: str) -> Callable[[Lab], None]:
    return lambda lab: lab.program(service).kill(number)


def _sent(number: signal.Signals, service: str) -> Callable[[Lab], None]:
    return lambda lab: lab.program(service).send(number)


def _started(service: str) -> Callable[[Lab], None]:
    return lambda lab: lab.program(service).start()


def _told(service: str, words: str) -> Callable[[Lab], None]:
    return lambda lab: lab.tell(service, words)


def _slow(service: str) -> Callable[[Lab], None]:
    return lambda lab: lab.tell(service, f"slow {2 * lab.pace.timeout_ms}")


def _out_of_memory(service: str) -> Callable[[Lab], int]:
    """The kernel ends it as soon as it has too much."""

    def inject(lab: Lab) -> int:
        program = lab.program(service)
        alive = now_ms()
        lab.tell(service, "eat")

        def is_gone() -> bool:
            nonlocal alive
            asked = now_ms()
            if program.is_running:
                alive = asked
                return False
            return True

        until(f"{service} is out of memory", is_gone, WITHIN_S)
        return alive

    return inject


def _started_modestly(service: str) -> Callable[[Lab], None]:
    def heal(lab: Lab) -> None:
        lab.tell(service, "ok")
        lab.program(service).start()

    return heal


def _certificate(name: str) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        show(lab.certificates, name)
        lab.program("sertifikat").send(signal.SIGHUP)
        until(f"certificate {name} is shown", lambda: lab.is_well("sertifikat") is (name == "good"), WITHIN_S)

    return act


def _zone(address: str) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        write_zone(lab.hosts["dc2"], address, serial=now_ms() // 1_000 % 2_000_000_000)
        lab.program("nama").send(signal.SIGHUP)
        until(f"{address} is served", lambda: lab.is_well("nama") is (address == ADDRESS), WITHIN_S)

    return act


KILL, STOP, GO_ON, TERMINATE = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGTERM

FAULTS = (
    *(Fault("process killed", (one,), _ended_by(KILL, one), _started(one), detected="process", of=one)
      for one in PROCESSES),
    *(Fault("process stopped", (one,), _sent(STOP, one), _sent(GO_ON, one), at_once=True, of=one)
      for one in PROCESSES),
    *(Fault("process ended", (one,), _ended_by(TERMINATE, one), _started(one), detected="process", of=one)
      for one in ("lapor",)),
    *(Fault("application killed", (one,), _ended_by(KILL, one), _started(one), detected="process", of=one)
      for one in PAGES),
    *(Fault("application hangs", (one,), _sent(STOP, one), _sent(GO_ON, one), detected="hang", at_once=True, of=one)
      for one in PAGES),
    *(Fault("answers too slow", (one,), _slow(one), _told(one, "ok"), detected="hang", at_once=True, of=one)
      for one in PAGES),
    *(Fault("answers with errors", (one,), _told(one, "error"), _told(one, "ok"), at_once=True, of=one)
      for one in PAGES),
    Fault("answers a wrong page", ("lapor",), _told("lapor", "wrong"), _told("lapor", "ok"), at_once=True),
    Fault("out of memory", ("impor",), _out_of_memory("impor"), _started_modestly("impor"), detected="process"),
    Fault("web server killed", ("portal",), _ended_by(KILL, "portal"), _started("portal"),
          detected="process"),
    Fault("web server stopped", ("portal",), _sent(STOP, "portal"), _sent(GO_ON, "portal"),
          detected="hang", at_once=True),
    Fault("certificate expired", ("sertifikat",), _certificate("expired"), _certificate("good")),
    Fault("certificate of another", ("sertifikat",), _certificate("foreign"), _certificate("good")),
    Fault("redis killed", ("antrean",), _ended_by(KILL, "antrean"), _started("antrean"), detected="process"),
    Fault("redis hangs", ("antrean",), _sent(STOP, "antrean"), _sent(GO_ON, "antrean"), detected="hang", at_once=True),
    Fault("name server killed", ("nama",), _ended_by(KILL, "nama"), _started("nama"), detected="process"),
    Fault("name server answers wrongly", ("nama",), _zone(WRONG_ADDRESS), _zone(ADDRESS)),
)  # fmt: skip
