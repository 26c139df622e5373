"""People of a directory, asked of a real slapd: whose password it is, which groups, and what is no way in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.checks.check_stage import Certificates, make_certificates
from conftest import program_path
from detak_collector.accounts.directory import Directory
from detak_collector.accounts.directory_answer import DirectoryError, Found
from detak_collector.accounts.roles import Role
from detak_collector.accounts.sign_in_file import DirectoryPlace
from peers.slapd_server import GROUPS, PEOPLE, READER, READER_PASSWORD, Slapd, running
from people_stage import TERMS, people_stage

pytestmark = pytest.mark.peers("slapd", "slapadd", "ldapmodify", "openssl", "setpriv")
ROLES = {f"CN=noc, {GROUPS}": Role.OPERATOR, f"cn=ict,{GROUPS}": Role.VIEWER, f"cn=auditors,{GROUPS}": Role.AUDITOR}
SITI = Found("siti", "Siti Rahma", "siti@example.go.id", frozenset({Role.OPERATOR, Role.VIEWER}))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def slapd(certificates: Certificates) -> Iterator[Slapd]:
    with running(certificates) as one:
        yield one


@pytest.fixture
def place(slapd: Slapd, certificates: Certificates) -> DirectoryPlace:
    """Bound as the person, groups searched for."""
    return DirectoryPlace(
        (slapd.secure,), PEOPLE, Path(certificates.authority), "uid", f"uid={{name}},{PEOPLE}", None, None, GROUPS,
        3_000, ROLES,
    )  # fmt: skip


@pytest.fixture
def searching(place: DirectoryPlace, tmp_path: Path) -> DirectoryPlace:
    """The same by an account that may search."""
    password = tmp_path / "password"
    password.write_text(f"{READER_PASSWORD}\n")
    return replace(place, bind_as=None, search_as=READER, search_password_file=password)


@pytest.fixture(params=["binding", "searching"])
def either(request: pytest.FixtureRequest, place: DirectoryPlace, searching: DirectoryPlace) -> DirectoryPlace:
    return place if request.param == "binding" else searching


def test_the_right_password_tells_who_it_is_and_of_which_groups(either: DirectoryPlace) -> None:
    directory = Directory(either)
    assert directory.authenticate("siti", "kuda baterai") == SITI
    agus = directory.authenticate("agus", "agus-password")
    assert agus == Found("agus", "Agus", "", frozenset({Role.VIEWER, Role.AUDITOR}))


@pytest.mark.parametrize("name", ["siti", "nobody", "*", "s*", "siti)(uid=*", "siti,ou=people", "", "sit\\69", "twin"])
@pytest.mark.parametrize("password", ["wrong", "", "\0", "twin-password"])
def test_nobody_gets_in_by_another_password_or_by_a_name_that_is_a_query(
    either: DirectoryPlace, name: str, password: str
) -> None:
    assert Directory(either).authenticate(name, password) is None


@pytest.mark.parametrize("name", ["*", "s*", "siti)(uid=*", "si*ti", "uid=siti"])
def test_a_query_as_a_name_finds_nobody_even_with_a_good_password(either: DirectoryPlace, name: str) -> None:
    assert Directory(either).authenticate(name, "kuda baterai") is None


def test_groups_are_read_from_the_person_where_groups_are_not_searched(slapd: Slapd, searching: DirectoryPlace) -> None:
    slapd.modify(
        f"dn: cn=extra,{GROUPS}\nchangetype: add\nobjectClass: groupOfNames\ncn: extra\nmember: uid=agus,{PEOPLE}\n"
    )
    roles = {f"cn=extra,{GROUPS}": Role.ADMIN}
    own = replace(searching, groups_base=None, roles=roles)
    found = Directory(own).authenticate("agus", "agus-password")
    assert found is not None
    assert found.roles == {Role.ADMIN}


def test_start_tls_is_spoken_where_plain_ldap_is_named(slapd: Slapd, place: DirectoryPlace) -> None:
    by_name = (f"ldap://localhost:{slapd.port}",)
    assert Directory(replace(place, urls=by_name)).authenticate("siti", "kuda baterai") == SITI


def test_on_this_machine_plain_ldap_is_spoken_where_no_authority_is_named(slapd: Slapd, place: DirectoryPlace) -> None:
    plain = replace(place, urls=(slapd.plain,), ca_file=None)
    assert Directory(plain).authenticate("siti", "kuda baterai") == SITI


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_certificate_that_is_not_trusted_gets_no_password(
    slapd: Slapd, place: DirectoryPlace, scheme: str, certificates: Certificates
) -> None:
    port = slapd.port if scheme == "ldap" else slapd.tls_port
    other = Path(certificates.path("self-signed"))
    for wrong in (
        replace(place, urls=(f"{scheme}://localhost:{port}",), ca_file=other),
        replace(place, urls=(f"{scheme}://127.0.0.2:{port}",)),
    ):
        with pytest.raises(DirectoryError):
            Directory(wrong).authenticate("siti", "kuda baterai")


@pytest.mark.parametrize("certificate", ["other-name", "expired"])
def test_a_certificate_of_another_name_or_time_is_refused(
    certificates: Certificates, place: DirectoryPlace, certificate: str
) -> None:
    with running(certificates, certificate=certificate) as other:
        for url in (other.secure, f"ldap://localhost:{other.port}"):
            with pytest.raises(DirectoryError, match="certificate"):
                Directory(replace(place, urls=(url,))).authenticate("siti", "kuda baterai")


def test_a_server_that_is_down_or_silent_is_followed_by_the_next_one_in_time(place: DirectoryPlace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        slow = replace(place, timeout_ms=300, urls=("ldaps://127.0.0.1:1", mute, *place.urls))
        assert Directory(slow).authenticate("siti", "kuda baterai") == SITI
        begun = time.monotonic()
        with pytest.raises(DirectoryError, match=r"127\.0\.0\.1:1: .*; ldaps"):
            Directory(replace(slow, urls=slow.urls[:2])).authenticate("siti", "kuda baterai")
        assert time.monotonic() - begun < 20


def test_a_service_account_that_is_refused_is_a_trouble_and_nobody_s_wrong_password(searching: DirectoryPlace) -> None:
    assert searching.search_password_file is not None
    searching.search_password_file.write_text("wrong")
    with pytest.raises(DirectoryError, match="search_as is refused"):
        Directory(searching).authenticate("siti", "kuda baterai")


@pytest.mark.asyncio
async def test_directory_people_sign_in_with_the_roles_of_their_groups_which_are_on_record(
    slapd: Slapd, place: DirectoryPlace, tmp_path: Path
) -> None:
    async with people_stage(tmp_path, replace(TERMS, directory=place)) as stage, stage.browser() as browser:
        stage.add("budi", Role.VIEWER)
        assert (await browser.sign_in("siti", "kuda baterai")).status == 303
        assert "dc-db-01" in (await browser.get("/")).text
        grants = stage.people.gate.grants.read()
        assert {(one.role, one.by) for one in grants if one.user == "siti"} == {
            (Role.OPERATOR, "directory"), (Role.VIEWER, "directory"),
        }  # fmt: skip
        slapd.modify(f"dn: cn=noc,{GROUPS}\nchangetype: modify\nreplace: member\nmember: {READER}\n")
        try:
            await browser.fill("/sign-out", "/sign-out", where="here")
            await browser.sign_in("siti", "kuda baterai")
            assert stage.people.gate.grants.roles("siti") == {Role.VIEWER}
            assert len(stage.store.entries.of("grant")) == 4
            told = [text for _, text, _ in stage.told.events]
            assert "the role operator was taken from siti by the directory" in told
        finally:
            slapd.modify(f"dn: cn=noc,{GROUPS}\nchangetype: modify\nreplace: member\nmember: uid=siti,{PEOPLE}\n")


@pytest.mark.asyncio
async def test_while_the_directory_is_down_local_accounts_sign_in_and_it_is_said_once(
    slapd: Slapd, place: DirectoryPlace, tmp_path: Path
) -> None:
    async with people_stage(tmp_path, replace(TERMS, directory=place)) as stage, stage.browser() as browser:
        stage.add("budi", Role.VIEWER)
        with slapd.stopped():
            for _ in range(2):
                answer = await browser.sign_in("siti", "kuda baterai")
                assert answer.status == 403
                assert "only accounts of this collector" in answer.text
            assert (await browser.sign_in("budi")).status == 303
            assert stage.told.names.count("directory-silent") == 1
        async with stage.browser() as other:
            assert (await other.sign_in("siti", "kuda baterai")).status == 303
            assert stage.told.names.count("directory-answers") == 1
            assert stage.told.names[-1] == "signed-in"


@pytest.mark.asyncio
async def test_a_local_account_is_never_asked_of_the_directory_and_a_disabled_person_of_it_stays_out(
    place: DirectoryPlace, tmp_path: Path
) -> None:
    async with people_stage(tmp_path, replace(TERMS, directory=place)) as stage, stage.browser() as browser:
        stage.add("agus", Role.VIEWER)
        assert (await browser.sign_in("agus", "agus-password")).status == 403
        assert (await browser.sign_in("siti", "kuda baterai")).status == 303
        stage.store.accounts.set_disabled("siti", stage.now.utc)
        assert (await browser.get("/account")).status == 303
        assert (await browser.sign_in("siti", "kuda baterai")).status == 403
