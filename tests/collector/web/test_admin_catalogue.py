"""Another services.toml is checked before it is taken; what changes the past waits for another than its proposer."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from admin_stage import RENAMED, SERVICES, WITHOUT_PUSAT, AdminStage, admin_stage, call, upload
from detak_collector.accounts.roles import Role
from detak_collector.catalogue.texts import Texts
from detak_collector.catalogue.versions import State
from people_stage import Browser

pytestmark = pytest.mark.asyncio
HIDDEN = re.compile(r'name="(digest|against)" value="(\w+)"')


async def taken(browser: Browser, text: str) -> str:
    """Where it leads, or what is said instead, of a catalogue that was checked and then proposed."""
    checked = await upload(browser, {"action": "check"}, text)
    fields = dict(HIDDEN.findall(checked.text))
    page = await upload(browser, {"action": "take", "pasted": text, **fields})
    return page.to or page.text


def in_force(stage: AdminStage) -> int:
    standing = stage.register.standing()
    assert standing is not None
    return standing.version.number


async def test_a_check_tells_the_change_and_the_figure_before_and_after_and_takes_nothing(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        checked = await upload(agus, {"action": "check"}, WITHOUT_PUSAT)
        assert checked.status == 200
        for words in ("service pusat: is gone", "It would be held", "2023 so far", "40 min 0.0 s", "10 min 0.0 s"):
            assert words in checked.text, words
        assert len(stage.register.versions().all) == 1
        harmless = await upload(agus, {"action": "check", "pasted": RENAMED.replace("\n", "\r\n")})
        assert "changes nothing that a figure rests on" in harmless.text
        assert "It is version 1, which is in force" in (await upload(agus, {"action": "check"}, SERVICES)).text


async def test_what_leaves_the_past_as_it_was_is_in_force_at_once(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        assert await taken(agus, RENAMED) == "./catalogue/2?notice=taken"
        assert (in_force(stage), stage.register.versions().all[1].proposed_by) == (2, "agus")
        page = (await agus.get("/admin/catalogue/2?notice=taken")).text
        assert "Put it in place on the collector" in page
        assert (await agus.get("/admin/catalogue/2/file/services.toml")).text == RENAMED
        assert stage.told.names[-1] == "catalogue-version"


async def test_what_changes_the_past_waits_for_an_approver_who_is_not_its_proposer(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus, stage.browser() as budi:
        await agus.sign_in("agus")
        await budi.sign_in("budi")
        assert await taken(agus, WITHOUT_PUSAT) == "./catalogue/2?notice=held"
        assert in_force(stage) == 1
        assert "It waits for an approver" in (await agus.get("/admin/catalogue/2")).text
        path = "/admin/catalogue/2"
        assert "2023 so far" in (await budi.get(path)).text
        missing = await budi.fill(path, path, action="approve", reason="as agreed")
        assert (missing.status, "the document it rests on" in missing.text, "as agreed" in missing.text) == (
            422,
            True,
            True,
        )
        assert (await budi.fill(path, path, action="approve", document="ND-7/2026")).to == "./2?notice=approved"
        assert in_force(stage) == 2
        decision = stage.register.versions().all[1].decision
        assert decision is not None
        assert (decision.by, decision.proposed_by, decision.document) == ("budi", "agus", "ND-7/2026")
        again = await call(budi, "POST", "catalogue/2/decision", {"verdict": "reject", "reason": "no"})
        assert again[0] == 409


async def test_nobody_approves_his_own_and_without_a_known_proposer_one_is_named(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as rudi, stage.browser() as budi:
        stage.add("rudi", Role.ADMIN, Role.APPROVER)
        await rudi.sign_in("rudi")
        await budi.sign_in("budi")
        await taken(rudi, WITHOUT_PUSAT)
        assert "You proposed it, so somebody else decides" in (await rudi.get("/admin/catalogue/2")).text
        own = await call(rudi, "POST", "catalogue/2/decision", {"verdict": "approve", "document": "ND-1"})
        assert (own[0], in_force(stage)) == (403, 1)
        rejected = await call(budi, "POST", "catalogue/2/decision", {"verdict": "reject", "reason": "not agreed"})
        assert (rejected[1]["state"], rejected[1]["decided_by"]) == ("rejected", "budi")
        register, read = (
            stage.register,
            await stage.catalogue.check(WITHOUT_PUSAT.replace("DJBC", "BC"), {}, effect=False),
        )
        register.record(read.read, "", stage.now.utc, has_past=True)
        unnamed = await call(budi, "POST", "catalogue/3/decision", {"verdict": "approve", "document": "ND-1"})
        assert (unnamed[0], unnamed[1]["errors"][0]["field"]) == (422, "proposed_by")
        named = {"verdict": "approve", "document": "ND-1", "proposed_by": "Budi"}
        assert (await call(budi, "POST", "catalogue/3/decision", named))[0] == 403
        done = await call(budi, "POST", "catalogue/3/decision", {**named, "proposed_by": "Rudi"})
        assert (done[0], in_force(stage)) == (200, 3)


async def test_what_is_wrong_in_it_is_told_line_by_line_and_what_was_pasted_is_kept(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        bad = SERVICES.replace('criticality = "sangat kritis"', 'criticallity = "<i>"', 1)
        page = await upload(agus, {"action": "check", "pasted": bad})
        assert (page.status, "services.toml: service[portal].criticallity" in page.text) == (422, True), page.text
        assert "&lt;i&gt;" in page.text
        assert "Choose the file" in (await upload(agus, {"action": "check"})).text
        status, told = await call(agus, "POST", "catalogue/check", {"services": bad})
        assert (status, len(told["errors"]) >= 1) == (422, True)
        assert len(stage.register.versions().all) == 1


async def test_what_came_between_the_check_and_the_taking_is_noticed(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        _, first = await call(agus, "POST", "catalogue/check", {"services": RENAMED})
        assert (first["held"], first["effect"]) == (False, None)
        other = {"services": WITHOUT_PUSAT, "digest": first["digest"], "against": first["against"]}
        assert (await call(agus, "POST", "catalogue", other))[0] == 409
        mine = {"services": RENAMED, "digest": first["digest"], "against": first["against"]}
        status, made = await call(agus, "POST", "catalogue", mine)
        assert (status, made["number"], made["state"]) == (201, 2, State.IN_FORCE)
        _, later = await call(agus, "POST", "catalogue/check", {"services": SERVICES})
        assert (await call(agus, "POST", "catalogue", {**mine, "services": SERVICES, "digest": later["digest"]}))[
            0
        ] == 409
        assert in_force(stage) == 2


async def test_a_table_comes_with_it_or_is_that_of_the_version_in_force(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        calendar = (
            '[[calendar]]\nid = "kantor"\nweekly = { mon-fri = "08:00-16:00" }\nholidays = "libur.csv"\n'
            "joint_leave_none = [2023]\n"
        )
        table = "date,name,kind,decree\n2023-12-25,Natal,national,SKB\n"
        status, refused = await call(agus, "POST", "catalogue/check", {"services": SERVICES + calendar})
        assert (status, "libur.csv" in refused["errors"][0]["reason"]) == (422, True)
        asked = {"services": SERVICES + calendar, "tables": {"libur.csv": table}}
        _, checked = await call(agus, "POST", "catalogue/check", asked)
        mine = {**asked, "digest": checked["digest"], "against": checked["against"]}
        assert (await call(agus, "POST", "catalogue", mine))[1]["files"] == ["libur.csv", "services.toml"]
        _, again = await call(agus, "POST", "catalogue/check", {"services": SERVICES + calendar})
        assert again["in_force"] is True
        assert again["digest"] == Texts({"services.toml": SERVICES + calendar, "libur.csv": table}).digest


async def test_where_the_figure_cannot_be_derived_it_is_said_and_the_rest_is_told(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        effects = stage.catalogue.effects
        effects.command = (sys.executable, "-c", "import time; time.sleep(30)")
        effects.wait_s = 0.3
        page = await upload(agus, {"action": "check"}, WITHOUT_PUSAT)
        assert "could not be derived now: it was not derived within" in page.text
        effects.command, effects.wait_s = (sys.executable, "-c", "raise SystemExit(9)"), 20.0
        page = await upload(agus, {"action": "check"}, WITHOUT_PUSAT)
        assert "could not be derived now: the process that derives it ended with 9" in page.text
        assert "service pusat: is gone" in page.text


async def test_a_form_that_is_not_ours_or_too_long_is_refused(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        assert (await agus.post("/admin/catalogue", {"action": "take"})).status == 415
        assert (await upload(agus, {"action": "check", "token": "0" * 64}, SERVICES)).status == 403
        assert (await upload(agus, {"action": "check"}, "#" * 1_600_000)).status == 413
        assert (await upload(agus, {f"field-{at}": "x" for at in range(50)}, SERVICES)).status == 400
        assert len(stage.register.versions().all) == 1
