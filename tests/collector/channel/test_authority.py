"""The own authority: what it signs, how it is renewed and gives way, and that its pins stay."""

from pathlib import Path

import pytest

from detak_collector.channel.authority import is_signed_by, issue, names_of, new_authority, pem, read_authority, renewed
from detak_collector.channel.authority_files import RENEW_DAYS, AuthorityFolder, keep_issued, renew, renew_if_due
from detak_collector.channel.certificate_files import CertificateError, certificates_in, key_fingerprint, period_of
from detak_collector.config import Tls

NOW = 1_795_824_000_000
DAY_MS = 86_400_000


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    folder, pair = AuthorityFolder(tmp_path / "ca"), tmp_path / "tls/server.pem"
    folder.begin("DJBC", NOW)
    made = Tls(pair, pair, folder.path)
    keep_issued(made, folder.issue(["detak.example", "10.0.0.5"], NOW))
    return made


def served_by(tls: Tls) -> list[str]:
    return [key_fingerprint(one) for one in certificates_in(tls.certificate.read_bytes())]


def folder_of(tls: Tls) -> AuthorityFolder:
    assert tls.authority is not None
    return AuthorityFolder(tls.authority)


def test_keys_lie_apart_and_nobody_else_may_read_them(tls: Tls) -> None:
    for path in (tls.certificate, folder_of(tls).path / "authority.key"):
        assert path.stat().st_mode & 0o077 == 0
    assert b"PRIVATE KEY" not in folder_of(tls).announced()
    assert b"PRIVATE KEY" not in (folder_of(tls).path / "authority.pem").read_bytes()


def test_a_certificate_is_for_the_names_given_and_signed_by_the_authority(tls: Tls) -> None:
    served = certificates_in(tls.certificate.read_bytes())[0]
    assert names_of(served) == ["detak.example", "10.0.0.5"]
    assert is_signed_by(served, folder_of(tls).certificates()[0])
    assert not is_signed_by(served, new_authority("DJBC", NOW).certificate)


def test_it_is_good_for_agents_whose_clocks_are_a_day_behind_and_ends_within_its_authority(tls: Tls) -> None:
    period = period_of(certificates_in(tls.certificate.read_bytes())[0])
    assert period.begin_utc == NOW - DAY_MS
    late = NOW + 3_600 * DAY_MS
    authority = new_authority("DJBC", NOW)
    chain = certificates_in(issue(authority, ["a"], late).chain)[0]
    assert period_of(chain).end_utc == period_of(authority.certificate).end_utc


def test_a_renewed_authority_keeps_its_key_and_with_it_what_agents_pin() -> None:
    before = new_authority("DJBC", NOW)
    after = renewed(before, NOW + 3_000 * DAY_MS)
    assert after.fingerprint == before.fingerprint
    assert period_of(after.certificate).end_utc > period_of(before.certificate).end_utc


def test_nothing_is_renewed_early_and_all_is_in_time(tls: Tls) -> None:
    before = served_by(tls)
    ends = period_of(certificates_in(tls.certificate.read_bytes())[0]).end_utc
    assert not renew_if_due(tls, ends - (RENEW_DAYS + 1) * DAY_MS)
    assert served_by(tls) == before
    assert renew_if_due(tls, ends - RENEW_DAYS * DAY_MS + 1)
    assert served_by(tls) != before
    assert names_of(certificates_in(tls.certificate.read_bytes())[0]) == ["detak.example", "10.0.0.5"]


def test_an_authority_s_own_certificate_is_renewed_before_a_server_s_would_not_fit_into_it(tls: Tls) -> None:
    (pinned,) = folder_of(tls).fingerprints()
    before = period_of(folder_of(tls).certificates()[0]).end_utc
    renew(tls, before - 700 * DAY_MS)
    assert folder_of(tls).fingerprints() == [pinned]
    assert period_of(folder_of(tls).certificates()[0]).end_utc > before


def test_without_the_authority_s_key_nothing_is_renewed_and_asking_for_it_says_why(tls: Tls, tmp_path: Path) -> None:
    key = folder_of(tls).path / "authority.key"
    key.rename(tmp_path / "safe")
    assert not renew_if_due(tls, NOW + 390 * DAY_MS)
    with pytest.raises(CertificateError, match=r"authority\.key: No such file"):
        renew(tls, NOW)
    key.write_bytes(new_authority("X", NOW).key_pem)
    with pytest.raises(CertificateError, match="does not belong to its certificate"):
        renew(tls, NOW)


def test_a_roll_over_announces_both_keys_until_the_former_is_retired(tls: Tls) -> None:
    folder = folder_of(tls)
    (first,) = folder.fingerprints()
    folder.begin_next("DJBC", NOW + 1_000)
    signing, following = folder.fingerprints()
    assert signing == first
    folder.hand_over()
    assert folder.fingerprints() == [following, first]
    assert renew_if_due(tls, NOW + 2_000), "what the former authority signed is replaced"
    leaf, cross = certificates_in(tls.certificate.read_bytes())
    assert is_signed_by(leaf, cross)
    assert key_fingerprint(cross) == following
    former = certificates_in((folder.path / "former.pem").read_bytes())[0]
    assert is_signed_by(cross, former)
    folder.retire_former()
    renew(tls, NOW + 3_000)
    assert folder.fingerprints() == [following]
    assert len(certificates_in(tls.certificate.read_bytes())) == 1


def test_steps_of_a_roll_over_come_in_their_order(tls: Tls) -> None:
    folder = folder_of(tls)
    for step in (folder.hand_over, folder.retire_former):
        with pytest.raises(CertificateError, match="there is no"):
            step()
    folder.begin_next("DJBC", NOW + 1_000)
    with pytest.raises(CertificateError, match=r"roll-over is under way.*certificate roll-over"):
        folder.begin_next("DJBC", NOW + 2_000)
    folder.hand_over()
    with pytest.raises(CertificateError, match="certificate retire-former"):
        folder.begin_next("DJBC", NOW + 2_000)


def test_a_roll_over_that_a_crash_interrupted_is_ended_by_doing_it_again(tls: Tls) -> None:
    folder = folder_of(tls)
    (first,) = folder.fingerprints()
    folder.begin_next("DJBC", NOW + 1_000)
    _, following = folder.fingerprints()
    (folder.path / "authority.key").rename(folder.path / "former.key")
    (folder.path / "next.key").rename(folder.path / "authority.key")
    folder.hand_over()
    assert folder.fingerprints() == [following, first]
    renew(tls, NOW + 2_000)


def test_keys_that_are_kept_elsewhere_are_asked_for_before_anything_is_changed(tls: Tls, tmp_path: Path) -> None:
    folder = folder_of(tls)
    folder.begin_next("DJBC", NOW + 1_000)
    (folder.path / "next.key").rename(tmp_path / "next.key")
    before = folder.fingerprints()
    with pytest.raises(CertificateError, match="bring it back to hand over"):
        folder.hand_over()
    assert folder.fingerprints() == before
    (tmp_path / "next.key").rename(folder.path / "next.key")
    folder.hand_over()
    (folder.path / "authority.key").rename(tmp_path / "authority.key")
    with pytest.raises(CertificateError, match="bring it back to sign"):
        folder.retire_former()
    assert len(folder.fingerprints()) == 2


def test_an_authority_comes_back_from_its_files_as_it_was() -> None:
    made = new_authority("DJBC", NOW)
    assert pem(read_authority(made.certificate_pem, made.key_pem).certificate) == made.certificate_pem
    with pytest.raises(CertificateError, match="no unencrypted PEM private key"):
        read_authority(made.certificate_pem, b"nothing")
    with pytest.raises(CertificateError, match="no PEM certificate"):
        read_authority(b"nothing", made.key_pem)
