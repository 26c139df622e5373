"""Administrators let nodes in and retire them, told before which services would lose by it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admin_stage import KEY_HASH, NODE, SERVICES, admin_stage, call
from detak_collector.catalogue.organisation import parse
from detak_collector.channel.enrol import redeem
from detak_collector.store.base import Redeemed
from detak_collector.web.work.admin_nodes import losses_of

LINE = re.compile(r"detak-agent enroll --collector (\S+) --token ([0-9a-f]{64})")


@pytest.mark.asyncio
async def test_the_line_of_a_token_lets_that_node_in_once_and_no_other(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        made = await agus.fill("/admin/nodes", "/admin/nodes", node="app-02", hours="2")
        found = LINE.search(made.text)
        assert found is not None, made.text
        assert found[1] == stage.config.url
        registry = stage.store.registry
        assert redeem(registry, "app-03", found[2], stage.now)[0] is Redeemed.OTHER_NODE
        assert redeem(registry, "app-02", found[2], stage.now)[0] is Redeemed.ACCEPTED
        assert redeem(registry, "app-02", found[2], stage.now)[0] is Redeemed.USED
        late = await call(agus, "POST", "enrolments", {"node": "app-04", "hours": 1})
        stage.later(3_600_001)
        assert redeem(registry, "app-04", late[1]["token"], stage.now)[0] is Redeemed.EXPIRED
        for node, hours, said in (("App 02", "2", "Lower-case letters"), ("app-02", "0", "from 1 to 720")):
            page = await agus.fill("/admin/nodes", "/admin/nodes", node=node, hours=hours)
            assert (page.status, said in page.text, f'value="{node}"' in page.text) == (422, True, True)


@pytest.mark.asyncio
async def test_a_node_is_retired_once_its_name_was_typed_by_who_was_told_what_rests_on_it(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        path = f"/admin/nodes/{NODE}"
        page = await agus.get(path)
        for words in (
            "These services rest on it",
            "portal",
            "pusat",
            f"{NODE}/web",
            f"name = &#34;{NODE}&#34;",
            "retired = ",
        ):
            assert words in page.text, words
        refused = await agus.fill(path, f"{path}/retire", typed="app-01")
        assert (refused.status, f"Type the name of the node, {NODE}" in refused.text) == (422, True)
        assert list(stage.store.registry.keys()) == [KEY_HASH]
        done = await agus.fill(path, f"{path}/retire", typed=NODE)
        assert done.to == f"../{NODE}?notice=retired"
        assert stage.store.registry.keys() == {}
        assert "It has no key" in (await agus.get(path)).text
        assert stage.told.names[-1] == "revoked"
        assert (await call(agus, "POST", f"nodes/{NODE}/retirement", {"typed": NODE}))[0] == 422
        assert (await agus.get("/admin/nodes/nobody")).status == 404


@pytest.mark.asyncio
async def test_the_key_of_a_retired_node_opens_nothing_from_that_moment(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        _, made = await call(agus, "POST", "enrolments", {"node": "app-02"})
        _, key = redeem(stage.store.registry, "app-02", made["token"], stage.now)
        stage.keyring.refill()
        assert stage.keyring.holder_of(f"Bearer {key}") is not None
        assert (await call(agus, "POST", "nodes/app-02/retirement", {"typed": "app-02"}))[1]["enrolled"] is False
        assert stage.keyring.holder_of(f"Bearer {key}") is None


@pytest.mark.asyncio
async def test_nodes_are_found_by_name_a_page_at_a_time(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        for at in range(120):
            token = f"token-{at}".encode()
            stage.store.registry.issue(f"node-{at:03}", token, stage.now.utc + 1_000, stage.now)
            stage.store.registry.redeem(token, f"node-{at:03}", f"key-{at}".encode(), stage.now)
        await agus.sign_in("agus")
        first = (await agus.get("/admin/nodes")).text
        assert "1 to 50 of 121" in first
        assert 'href="../admin/nodes?find=&amp;from=50"' in first
        last = (await agus.get("/admin/nodes?from=100")).text
        assert "101 to 121 of 121" in last
        assert "node-119" in last
        assert "1 to 10 of 10" in (await agus.get("/admin/nodes?find=NODE-01&from=zero")).text
        assert "No node of that name" in (await agus.get("/admin/nodes?find=<b>")).text


def test_what_rests_on_a_node_tells_how_many_others_are_left() -> None:
    shared = SERVICES.replace(f'members = ["{NODE}/web"]', f'rule = "all_down"\nmembers = ["{NODE}/web", "app-02/web"]')
    losses = list(losses_of(parse(shared), NODE, 0))
    assert [(one.service, one.group, one.left) for one in losses] == [("portal", "web", 1), ("pusat", "api", 0)]
    assert [one.checks for one in losses_of(parse(shared), "app-02", 0)] == [("app-02/web",)]


def test_one_thing_seen_from_two_nodes_outlives_the_retirement_of_one_and_a_reference_is_told() -> None:
    observed = SERVICES.replace(
        f'members = ["{NODE}/web"]', f'members = [{{ observers = ["{NODE}/web", "app-02/web"] }}]'
    )
    seen = list(losses_of(parse(observed), NODE, 0))
    assert seen[0].left == 1
    referred = SERVICES + f'[[node]]\nname = "{NODE}"\nreferences = ["{NODE}/gateway"]\nwitnesses = ["app-09/ping"]\n'
    witness = list(losses_of(parse(referred), "app-09", 0))
    assert [(one.service, one.group, one.checks) for one in witness] == [
        ("portal", "", ("app-09/ping",)),
        ("pusat", "", ("app-09/ping",)),
    ]
