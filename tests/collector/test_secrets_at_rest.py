"""What lies on the collector's disk lets nobody in: keys and tokens are kept as hashes."""

from contextlib import closing
from pathlib import Path

from detak_collector.channel.enrol import Keyring, issue_shared_token, issue_token, redeem, renew
from detak_collector.store.sqlite import open_store
from evidence_builders import reading


def test_neither_a_token_nor_a_key_is_in_any_file_of_the_store(tmp_path: Path) -> None:
    now = reading(0)
    with closing(open_store(tmp_path, now)) as store:
        tokens = [issue_token(store.registry, "a", 1_000, now), issue_shared_token(store.registry, 1, 1_000, now)]
        keys = [redeem(store.registry, node, token, now)[1] for node, token in zip("ab", tokens, strict=True)]
        holder = Keyring(store.registry).holder_of(f"Bearer {keys[0]}")
        assert holder is not None
        keys.append(renew(store.registry, holder.key_hash, now) or "")
        secrets = [form for one in (*tokens, *keys) for form in (one.encode(), bytes.fromhex(one))]
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert all(secrets)
        for path in files:
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path
