"""Pseudonyms: the same within a year, unlinkable across years and kinds, and looked up at a limited pace."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore, Pseudonymiser, Rereading
from sluis.kernel import NotFound, Refused

BSN = "999990019"  # fictitious
IN_2025, IN_2026 = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def test_a_pseudonym_is_the_keyed_hash_of_kind_and_value(tmp_path: Path) -> None:
    pseudonym = Pseudonymiser(FileKeyStore(tmp_path)).of("BSN", BSN, IN_2026)
    secret = (tmp_path / "pseudonym-2026.secret").read_bytes()
    mac = hmac.new(secret, json.dumps(["BSN", BSN], separators=(",", ":")).encode(), hashlib.sha256)
    assert pseudonym == urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def test_year_kind_and_organisation_each_give_another_pseudonym(tmp_path: Path) -> None:
    ours, theirs = (Pseudonymiser(FileKeyStore(tmp_path / name)) for name in ("ours", "theirs"))
    made = {ours.of("BSN", BSN, IN_2025), ours.of("BSN", BSN, IN_2026), ours.of("RSIN", BSN, IN_2026)}
    assert len(made | {theirs.of("BSN", BSN, IN_2026)}) == 4


def test_a_look_up_finds_the_pseudonyms_of_every_year_kept(tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path)
    pseudonyms = Pseudonymiser(keys)
    both = (pseudonyms.of("BSN", BSN, IN_2025), pseudonyms.of("BSN", BSN, IN_2026))
    assert pseudonyms.all_of("BSN", BSN) == both
    keys.destroy("pseudonym-2025")
    assert pseudonyms.all_of("BSN", BSN) == both[1:]
    with pytest.raises(NotFound):
        pseudonyms.of("BSN", BSN, IN_2025)


def test_looking_up_goes_at_a_limited_pace(tmp_path: Path) -> None:
    now = 0.0
    rereading = Rereading(Pseudonymiser(FileKeyStore(tmp_path)), per_minute=2, seconds=lambda: now)
    for _ in range(2):
        rereading.all_of("BSN", BSN)
    with pytest.raises(Refused):
        rereading.all_of("BSN", BSN)
    now = 30.0
    rereading.all_of("BSN", BSN)
    with pytest.raises(Refused):
        rereading.all_of("BSN", BSN)
