"""Administrators make accounts, give and take roles, lock people out: by the rules of the command, and of the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admin_stage import AdminStage, admin_stage, call
from detak_collector.accounts.roles import Role
from detak_collector.pair.entry import GRANT
from people_stage import PASSWORD, Browser

pytestmark = pytest.mark.asyncio
LINK = re.compile(r"sign-in/password\?link=([\w-]+)")


def roles(stage: AdminStage, name: str) -> frozenset[Role]:
    return stage.people.gate.grants.roles(name)


async def give(browser: Browser, name: str, role: str, password: str = PASSWORD, action: str = "grant") -> str:
    """Where it leads, or what is said instead."""
    path = f"/admin/people/{name}"
    page = await browser.fill(path, f"{path}/role", role=role, password=password, action=action)
    return page.to or page.text


async def test_from_a_new_account_by_its_link_and_a_role_to_somebody_who_sees(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus, stage.browser() as rina:
        await agus.sign_in("agus")
        made = await agus.fill("/admin/people", "/admin/people", name="Rina ", display="Rina Wati", mail="r@go.id")
        found = LINK.search(made.text)
        assert made.status == 200
        assert found is not None
        assert (stage.account("rina").display, stage.account("rina").mail) == ("Rina Wati", "r@go.id")
        fresh = "empat kata yang baru"
        await rina.fill(
            f"/sign-in/password?link={found[1]}", "/sign-in/password", link=found[1], new=fresh, again=fresh
        )
        assert (await rina.sign_in("rina", fresh)).status == 303
        assert "rina?notice=granted" in await give(agus, "rina", "viewer")
        assert "dc-db-01" in (await rina.get("/")).text
        entry = stage.store.entries.of(GRANT)[-1]
        assert (entry.author, entry.told["source"], entry.told["user"]) == ("agus", "admin", "rina")
        assert {"user-added", "role-granted"} <= set(stage.told.names)
        assert "rina?notice=withdrawn" in await give(agus, "rina", "viewer", action="withdraw")
        assert roles(stage, "rina") == frozenset()


async def test_what_is_typed_wrong_is_said_beside_it_and_kept(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        for fields, said in (
            ({"name": "Rina Wati", "display": "Rina"}, "Letters a to z"),
            ({"name": "siti", "display": "Rina"}, "There is an account of this name"),
            ({"name": "rina", "display": "R" * 101}, "One line of at most 100"),
        ):
            page = await agus.fill("/admin/people", "/admin/people", **fields)
            assert (page.status, said in page.text) == (422, True), fields
            assert f'value="{fields["display"]}"' in page.text
        page = await agus.fill("/admin/people", "/admin/people", name="<script>x", display="'\"><script>y")
        assert "<script>" not in page.text
        assert len(stage.store.accounts.listing()) == 6


async def test_nobody_gives_himself_a_role_and_a_role_needs_the_givers_password(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus, stage.browser() as ayu:
        await agus.sign_in("agus")
        assert "Nobody gives himself a role" in await give(agus, "agus", "approver")
        assert "not your password" in await give(agus, "ayu", "approver", password="wrong")
        assert roles(stage, "agus") == roles(stage, "ayu") == {Role.ADMIN}
        await ayu.sign_in("ayu")
        assert "agus?notice=granted" in await give(ayu, "agus", "approver")
        assert "has this role already" in await give(ayu, "agus", "approver")
        assert "does not have this role" in await give(ayu, "tamu", "viewer", action="withdraw")
        assert "no such role" in await give(ayu, "tamu", "emperor")
        assert roles(stage, "agus") == {Role.ADMIN, Role.APPROVER}
        for _ in range(7):
            said = await give(ayu, "tamu", "viewer", password="guess")
        assert "Too many attempts" in said


async def test_who_is_locked_is_out_at_once_and_nobody_locks_himself(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus, stage.browser() as siti:
        await agus.sign_in("agus")
        await siti.sign_in("siti")
        path = "/admin/people/siti"
        assert (await agus.fill(path, f"{path}/access", action="disable")).to.endswith("notice=disabled")
        assert (await siti.get("/account")).status == 303
        assert (await siti.sign_in("siti")).status != 303
        refused = await agus.fill(path, f"{path}/access", action="link")
        assert (refused.status, "unlock it first" in refused.text) == (422, True)
        await agus.fill(path, f"{path}/access", action="enable")
        assert LINK.search((await agus.fill(path, f"{path}/access", action="link")).text) is not None
        stage.store.accounts.offer_secret("siti", "A" * 32)
        stage.store.accounts.take_secret("siti", "A" * 32, 1)
        await agus.fill(path, f"{path}/access", action="factor")
        assert stage.account("siti").secret is None
        own = await agus.fill("/admin/people/agus", "/admin/people/agus/access", action="disable")
        assert (own.status, "Nobody locks himself out" in own.text) == (422, True)


async def test_where_this_collector_follows_roles_are_given_at_the_other_one(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        object.__setattr__(stage.config, "follow", "https://detak-dc.example")
        assert "do it there (https://detak-dc.example)" in await give(agus, "siti", "operator")
        assert roles(stage, "siti") == {Role.VIEWER}


GETS = (
    "/admin/people",
    "/admin/people/siti",
    "/admin/nodes",
    "/admin/nodes/db-01",
    "/admin/catalogue",
    "/admin/catalogue/1",
)
POSTS = (
    "/admin/people", "/admin/people/siti/role", "/admin/people/siti/access", "/admin/nodes",
    "/admin/nodes/db-01/retire", "/admin/catalogue/1",
)  # fmt: skip
SEEN = {
    "agus": GETS,
    "budi": GETS[4:],
    "dewi": (*GETS[:2], *GETS[4:]),
    "siti": (),
    "tamu": (),
}


async def test_each_role_sees_and_does_what_it_may_and_nothing_else(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as nobody:
        for path in GETS:
            assert "sign-in?next=" in (await nobody.get(path)).to, path
        for name, seen in SEEN.items():
            async with stage.browser() as browser:
                await browser.sign_in(name)
                got = {path: (await browser.get(path)).status for path in GETS}
                assert got == {path: 200 if path in seen else 403 for path in GETS}, name
                token = await browser.token("/account")
                done = {path: (await browser.post(path, {"token": token})).status for path in POSTS}
                may = {"agus": set(POSTS[:-1]), "budi": {POSTS[-1]}}.get(name, set())
                assert {path for path, status in done.items() if status != 403} == may, name
                api = {
                    path: (await call(browser, "GET", path))[0]
                    for path in ("people", "nodes/db-01", "catalogue", "catalogue/1")
                }
                assert {path for path, status in api.items() if status == 200} == {
                    "agus": {"people", "nodes/db-01", "catalogue", "catalogue/1"},
                    "budi": {"catalogue", "catalogue/1"},
                    "dewi": {"people", "catalogue", "catalogue/1"},
                }.get(name, set()), name
        assert roles(stage, "siti") == {Role.VIEWER}
        assert (await call(nobody, "POST", "people", {"name": "x"}))[0] == 401


async def test_a_form_of_another_site_does_nothing(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        before = len(stage.store.accounts.listing())
        for path in POSTS[:-1]:
            assert (await agus.post(path, {"token": "0" * 64, "name": "rina"})).status == 403
        token = await agus.token("/admin/people")
        assert (
            await agus.post("/admin/people", {"token": token, "name": "rina"}, Sec_Fetch_Site="cross-site")
        ).status == 403
        assert len(stage.store.accounts.listing()) == before


async def test_a_program_does_the_same_through_the_api(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        status, made = await call(agus, "POST", "people", {"name": "rina", "display": "Rina"})
        assert (status, "sign-in/password?link=" in made["link"]) == (201, True)
        status, given = await call(agus, "POST", "people/rina/roles", {"role": "operator", "password": PASSWORD})
        assert (status, [one["role"] for one in given["roles"]]) == (200, ["operator"])
        status, refused = await call(agus, "POST", "people/agus/roles", {"role": "approver", "password": PASSWORD})
        assert (status, "Nobody gives himself" in refused["detail"]) == (422, True)
        assert (await call(agus, "POST", "people/rina/access", {"action": "lock"}))[1]["locked"] is True
        assert (await call(agus, "POST", "people/rina/link"))[0] == 422
        assert (await call(agus, "POST", "people/nobody/link"))[0] == 404
        assert (await call(agus, "POST", "people", {"nome": "x"}))[0] == 400
        told = {one["name"]: one for one in (await call(agus, "GET", "people"))[1]["items"]}
        assert (told["agus"]["roles"][0]["role"], told["rina"]["locked"]) == ("admin", True)
