"""A data subject reads their own log lines with an access token that was given for it, and nobody else's."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.clocks import BEGIN
from tests.unit.identity.people import established
from tests.unit.ledger.examples import NOW, appended, opened, processing
from tests.unit.web.conftest import ABOUT, Caller, calling

from sluis.crypto import FileKeyStore
from sluis.identity.provider import OWN_LOG
from sluis.identity.sessions import open_sessions
from sluis.kernel import Level
from sluis.ledger import Ledger, reading_routes
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.serve.citizen import ReadingAccess, own_lines
from sluis.web import SignedIn, make_api

ANN, BOB = "999990019", "999990020"  # fictitious


class World:
    """A log with lines about two people, one of whom is signed in."""

    def __init__(self, ledger: Ledger, directory: Path) -> None:
        self.sessions = open_sessions(ledger._store, FileKeyStore(directory / "keys"), lambda: BEGIN)
        self.tokens: dict[str, SignedIn] = {}
        point = DecisionPoint(Policies(STANDARD), "test", ledger, lambda: BEGIN)
        parts: Any = SimpleNamespace(ledger=ledger, point=point)
        routes = reading_routes(ledger, own_lines(parts, self.sessions))
        self.call: Caller = calling(make_api(routes, ReadingAccess(self), ABOUT))

    def by_cookie(self, secret: str) -> SignedIn | None:
        return None

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return self.tokens.get(token)

    async def token(self, scope: str, level: Level = "substantial", **known: Any) -> str:
        """A token of somebody who signed in now; who believes it, is `by_token`."""
        _, signed_in = await self.sessions.begin(established(level=level, **known))
        token = secrets.token_urlsafe(8)
        self.tokens[token] = msgspec.structs.replace(signed_in, scope=tuple(scope.split()))
        return token

    async def read(self, token: str, **body: Any) -> tuple[int, list[Any]]:
        headers = {"authorization": f"Bearer {token}"}
        reply = await self.call("POST", "/v1/processing-activities", body, headers)
        return reply.status, reply.json["processingActivities"] if reply.status == 200 else []


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as (_, ledger):
        appended(ledger, [processing(ledger.subject("BSN", bsn, NOW)) for bsn in (ANN, BOB)])
        yield World(ledger, tmp_path)


async def test_a_person_reads_their_own_lines_and_no_others(world: World) -> None:
    token = await world.token(f"openid {OWN_LOG}")
    activity = {
        "dpl.core.processing_activity_id": processing("x").attributes["dpl.core.processing_activity_id"]
    }
    assert [len(lines) for _, lines in [await world.read(token, **activity)]] == [1]
    assert len((await world.read(token, **{"dpl.core.data_subject_id": ANN}))[1]) == 1
    assert (await world.read(token, **{"dpl.core.data_subject_id": BOB}))[1] == []


async def test_a_token_that_was_given_for_something_else_opens_no_log(world: World) -> None:
    for scope in ("openid", f"{OWN_LOG}s", ""):
        token = await world.token(scope)
        assert (await world.read(token, **{"dpl.core.data_subject_id": ANN}))[0] == 403


async def test_a_sign_in_that_is_too_weak_opens_no_log(world: World) -> None:
    token = await world.token(OWN_LOG, "low")
    assert (await world.read(token, **{"dpl.core.data_subject_id": ANN}))[0] == 403


async def test_a_token_that_is_no_good_opens_no_log(world: World) -> None:
    assert (await world.read("x", **{"dpl.core.data_subject_id": ANN}))[0] == 401


async def test_a_token_opens_nothing_after_signing_out(world: World) -> None:
    token = await world.token(OWN_LOG)
    await world.sessions.end(world.tokens[token].session)
    assert (await world.read(token, **{"dpl.core.data_subject_id": ANN}))[0] == 404
