"""Subscriptions: what they may say, whose they are, and that nothing is sent to who has not said that it wants it."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from sqlalchemy import text

from sluis.crypto import FileKeyStore
from sluis.events.filters import MAX_SQL
from sluis.events.subscriptions import (
    Here,
    Subscription,
    SubscriptionRequest,
    Subscriptions,
    open_subscriptions,
)
from sluis.events.subscriptions.http import view
from sluis.events.subscriptions.model import STATES
from sluis.events.subscriptions.service import MOST, MOST_SQL
from sluis.kernel import Conflict, Invalid, NotFound, PeerId, Text, Upstream, encode
from sluis.ledger import Ledger, open_ledger
from sluis.store import Store, open_store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN, BOB = PeerId("00000001234567890000"), PeerId("00000009876543210000")
SINK = "https://afnemer.example/in"
EVENT = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "nl.x.y"}


class Answered(msgspec.Struct):
    headers: Mapping[str, str]


class Calls:
    """Addresses that answer as a test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.says: Mapping[str, str] | None = {
            "webhook-allowed-origin": "node.example",
            "webhook-allowed-rate": "120",
        }

    async def call(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *,
        seconds: float, most: int,
    ) -> Answered:  # fmt: skip
        self.asked.append((method, url, headers or {}))
        if self.says is None:
            raise Upstream("call-late", Text("-", "-"), Text("-", "-"), Text("-", "-"))
        return Answered(self.says)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield store


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "keys")


@pytest.fixture
def ledger(store: Store, keys: FileKeyStore) -> Ledger:
    return open_ledger(store, keys, "test.example/log", lambda: NOW)


def opened(store: Store, keys: FileKeyStore, ledger: Ledger, calls: Calls) -> Subscriptions:
    here = Here("node.example", "https://node.example/v1/events/permissions")
    return open_subscriptions(store, keys, ledger, calls, here, lambda: NOW)


@pytest.fixture
def subscriptions(store: Store, keys: FileKeyStore, ledger: Ledger, calls: Calls) -> Subscriptions:
    return opened(store, keys, ledger, calls)


def asked(sink: str = SINK, **more: Any) -> SubscriptionRequest:
    return msgspec.convert({"sink": sink, "protocol": "HTTP", **more}, SubscriptionRequest)


CREDENTIAL = {
    "credentialtype": "ACCESSTOKEN", "accesstoken": "geheim.123", "accesstokenexpiresutc": "2027-01-01T00:00:00Z",
}  # fmt: skip


async def test_an_address_that_says_so_gets_events_at_the_rate_that_it_allows(
    subscriptions: Subscriptions, calls: Calls
) -> None:
    made = await subscriptions.create(ANN, asked(), "actor")
    assert (made.state, made.rate) == ("active", 120)
    [(method, url, headers)] = calls.asked
    assert (method, url, headers["webhook-request-origin"]) == ("OPTIONS", SINK, "node.example")
    assert subscriptions.matching(ANN, EVENT) == [made]


@pytest.mark.parametrize(
    "says", [None, {}, {"webhook-allowed-origin": "other.example"}, {"webhook-allowed-rate": "100"}]
)
async def test_an_address_that_does_not_say_so_gets_nothing(
    subscriptions: Subscriptions, calls: Calls, says: Mapping[str, str] | None
) -> None:
    calls.says = says
    made = await subscriptions.create(ANN, asked(), "actor")
    assert made.state == "waiting-for-proof"
    assert made.because
    assert subscriptions.matching(ANN, EVENT) == []
    assert not subscriptions.has(ANN)


async def test_permission_can_be_given_later_over_the_callback_and_only_there(
    subscriptions: Subscriptions, calls: Calls
) -> None:
    calls.says = {}
    made = await subscriptions.create(ANN, asked(), "actor")
    callback = calls.asked[0][2]["webhook-request-callback"]
    *_, name, secret = urlsplit(callback).path.split("/")
    assert name == made.id
    with pytest.raises(NotFound):
        await subscriptions.confirm(name, secret[:-1] + "!", None)
    await subscriptions.confirm(name, secret, "60")
    [now] = subscriptions.of(ANN)
    assert (now.state, now.rate) == ("active", 60)


async def test_another_address_is_proven_anew(subscriptions: Subscriptions, calls: Calls) -> None:
    made = await subscriptions.create(ANN, asked(), "actor")
    same = await subscriptions.replace(ANN, made.id, asked(types=["nl.z"]), "actor")
    assert (same.state, len(calls.asked)) == ("active", 1)
    calls.says = {}
    moved = await subscriptions.replace(ANN, made.id, asked("https://elders.example/"), "actor")
    assert (moved.state, len(calls.asked)) == ("waiting-for-proof", 2)


async def test_who_is_suspended_still_collects_and_goes_on_when_it_proves_it_wants_to(
    subscriptions: Subscriptions,
) -> None:
    made = await subscriptions.create(ANN, asked(), "actor")
    await subscriptions.suspend(made.id)
    assert [one.state for one in subscriptions.matching(ANN, EVENT)] == ["suspended"]
    again = await subscriptions.replace(ANN, made.id, asked(), "actor")
    assert again.state == "active"


async def test_nobody_sees_or_changes_what_is_another_s(subscriptions: Subscriptions) -> None:
    made = await subscriptions.create(ANN, asked(), "actor")
    assert subscriptions.of(BOB) == []
    for act in (
        lambda: subscriptions.replace(BOB, made.id, asked(), "actor"),
        lambda: subscriptions.delete(BOB, made.id, "actor"),
    ):
        with pytest.raises(NotFound):
            await act()
    assert subscriptions.matching(BOB, EVENT) == []


async def test_types_source_and_filters_must_all_hold(subscriptions: Subscriptions) -> None:
    more: dict[str, Any] = {
        "types": ["nl.x.y"], "source": "urn:x", "filters": [{"prefix": {"id": "1"}}, {"sql": "id <> '13'"}],
    }  # fmt: skip
    await subscriptions.create(ANN, asked(**more), "actor")
    assert len(subscriptions.matching(ANN, EVENT)) == 1
    for other in ({"type": "nl.x.z"}, {"source": "urn:y"}, {"id": "2"}, {"id": "13"}):
        assert subscriptions.matching(ANN, EVENT | other) == []


async def test_a_credential_is_sealed_and_never_shown_again(
    subscriptions: Subscriptions, store: Store, keys: FileKeyStore, ledger: Ledger, calls: Calls
) -> None:
    made = await subscriptions.create(ANN, asked(sinkcredential=CREDENTIAL), "actor")
    shown = encode(view(made))
    assert b"geheim" not in shown
    assert b"ACCESSTOKEN" in shown
    assert "geheim" not in repr(made)
    with store.read() as connection:
        row = connection.execute(text("SELECT document, credential FROM events_subscriptions")).one()
    assert b"geheim" not in bytes(row.document) + bytes(row.credential)
    [again] = opened(store, keys, ledger, calls).of(ANN)
    assert again.credential is not None
    assert again.credential.accesstoken == "geheim.123"
    kept = await subscriptions.replace(ANN, made.id, asked(), "actor")
    assert kept.credential is not None
    moved = await subscriptions.replace(ANN, made.id, asked("https://elders.example/"), "actor")
    assert moved.credential is None, "a credential never goes to another address"


async def test_what_is_kept_is_there_after_a_restart(
    subscriptions: Subscriptions, store: Store, keys: FileKeyStore, ledger: Ledger, calls: Calls
) -> None:
    made = await subscriptions.create(ANN, asked(config={"retryhours": "5", "quiet": "22:00-07:00"}), "actor")
    gone = await subscriptions.create(ANN, asked(), "actor")
    await subscriptions.delete(ANN, gone.id, "actor")
    assert opened(store, keys, ledger, calls).all() == [made]
    assert (made.config.retry_for, made.config.quiet) == (5 * 3600, (22 * 60, 7 * 60))


async def test_every_change_is_on_record(subscriptions: Subscriptions, ledger: Ledger) -> None:
    before = ledger.log.size()
    made = await subscriptions.create(ANN, asked(), "actor")
    await subscriptions.suspend(made.id)
    await subscriptions.delete(ANN, made.id, "actor")
    records = [
        msgspec.json.decode(ledger.log.stored(n).json or b"") for n in range(before, ledger.log.size())
    ]
    assert [one["action"].partition(".")[2] for one in records] == ["create", "prove", "suspend", "end"]
    assert {one["trace_id"] for one in records} == {made.id}


async def test_changes_are_told_after_they_are_durable(subscriptions: Subscriptions) -> None:
    heard: list[Subscription] = []

    async def hear(one: Subscription) -> None:
        heard.append(one)

    subscriptions.listen(hear)
    made = await subscriptions.create(ANN, asked(), "actor")
    await subscriptions.delete(ANN, made.id, "actor")
    assert [one.state for one in heard] == ["waiting-for-proof", "active", "ended"]


async def test_one_owner_has_so_many_and_no_more(subscriptions: Subscriptions) -> None:
    for _ in range(MOST):
        await subscriptions.create(ANN, asked("urn:sluis:feed"), "actor")
    with pytest.raises(Conflict):
        await subscriptions.create(ANN, asked("urn:sluis:feed"), "actor")
    await subscriptions.create(BOB, asked("urn:sluis:feed"), "actor")


async def test_what_one_owner_has_evaluated_for_every_event_is_bounded_over_all_its_subscriptions(
    subscriptions: Subscriptions,
) -> None:
    long: Any = asked("urn:sluis:feed", filters=[{"sql": "TRUE" + " " * (MAX_SQL - 4)}])
    for _ in range(MOST_SQL // MAX_SQL):
        made = await subscriptions.create(ANN, long, "actor")
    with pytest.raises(Conflict):
        await subscriptions.create(ANN, long, "actor")
    assert (await subscriptions.replace(ANN, made.id, long, "actor")).id == made.id
    await subscriptions.create(BOB, long, "actor")


@pytest.mark.parametrize("says", [None, {}, {"webhook-allowed-origin": "*"}])
async def test_one_that_ends_while_its_address_is_asked_stays_ended(
    subscriptions: Subscriptions, calls: Calls, says: Any
) -> None:
    calls.says = says

    async def ends(*asked: Any, **more: Any) -> Any:
        [made] = subscriptions.of(ANN)
        await subscriptions.delete(ANN, made.id, "actor")
        return await Calls.call(calls, *asked, **more)

    calls.call = ends  # type: ignore[method-assign]
    assert (await subscriptions.create(ANN, asked(), "actor")).state == "ended"
    assert subscriptions.all() == []


@pytest.mark.parametrize(
    ("sink", "mode"), [("urn:sluis:feed", "feed"), ("urn:sluis:sse", "sse"), ("fsc:sluis/v1/inbox", "fsc")]
)
async def test_what_needs_no_proof_is_active_at_once(
    subscriptions: Subscriptions, calls: Calls, sink: str, mode: str
) -> None:
    made = await subscriptions.create(ANN, asked(sink), "actor")
    assert (made.mode, made.state, calls.asked) == (mode, "active", [])


UNFIT: list[dict[str, Any]] = [
    {"protocol": "MQTT5"},
    {"sink": "http://afnemer.example/"},
    {"sink": "ftp://afnemer.example/"},
    {"sink": "https://wie:wat@afnemer.example/"},
    {"sink": "https://afnemer.example/#x"},
    {"sink": "https:///pad"},
    {"sink": "https://afnemer.example:99999/"},
    {"sink": "https://afnemer.example/a b"},
    {"sink": "https://afnemer.example/" + "x" * 2000},
    {"types": [""]},
    {"source": ""},
    {"filters": [{"like": {"type": "x"}}]},
    {"filters": [{"sql": "type ="}]},
    {"config": {"contents": "binary"}},
    {"config": {"content": "xml"}},
    {"config": {"retryhours": "0"}},
    {"config": {"retryhours": "169"}},
    {"config": {"inflight": "1e3"}},
    {"config": {"quiet": "25:00-07:00"}},
    {"protocolsettings": {"method": "PUT"}},
    {"protocolsettings": {"headers": {"Host": "x"}}},
    {"protocolsettings": {"headers": {"CE-id": "x"}}},
    {"protocolsettings": {"headers": {"x": "a\r\nb: c"}}},
    {"sinkcredential": {"credentialtype": "PLAIN"}},
    {"sinkcredential": {**CREDENTIAL, "accesstoken": "a b"}},
    {"sinkcredential": {**CREDENTIAL, "accesstokenexpiresutc": "2026-01-01T00:00:00Z"}},
]


@pytest.mark.parametrize("document", UNFIT, ids=repr)
async def test_a_document_that_is_not_right_is_refused_and_nothing_is_kept(
    subscriptions: Subscriptions, document: dict[str, Any]
) -> None:
    wrong = msgspec.convert({"sink": SINK, "protocol": "HTTP", **document}, SubscriptionRequest)
    with pytest.raises(Invalid):
        await subscriptions.create(ANN, wrong, "actor")
    assert subscriptions.all() == []


def test_every_state_leads_only_to_states_and_what_ended_stays_so() -> None:
    assert all(after in STATES for afters in STATES.values() for after in afters)
    assert STATES["ended"] == ()
