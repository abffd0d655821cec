"""Checkpoints stamped by a timestamping authority: what is kept, what is refused, what is found again."""

import asyncio
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rfc3161_client import TimestampRequestBuilder
from tests.timestamps import NAME, Authority

from sluis.crypto import FileKeyStore
from sluis.kernel import Unkept, Upstream
from sluis.ledger import Anchors
from sluis.ledger.notes import signed_checkpoint


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def anchors(tmp_path: Path, authority: Authority) -> Anchors:
    return Anchors(tmp_path / "anchors", [authority.certificate], now)


def note(directory: Path, size: int = 7) -> str:
    return signed_checkpoint("node.example/log", size, bytes(32), FileKeyStore(directory / "keys"))


async def test_a_stamp_says_which_checkpoint_existed_when_and_by_whom(
    tmp_path: Path, authority: Authority, anchors: Anchors
) -> None:
    anchored = await anchors.ask(note(tmp_path), authority.send)
    assert (anchored.note, anchored.size, anchored.name) == (note(tmp_path), 7, NAME)
    assert abs(anchored.at - now()) < timedelta(minutes=1)
    assert anchors.kept() == ([anchored], [])


def test_anyone_can_check_a_kept_stamp_with_other_tools(
    tmp_path: Path, authority: Authority, anchors: Anchors
) -> None:
    asyncio.run(anchors.ask(note(tmp_path), authority.send))
    (answer,) = (tmp_path / "anchors").glob("*.tsr")
    command = ["openssl", "ts", "-verify", "-data", answer.with_suffix(".checkpoint"), "-in", answer]
    subprocess.run([*command, "-CAfile", authority.root], check=True, capture_output=True)


def other_imprint(authority: Authority, request: bytes) -> bytes:
    return authority.answer(TimestampRequestBuilder().data(b"something else").build().as_bytes())


def garbage(authority: Authority, request: bytes) -> bytes:
    return b"\x30\x05\x30\x03\x02\x01\x00"  # PKIStatusInfo `granted`, and no token


def rejected(authority: Authority, request: bytes) -> bytes:
    return authority.answer(b"no request")


def another_authority(authority: Authority, request: bytes) -> bytes:
    return Authority(authority.home / "other").answer(request)


def one_bit_of_the_time(authority: Authority, request: bytes) -> bytes:
    answer = bytearray(authority.answer(request))
    answer[answer.index(f"{now():%Y%m%d}".encode()) + 3] ^= 1
    return bytes(answer)


@pytest.mark.parametrize(
    "hostile",
    [
        other_imprint,
        garbage,
        rejected,
        another_authority,
        one_bit_of_the_time,
        lambda authority, request: b"",
        lambda authority, request: authority.answer(request)[:-1],
        lambda authority, request: authority.answer(request) + b"\x00",
    ],
)
async def test_an_answer_that_proves_nothing_is_refused_and_not_kept(
    tmp_path: Path, authority: Authority, anchors: Anchors, hostile: Callable[[Authority, bytes], bytes]
) -> None:
    async def send(request: bytes) -> bytes:
        return hostile(authority, request)

    with pytest.raises(Upstream) as problem:
        await anchors.ask(note(tmp_path), send)
    assert problem.value.code == "timestamp-false"
    assert anchors.kept() == ([], [])


async def test_an_answer_to_an_earlier_question_is_refused_though_it_is_true(
    tmp_path: Path, authority: Authority, anchors: Anchors
) -> None:
    earlier = authority.answer(TimestampRequestBuilder().data(note(tmp_path).encode()).build().as_bytes())

    async def send(request: bytes) -> bytes:
        return earlier

    with pytest.raises(Upstream, match="Nonce"):
        await anchors.ask(note(tmp_path), send)


async def test_a_stamp_whose_time_is_hours_off_is_refused(tmp_path: Path, authority: Authority) -> None:
    late = Anchors(tmp_path / "anchors", [authority.certificate], lambda: now() + timedelta(hours=2))
    with pytest.raises(Upstream) as problem:
        await late.ask(note(tmp_path), authority.send)
    assert problem.value.code == "timestamp-astray"


async def test_an_authority_that_is_away_is_told_as_such(tmp_path: Path, anchors: Anchors) -> None:
    async def away(request: bytes) -> bytes:
        raise ConnectionRefusedError("refused")

    with pytest.raises(Upstream) as problem:
        await anchors.ask(note(tmp_path), away)
    assert (problem.value.code, problem.value.retry) == ("timestamp-unreachable", True)


async def test_a_stamp_that_cannot_be_kept_is_not_given(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unkept):
        await Anchors(tmp_path / "file" / "anchors", [authority.certificate], now).ask(
            note(tmp_path), authority.send
        )


@pytest.mark.parametrize("suffix", [".tsr", ".checkpoint"])
@pytest.mark.parametrize("how", ["changed", "gone"])
async def test_a_kept_stamp_that_was_touched_is_named(
    tmp_path: Path, authority: Authority, anchors: Anchors, suffix: str, how: str
) -> None:
    await anchors.ask(note(tmp_path), authority.send)
    (path,) = (tmp_path / "anchors").glob(f"*{suffix}")
    if how == "changed":
        path.write_bytes(path.read_bytes().replace(b"node.example", b"evil.example")[:-2] + b"\x00\x00")
    else:
        path.unlink()
    sound, false = anchors.kept()
    gone_whole = (suffix, how) == (".tsr", "gone")  # without its answer a checkpoint says nothing about time
    assert (sound, false) == ([], [] if gone_whole else [path.with_suffix(".tsr").name])


async def test_stamps_follow_the_log_and_the_hours(
    tmp_path: Path, authority: Authority, anchors: Anchors
) -> None:
    assert not anchors.is_due(timedelta(hours=1), note(tmp_path, 0))
    assert anchors.is_due(timedelta(hours=1), note(tmp_path))
    await anchors.ask(note(tmp_path), authority.send)
    later = Anchors(tmp_path / "anchors", [authority.certificate], lambda: now() + timedelta(hours=2))
    assert not anchors.is_due(timedelta(hours=1), note(tmp_path, 8))
    assert later.is_due(timedelta(hours=1), note(tmp_path, 8))
    assert not later.is_due(timedelta(hours=1), note(tmp_path))
