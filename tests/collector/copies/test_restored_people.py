"""A backup knows who was signed in when it was made; a restored collector lets none of them in by that."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from detak_collector.accounts.account import Account, Origin, Session, Stage
from detak_collector.accounts.tokens import Scope, Token
from detak_collector.copies.restore import put_store
from detak_collector.store.sqlite import FILE_NAME, open_store
from evidence_builders import reading

SITI = Account("siti", "Siti", "", Origin.LOCAL, 5, "hash")


def test_accounts_come_back_and_sessions_and_links_do_not(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with closing(open_store(tmp_path, reading(0))) as store:
        store.accounts.add(SITI)
        assert store.sessions.begin(Session(b"h" * 32, "siti", Stage.WHOLE, 1, 1, "10.0.0.1", ""), None, 0)
        store.accounts.issue_reset("siti", b"t" * 32, 1_000)
    fresh = shutil.copy(tmp_path / FILE_NAME, tmp_path / "fresh")
    put_store(Path(fresh), tmp_path / "state", 10)
    with closing(open_store(tmp_path / "state", reading(20))) as restored:
        assert restored.accounts.find("siti") == SITI
        assert restored.sessions.of("siti") == []
        assert restored.accounts.whose_reset(b"t" * 32, 20) is None


def test_tokens_of_programs_do_not_come_back_either(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with closing(open_store(tmp_path, reading(0))) as store:
        store.accounts.add(SITI)
        assert store.api_tokens.add(
            Token("t1", b"h" * 32, "siti", "dashboard", frozenset({Scope.READ}), 1, "siti", 10**15)
        )
    fresh = shutil.copy(tmp_path / FILE_NAME, tmp_path / "fresh")
    put_store(Path(fresh), tmp_path / "state", 10)
    with closing(open_store(tmp_path / "state", reading(20))) as restored:
        assert restored.api_tokens.of() == []
