"""What an operator sees of the passkeys of staff, and revokes: who may, what it ends, and what stands in the log."""

import os
import pwd
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.authenticator import Authenticator
from tests.unit.identity.passkeys.test_passkeys import Desk
from tests.unit.web.conftest import ABOUT, calling

from sluis.cli import main
from sluis.cli import passkeys as commands
from sluis.identity.passkeys import desk_routes
from sluis.identity.passkeys.records import trace_of
from sluis.identity.sessions import open_sessions
from sluis.kernel import PeerId, Refused
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.store import open_store
from sluis.web import Access, Gate, Person, make_api

OWNER = {"person": "medewerker-1"}
SEARCH, REVOKE = "/v1/passkeys/searches", "/v1/passkeys/revocations"
OPERATOR = "beheerder-1"


class Office(Desk):
    """The same, with its sessions, and an operator at the socket."""

    def __init__(self, store: Any, directory: Path) -> None:
        super().__init__(store, directory)
        self.sessions = open_sessions(store, self.keys, lambda: self.now)

    async def call(self, path: str, body: Any, roles: tuple[str, ...] = ("access-admin",)) -> tuple[int, Any]:
        user = pwd.getpwuid(os.getuid()).pw_name
        point = DecisionPoint(Policies(STANDARD), "dienst", self.ledger, lambda: self.now)
        routes = desk_routes(self.passkeys, self.sessions, Gate(point), PeerId("00000099000000001000"))
        api = make_api(routes, Access([], {user: Person(user, OPERATOR, roles)}.get), ABOUT)
        local = {"sluis.local": {"uid": os.getuid()}}
        reply = await calling(api)("POST", path, body, extensions=local)
        return reply.status, reply.json


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield Office(store, tmp_path / "keys")


async def test_revoking_ends_all_sessions_and_no_passkey_signs_in_any_more(office: Office) -> None:
    await office.made()
    secret, _ = await office.sessions.begin(await office.sign_in())
    other, _ = await office.sessions.begin(office.established("medewerker-2"))
    status, told = await office.call(REVOKE, OWNER)
    assert (status, [one["state"] for one in told]) == (201, ["revoked"])
    assert office.sessions.by_cookie(secret) is None
    assert office.sessions.by_cookie(other) is not None
    with pytest.raises(Refused):
        await office.sign_in()


async def test_who_lost_a_passkey_makes_another_after_the_operator_revoked_it(office: Office) -> None:
    await office.made()
    await office.call(REVOKE, OWNER)
    new = Authenticator(office.device.origin)
    await office.made(new)
    assert (await office.sign_in(new)).value == "medewerker-1"


async def test_one_passkey_may_be_revoked_and_the_others_stay(office: Office) -> None:
    first, second = await office.made(), await office.made(Authenticator(office.device.origin))
    _, told = await office.call(REVOKE, {**OWNER, "passkey": trace_of(first)})
    assert [one["passkey"] for one in told] == [trace_of(first)]
    _, listed = await office.call(SEARCH, OWNER)
    states = {one["passkey"]: one["state"] for one in listed}
    assert states == {trace_of(first): "revoked", trace_of(second): "active"}


async def test_it_is_on_record_who_revoked(office: Office) -> None:
    id = await office.made()
    await office.call(REVOKE, OWNER)
    (_, made), (_, revoked) = office.ledger.log.arrangements(trace_of(id))
    assert (made.actor, revoked.action) == (office.passkeys.owner("medewerker-1"), "passkey.revoke")
    assert revoked.actor == office.passkeys.owner(OPERATOR)


@pytest.mark.parametrize(
    ("roles", "looks", "revokes"),
    [((), 403, 403), (("fsc-admin",), 403, 403), (("privacy-officer",), 200, 403), (("access-admin",), 200, 201)],
)  # fmt: skip
async def test_it_takes_the_role(office: Office, roles: tuple[str, ...], looks: int, revokes: int) -> None:
    await office.made()
    found = [(await office.call(path, OWNER, roles))[0] for path in (SEARCH, REVOKE)]
    assert found == [looks, revokes]


async def test_somebody_without_passkeys_and_a_wrong_number_are_told_apart_from_nothing_to_do(
    office: Office,
) -> None:
    await office.made()
    for body in ({"person": "niemand"}, {**OWNER, "passkey": "0" * 32}):
        status, told = await office.call(REVOKE, body)
        assert (status, told["code"]) == (404, "no-passkeys")


def test_the_command_says_what_there_is_and_that_sessions_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    found = [{"passkey": "0a" * 16, "name": "laptop", "state": "revoked", "made": 0, "used": 86_400}]

    class Reply:
        def document(self) -> Any:
            return found

    def call(directory: Path, method: str, path: str, body: Any) -> Reply:
        asked.append((method, path, body))
        return Reply()

    monkeypatch.setattr(commands, "call", call)
    run = CliRunner().invoke(main, ["--language", "nl", "passkeys", "revoke", "fenna"])
    assert asked == [("POST", REVOKE, {"person": "fenna"})]
    assert "laptop: ingetrokken" in run.output
    assert "gemaakt 1970-01-01, gebruikt 1970-01-02" in run.output
    assert "Alle sessies zijn beëindigd." in run.output
