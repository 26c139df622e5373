"""A management controller by `ipmi_sim` of OpenIPMI, with a temperature, a fan and a power supply."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conftest import program_path
from peers.server_process import free_port, until

USER, PASSWORD = "monitor", "not-a-word"
TEMPERATURE, FAN, SUPPLY = 1, 2, 3
"""The numbers of the sensors."""

_NETWORK = """name "simulated"
user 2 true "{user}" "{password}" user 10
startlan 1
  addr 127.0.0.1 {port}
  priv_limit admin
  allowed_auths_user md5
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{folder}/chassis 0x20"
"""
_EVENTS = "enable scanning per-state" + " 000111111111111" * 4
_MACHINE = f"""mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 100 0x0a
main_sdr_add 0x20 {{temperature}}
sensor_add 0x20 0 {TEMPERATURE} 1 1
sensor_set_threshold 0x20 0 {TEMPERATURE} settable 111000 100 90 80 0 0 0
sensor_set_event_support 0x20 0 {TEMPERATURE} {_EVENTS}
sensor_set_value 0x20 0 {TEMPERATURE} 45 0
main_sdr_add 0x20 {{fan}}
sensor_add 0x20 0 {FAN} 4 1
sensor_set_threshold 0x20 0 {FAN} settable 000111 0 0 0 10 20 40
sensor_set_event_support 0x20 0 {FAN} {_EVENTS}
sensor_set_value 0x20 0 {FAN} 100 0
main_sdr_add 0x20 {{supply}}
sensor_add 0x20 0 {SUPPLY} 8 0x6f
sensor_set_bit 0x20 0 {SUPPLY} 0 1 0
mc_enable 0x20
"""
_DEGREES, _ROUNDS = 1, 18


def _full_record(number: int, name: str, kind: int, entity: int, unit: int) -> str:
    """A full sensor record (IPMI 2.0, table 43-1): one unit per count, six thresholds."""
    masks = [0x95, 0x7A, 0x95, 0x7A, 0x3F, 0x3F]
    linear = [0, unit, 0, 0, 1, *[0] * 9, 0xFF, *[0] * 12]
    return _record(1, [0x20, 0, number, entity, 1, 0x7F, 0x68, kind, 0x01, *masks, *linear], name)


def _compact_record(number: int, name: str, kind: int, entity: int) -> str:
    """A compact sensor record (table 43-2), of a sensor with states of its own kind."""
    masks = [0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F]
    return _record(2, [0x20, 0, number, entity, 1, 0x7F, 0x40, kind, 0x6F, *masks, 0xC0, 0, 0, 1, *[0] * 7], name)


def _record(kind: int, body: list[int], name: str) -> str:
    content = [*body, 0xC0 | len(name), *name.encode()]
    return " ".join(f"0x{byte:02x}" for byte in [0, 0, 0x51, kind, len(content), *content])


@dataclass(frozen=True)
class Controller:
    """A simulated controller, whose machine and sensors a test may change."""

    port: int
    folder: Path
    process: "subprocess.Popen[str]"

    def switch(self, *, on: bool) -> None:
        (self.folder / "power").write_text(str(int(on)))

    def order(self, command: str) -> None:
        """A command of ipmi_sim_cmd(5)."""
        assert self.process.stdin is not None
        prompts = self._prompts() + 1
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        # It carries a command out before it echoes the prompt for the next one.
        until(lambda: self._prompts() >= prompts, self._said)

    def measure(self, sensor: int, count: int) -> None:
        self.order(f"sensor_set_value 0x20 0 {sensor} {count} 0")

    def say(self, sensor: int, bit: int, *, on: bool) -> None:
        self.order(f"sensor_set_bit 0x20 0 {sensor} {bit} {int(on)} 0")

    def _said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _prompts(self) -> int:
        return self._said().count("> ")

    def answers(self) -> bool:
        where = ["-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(self.port), "-N", "1", "-R", "1"]
        command = [program_path("ipmitool"), *where, "-U", USER, "-P", PASSWORD, "-L", "USER", "mc", "info"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def simulated_controller() -> Iterator[Controller]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as at_end:
        folder, port = Path(name), free_port()
        (folder / "state").mkdir()
        (folder / "power").write_text("1")
        (folder / "chassis").write_text(f'#!/bin/sh\n[ "$2" = get ] && echo "$3:$(cat {folder}/power)"\nexit 0\n')
        (folder / "chassis").chmod(0o700)
        network = _NETWORK.format(user=USER, password=PASSWORD, port=port, folder=folder)
        (folder / "lan.conf").write_text(network)
        machine = _MACHINE.format(
            temperature=_full_record(TEMPERATURE, "CPU Temp", 1, 3, _DEGREES),
            fan=_full_record(FAN, "Fan 1", 4, 29, _ROUNDS),
            supply=_compact_record(SUPPLY, "PS1 Status", 8, 10),
        )
        (folder / "machine").write_text(machine)
        log = at_end.enter_context((folder / "log").open("w"))
        command = ["-c", str(folder / "lan.conf"), "-f", str(folder / "machine"), "-s", str(folder / "state")]
        process = at_end.enter_context(
            subprocess.Popen(
                [program_path("ipmi_sim"), *command], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
            )
        )
        at_end.callback(process.kill)
        controller = Controller(port, folder, process)
        until(controller.answers, controller._said)
        yield controller
