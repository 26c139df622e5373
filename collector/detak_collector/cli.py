"""`detak-collector`: the command line. It turns every error into one clear line and an exit code.

0: fine. 1: the answer is bad news. 2: usage or configuration. 3: it could not be done.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from detak_collector.catalogue import CatalogueError
from detak_collector.channel.certificate_files import CertificateError
from detak_collector.commands.late import LateGroup
from detak_collector.commands.session import EXIT_CONFIGURATION, EXIT_COULD_NOT, Session
from detak_collector.config import ConfigurationError
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.errors import CannotServeError, FencedError
from detak_collector.operating import logs
from detak_collector.store.base import StoreError

DEFAULT_CONFIG = Path("/etc/detak/collector.toml")
PRIVATE = 0o077
AS_WHOM = ": run this as root, or as the user of the collector"
COMMANDS = {
    "adopt": "backup.adopt",
    "backup": "backup.backup",
    "bundle": "bundle.bundle",
    "calendar": "calendar.calendar",
    "catalogue": "catalogue.catalogue_group",
    "certificate": "certificate.certificate",
    "config-check": "setup.config_check",
    "declare": "declare.declare",
    "difference": "difference.difference_command",
    "doctor": "doctor.doctor",
    "enroll": "nodes.enroll",
    "exclude": "exclude.exclude",
    "explain": "figures.explain_command",
    "history": "history.history",
    "incidents": "incidents.incidents",
    "init": "setup.init",
    "ledger": "ledger.ledger_group",
    "mail": "mail.mail_group",
    "move": "backup.move",
    "nodes": "fleet.nodes",
    "notify": "notify.notify_group",
    "pair": "pair.pair",
    "past": "past.past",
    "promote": "pair.promote",
    "recompute": "figures.recompute",
    "reconcile": "reconcile.reconcile_command",
    "report": "figures.report",
    "restate": "restate.restate",
    "restore": "backup.restore",
    "retention": "retention.retention",
    "revoke": "nodes.revoke",
    "rollup": "rollup.rollup",
    "seal": "seal.seal",
    "serve": "serve.serve",
    "status": "figures.status",
    "store": "store.store_group",
    "summary": "summary.summary_command",
    "token": "tokens.token",
    "user": "users.user",
    "verify": "ledger.verify",
}
"""By name: its module under commands, and what it is called there."""


@click.group(cls=LateGroup, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="detak-collector", prog_name="detak-collector")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    metavar="FILE",
    help="The configuration.",
)
@click.option("--debug", is_flag=True, help="Log more, and show where an error arose.")
@click.pass_context
def group(context: click.Context, config: Path, debug: bool) -> None:  # noqa: FBT001 - click's own form
    """Receives evidence from the agents, derives downtime from it, and shows and reports the figure."""
    logs.configure(debug=debug)
    context.obj = Session.begin(config, debug=debug)


def main() -> None:
    """The program."""
    # What is made here holds keys: nobody else on this machine reads it.
    os.umask(PRIVATE)
    if "serve" in sys.argv:
        # It waits until the server takes it as the word to reload: before that it would end the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # A command makes up to a million things that stay, and few circles: looking for those costs a tenth of its time.
    gc.disable()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code."""
    try:
        return int(group.main(arguments, prog_name="detak-collector", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has gone; Python must not find out once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_COULD_NOT
    except Exception as error:
        lines, code = _told(error)
        if lines is None and "--debug" in arguments:
            raise
        lines = lines or [f"could not: {type(error).__name__}: {error} (--debug shows where)"]
        for line in lines:
            click.echo(line, err=True)
        _tell_systemd(lines[0])
        return code


def _tell_systemd(line: str) -> None:
    """What `systemctl status` shows of a service that ended: its journal's lines are often not shown there any more."""
    if "NOTIFY_SOCKET" in os.environ:
        from detak_collector.operating.systemd import notify  # noqa: PLC0415 - no other command needs it

        notify(f"STATUS={line}")


def _told(error: Exception) -> tuple[Sequence[str] | None, int]:
    """What to say of an error, None where it is a fault of this program, and the exit code."""
    match error:
        case ConfigurationError():
            return error.faults, EXIT_CONFIGURATION
        case CatalogueError() | JointLeaveUnknownError():
            return error.lines, EXIT_CONFIGURATION
        case CannotServeError() | StoreError() | CertificateError():
            # systemd starts a collector again that could not, and never one that may not.
            return [str(error)], EXIT_CONFIGURATION if isinstance(error, FencedError) else EXIT_COULD_NOT
        case click.Abort():
            return ["stopped"], EXIT_COULD_NOT
        case OSError():
            hint = AS_WHOM if isinstance(error, PermissionError) else ""
            return [f"{error.filename}: {error.strerror}{hint}" if error.filename else str(error)], EXIT_COULD_NOT
        case _:
            return None, EXIT_COULD_NOT
