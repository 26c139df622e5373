"""Commands that are imported when they are asked for."""

import subprocess
import sys

import pytest

from detak_collector.cli import COMMANDS
from detak_collector.commands.late import command_at


@pytest.mark.parametrize("name", COMMANDS)
def test_every_name_leads_to_the_command_of_that_name(name: str) -> None:
    assert command_at(COMMANDS[name]).name == name


def test_all_of_them_are_listed_and_one_that_is_asked_for_loads_no_other() -> None:
    listing = "from detak_collector import cli; cli.run(['--help'])"
    listed = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in listed] == []
    one = "import sys; from detak_collector import cli; cli.run(['nodes', '--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", one], capture_output=True, text=True, check=True).stdout.split()
    assert "detak_collector.commands.nodes" in loaded
    assert "detak_collector.commands.figures" not in loaded
