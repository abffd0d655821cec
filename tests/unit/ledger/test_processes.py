"""However many processes check a log, they find what one finds."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ledger.examples import appended, change, fill, opened, processing

from sluis.crypto import FileKeyStore
from sluis.kernel import Unkept
from sluis.ledger import Ledger, Verification, audit, processes, sql, verify
from sluis.store import Store

SIZE = 9000  # one run of search terms, and more

Checked = Callable[..., Verification]


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stretches, and each of them looked at elsewhere."""
    monkeypatch.setattr(audit, "ALONE", 0)
    monkeypatch.setattr(audit, "_STRETCH", 1024)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with a checkpoint in its midst, one at its end, and some records destroyed."""
    home = tmp_path_factory.mktemp("log")
    with opened(home) as (_, ledger):
        fill(ledger, 3000)
        ledger.publish()
        fill(ledger, SIZE - 3001)
        asyncio.run(ledger.destroy([(100, 110), (4000, 5000)], "selectielijst"))
        ledger.publish()
    return home


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Iterator[tuple[Store, Ledger]]:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with opened(tmp_path) as both:
        yield both


@pytest.fixture
def checked(log: tuple[Store, Ledger], tmp_path: Path) -> Checked:
    def check(**more: Any) -> Verification:
        return verify(log[0], FileKeyStore(tmp_path / "keys").public, **more)

    return check


def test_an_honest_log_is_sound(checked: Checked) -> None:
    told: list[tuple[int, int]] = []
    found = checked(progress=lambda *done: told.append(done))
    assert (found.faults, found.size, found.destroyed, found.checkpoints) == ((), SIZE, 1012, 1)
    assert told == [(end, SIZE) for end in [*range(1024, SIZE, 1024), SIZE]]


def test_what_was_done_to_a_log_is_found_as_by_one_process(
    checked: Checked, log: tuple[Store, Ledger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = log[1].publish()
    change(
        tmp_path,
        "UPDATE ledger_records SET salted = zeroblob(99) WHERE idx IN (1, 300, 8999)",
        "UPDATE ledger_records SET subject = 5 WHERE idx IN (2, 8500)",
        "UPDATE ledger_records SET salted = NULL WHERE idx = 3500",
        "DELETE FROM ledger_records WHERE idx = 6000",
        f"DELETE FROM ledger_terms WHERE part = (SELECT trace >> {sql.PART_BITS} FROM ledger_records WHERE idx = 7000)",
        "UPDATE ledger_tiles SET root = zeroblob(32) WHERE level = 0 AND number = 9",
        "UPDATE ledger_records SET salted = (SELECT salted FROM ledger_records WHERE idx = 8), "
        "leaf = (SELECT leaf FROM ledger_records WHERE idx = 8) WHERE idx = 2900",
    )
    together = checked(seen=[earlier])
    monkeypatch.setattr(audit, "ALONE", SIZE)
    assert together == checked(seen=[earlier])
    assert {fault.kind for fault in together.faults} == {
        "altered", "hidden", "unaccounted", "missing", "tile", "forked",
    }  # fmt: skip


def test_what_happens_meanwhile_is_not_seen(
    checked: Checked, log: tuple[Store, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others look later: then records are gone, for which the act came after those that are checked."""
    before = checked()

    def later(store: Store, stretches: Any) -> Any:
        asyncio.run(log[1].destroy([(7, 9), (8998, 8998)], "selectielijst"))
        appended(log[1], [processing("late")])
        return processes.shared(store, stretches)

    monkeypatch.setattr(audit, "shared", later)
    assert checked() == before
    assert checked().destroyed == before.destroyed + 4


def test_a_process_that_ends_underway_leaves_no_verdict(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_WORK", processes._WORK.replace("work()", "raise SystemExit(0)"))
    with pytest.raises(Unkept) as caught:
        checked()
    assert caught.value.code == "check-broke-off"


def test_who_stops_checking_leaves_no_process(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    popen = processes.subprocess.Popen
    monkeypatch.setattr(
        processes.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )

    def stop(done: int, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checked(progress=stop)
    assert started
    assert all(process.returncode is not None for process in started)
