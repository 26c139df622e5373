"""A real slapd on loopback with some people, groups that list their members, and TLS."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.checks.check_stage import Certificates
from conftest import program_path
from peers.server_process import Server, as_user, copied, free_port, hand_over, own_folder

USER = "openldap"
BASE = "dc=example,dc=go,dc=id"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
READER = f"cn=detak,{BASE}"
READER_PASSWORD = "r3ader"

_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
{more}
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw admin
directory {folder}/data
maxsize 10485760
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""

_ENTRIES = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: detak
userPassword: {READER_PASSWORD}

dn: uid=siti,{PEOPLE}
objectClass: inetOrgPerson
uid: siti
cn: Siti Rahma
sn: Rahma
mail: siti@example.go.id
userPassword: kuda baterai

dn: uid=agus,{PEOPLE}
objectClass: inetOrgPerson
uid: agus
cn: Agus
sn: Agus
userPassword: agus-password

dn: cn=twin one,{PEOPLE}
objectClass: inetOrgPerson
uid: twin
cn: twin one
sn: Twin
userPassword: twin-password

dn: cn=twin two,{PEOPLE}
objectClass: inetOrgPerson
uid: twin
cn: twin two
sn: Twin
userPassword: twin-password

dn: cn=noc,{GROUPS}
objectClass: groupOfNames
cn: noc
member: uid=siti,{PEOPLE}

dn: cn=ict,{GROUPS}
objectClass: groupOfUniqueNames
cn: ict
uniqueMember: uid=siti,{PEOPLE}
uniqueMember: uid=agus,{PEOPLE}

dn: cn=auditors,{GROUPS}
objectClass: posixGroup
cn: auditors
gidNumber: 1000
memberUid: agus
"""


@dataclass
class Slapd:
    """A running server."""

    folder: Path
    port: int
    tls_port: int
    server: Server

    @property
    def plain(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def secure(self) -> str:
        return f"ldaps://localhost:{self.tls_port}"

    def modify(self, ldif: str) -> None:
        """Changes entries, as an administrator of the directory."""
        command = ["ldapmodify", "-x", "-H", self.plain, "-D", f"cn=admin,{BASE}", "-w", "admin"]
        subprocess.run([program_path(command[0]), *command[1:]], input=ldif.encode(), check=True, capture_output=True)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.server.stop()
        try:
            yield
        finally:
            self.server.start()


@contextlib.contextmanager
def running(certificates: Certificates, more: str = "", certificate: str = "good") -> Iterator[Slapd]:
    with own_folder(USER) as folder:
        port, tls_port = free_port(), free_port()
        (folder / "data").mkdir()
        hand_over(folder / "data", USER)
        files = {
            "authority": copied(Path(certificates.authority), folder / "authority.pem", USER),
            "certificate": copied(certificates.path(certificate), folder / "server.pem", USER),
            "key": copied(Path(certificates.key), folder / "server.key", USER),
        }
        configuration, entries = folder / "slapd.conf", folder / "entries.ldif"
        configuration.write_text(_CONFIGURATION.format(folder=folder, base=BASE, more=more, **files))
        entries.write_text(_ENTRIES)
        for path in (configuration, entries):
            hand_over(path, USER)
        add = [program_path("slapadd"), "-f", str(configuration), "-l", str(entries)]
        subprocess.run([*as_user(USER), *add], check=True, capture_output=True)
        listened = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
        # With -d it stays in the foreground, and says so little that the log stays small.
        command = [*as_user(USER), program_path("slapd"), "-f", str(configuration), "-h", listened, "-d", "0"]
        slapd = Slapd(folder, port, tls_port, Server(command, folder / "log", lambda: _answers(port)))
        try:
            slapd.server.start()
            yield slapd
        finally:
            slapd.server.stop(signal.SIGKILL)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
        return True
    return False
