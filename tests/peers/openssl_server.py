"""`openssl s_server` on loopback, which wants a client certificate and says why it refuses one."""

import contextlib
import subprocess
from collections.abc import Iterator

from agent.checks.check_stage import Certificates


@contextlib.contextmanager
def wanting_a_certificate(program: str, certificates: Certificates, version: str) -> Iterator[int]:
    """The port of a server that speaks `version` ("tls1_2", "tls1_3") to holders of a good certificate."""
    command = [
        program, "s_server", "-accept", "127.0.0.1:0", f"-{version}", "-Verify", "1", "-verify_return_error",
        "-cert", str(certificates.path("good")), "-key", certificates.key, "-CAfile", certificates.authority,
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = next(line for line in process.stdout if line.startswith("ACCEPT"))
            yield int(said.rpartition(":")[2])
        finally:
            process.kill()
