"""Passkeys of staff: who may make one, what signs in, and what does not."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.authenticator import Authenticator, b64

from sluis.crypto import FileKeyStore
from sluis.identity.passkeys import Passkeys, Settings, open_passkeys, rules
from sluis.identity.passkeys.records import trace_of
from sluis.identity.sessions import Established, person_of
from sluis.kernel import Acting, Conflict, Invalid, NotFound, Problem, Refused
from sluis.ledger import open_ledger
from sluis.store import Store, open_store
from sluis.web import SignedIn

ORIGIN = "https://portaal.dienst.example"
BROWSER = "browser-1"
SETTINGS = Settings(ORIGIN, "portaal.dienst.example", "Dienst Voorbeeld (fictief)")


class Desk:
    """An organisation's passkeys, its clock, and two fictitious officials."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.store, self.keys = store, FileKeyStore(directory)
        self.ledger = open_ledger(store, self.keys, "portaal.dienst.example/log", lambda: self.now)
        self.passkeys = self.opened()
        self.device = Authenticator(ORIGIN)

    def opened(self, **other: object) -> Passkeys:
        settings = msgspec.structs.replace(SETTINGS, **other)
        return open_passkeys(self.store, self.ledger, self.keys, lambda: self.now, settings)

    def established(self, value: str = "medewerker-1", **other: object) -> Established:
        at = int(self.now.timestamp())
        found = Established("directory", "staff", "staff", value, "substantial", "loa", at, "https://id.example",
                            name="Fenna Fictief", roles=("intake",), upstream_session="s1")  # fmt: skip
        return msgspec.structs.replace(found, **other)

    def signed_in(self, value: str = "medewerker-1", **other: object) -> SignedIn:
        found = self.established(value)
        person = person_of(self.keys, found.kind, found.value)
        who = SignedIn("handle", Acting(person), "staff", found.level, found.acr, found.method, found.at)
        return msgspec.structs.replace(who, **other)

    async def made(
        self, device: Authenticator | None = None, value: str = "medewerker-1", **how: object
    ) -> str:
        device = device or self.device
        answer = device.create(self.passkeys.begin_making(self.signed_in(value), BROWSER), **how)
        kept = await self.passkeys.make(
            self.signed_in(value), self.established(value), BROWSER, "laptop", answer
        )
        return kept.id

    async def sign_in(self, device: Authenticator | None = None, **how: object) -> Established:
        options = self.passkeys.begin_signing_in(BROWSER)
        return await self.passkeys.sign_in(BROWSER, (device or self.device).get(options, **how))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    where = tmp_path / "node.db" if request.param == "sqlite" else request.getfixturevalue("empty_postgres")
    with closing(open_store(where)) as store:
        yield Desk(store, tmp_path / "keys")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield Desk(store, tmp_path / "keys")


def rule_of(failure: pytest.ExceptionInfo[Problem]) -> str | None:
    return failure.value.rule


async def test_who_made_a_passkey_signs_in_with_it_also_after_a_restart(desk: Desk) -> None:
    await desk.made()
    desk.now += timedelta(days=1)
    desk.passkeys = desk.opened()
    found = await desk.sign_in()
    assert (found.method, found.audience, found.kind, found.value) == (
        "passkey",
        "staff",
        "staff",
        "medewerker-1",
    )
    assert (found.level, found.acr) == ("substantial", "http://eidas.europa.eu/LoA/substantial")
    assert (found.name, found.roles) == ("Fenna Fictief", ("intake",))
    assert (found.at, found.issuer, found.upstream_session) == (int(desk.now.timestamp()), ORIGIN, None)


@pytest.mark.parametrize("packed", [False, True])
async def test_attestation_is_not_needed_and_its_own_signature_is_taken(here: Desk, packed: bool) -> None:
    await here.made(packed=packed)
    assert (await here.sign_in()).value == "medewerker-1"


async def test_options_ask_for_a_passkey_that_finds_its_owner_and_verifies_them(here: Desk) -> None:
    made = await here.made()
    making = json.loads(here.passkeys.begin_making(here.signed_in(), BROWSER))
    assert making["rp"] == {"id": "portaal.dienst.example", "name": "Dienst Voorbeeld (fictief)"}
    assert making["authenticatorSelection"]["residentKey"] == "required"
    assert making["authenticatorSelection"]["userVerification"] == "required"
    assert making["attestation"] == "none"
    assert [one["id"] for one in making["excludeCredentials"]] == [made]
    asking = json.loads(here.passkeys.begin_signing_in(BROWSER))
    assert asking["userVerification"] == "required"
    assert not asking.get("allowCredentials")
    assert "medewerker" not in json.dumps([making["user"], asking])


@pytest.mark.parametrize(
    ("how", "meaning"),
    [
        ({"origin": "https://portaal.dienst.example.evil.example"}, "another origin"),
        ({"origin": "http://portaal.dienst.example"}, "no TLS"),
        ({"host": "dienst.example"}, "another relying party"),
        ({"verified": False}, "nobody verified the person"),
        ({"present": False}, "nobody was there"),
        ({"kind": "webauthn.create"}, "an answer to another question"),
        ({"challenge": b64(b"x" * 32)}, "another challenge"),
        ({"framed": True}, "in a frame of another site"),
        ({"top": "https://evil.example"}, "below a page of another site"),
        ({"user": b"y" * 32}, "the handle of somebody else"),
        ({"user": b""}, "no handle"),
    ],
)
async def test_a_wrong_answer_does_not_sign_in(here: Desk, how: dict[str, object], meaning: str) -> None:
    await here.made()
    with pytest.raises(Refused):
        await here.sign_in(**how)
    assert await here.sign_in(), meaning


@pytest.mark.parametrize(
    "how",
    [{"origin": "https://evil.example"}, {"host": "evil.example"}, {"verified": False}, {"framed": True}],
)
async def test_a_wrong_answer_makes_no_passkey(here: Desk, how: dict[str, object]) -> None:
    with pytest.raises(Refused):
        await here.made(**how)
    assert here.passkeys.of(here.signed_in().acting.person) == ()


async def test_a_challenge_is_answered_once(here: Desk) -> None:
    await here.made()
    answer = here.device.get(here.passkeys.begin_signing_in(BROWSER))
    await here.passkeys.sign_in(BROWSER, answer)
    with pytest.raises(Refused) as refused:
        await here.passkeys.sign_in(BROWSER, answer)
    assert rule_of(refused) == "challenge"


async def test_a_challenge_is_for_the_browser_that_asked(here: Desk) -> None:
    await here.made()
    answer = here.device.get(here.passkeys.begin_signing_in(BROWSER))
    with pytest.raises(Refused) as refused:
        await here.passkeys.sign_in("browser-2", answer)
    assert rule_of(refused) == "challenge"
    assert await here.passkeys.sign_in(BROWSER, answer)


async def test_a_challenge_lasts_five_minutes(here: Desk) -> None:
    await here.made()
    answer = here.device.get(here.passkeys.begin_signing_in(BROWSER))
    here.now += timedelta(seconds=300)
    with pytest.raises(Refused) as refused:
        await here.passkeys.sign_in(BROWSER, answer)
    assert rule_of(refused) == "challenge"


async def test_a_challenge_for_making_does_not_sign_in(here: Desk) -> None:
    await here.made()
    making = json.loads(here.passkeys.begin_making(here.signed_in(), BROWSER))
    with pytest.raises(Refused) as refused:
        await here.sign_in(challenge=making["challenge"])
    assert rule_of(refused) == "challenge"


async def test_a_challenge_for_making_is_for_who_asked(here: Desk) -> None:
    answer = here.device.create(here.passkeys.begin_making(here.signed_in(), BROWSER))
    other = here.signed_in("medewerker-2")
    with pytest.raises(Refused) as refused:
        await here.passkeys.make(other, here.established("medewerker-2"), BROWSER, "laptop", answer)
    assert rule_of(refused) == "challenge"


async def test_a_counter_that_goes_back_blocks_the_passkey_for_good(desk: Desk) -> None:
    await desk.made()
    await desk.sign_in()
    with pytest.raises(Refused) as refused:
        await desk.sign_in(count=1)
    assert rule_of(refused) == "passkey-counter"
    with pytest.raises(Refused) as refused:
        await desk.sign_in()
    assert rule_of(refused) == "passkey-counter"
    [kept] = desk.passkeys.of(desk.signed_in().acting.person)
    assert kept.state == "cloned"


async def test_a_passkey_without_counter_signs_in_again_and_again(here: Desk) -> None:
    device = Authenticator(ORIGIN, counts=False)
    await here.made(device)
    await here.sign_in(device)
    assert await here.sign_in(device)


async def test_a_passkey_of_one_does_not_sign_in_another(here: Desk) -> None:
    await here.made()
    other = Authenticator(ORIGIN)
    await here.made(other, "medewerker-2")
    other.id = here.device.id
    with pytest.raises(Refused):
        await here.sign_in(other)
    here.device.user = other.user
    with pytest.raises(Refused):
        await here.sign_in()


async def test_an_unknown_passkey_is_refused_as_any_other(here: Desk) -> None:
    with pytest.raises(Refused) as refused:
        await here.sign_in(user=b"z" * 32)
    assert refused.value.code == "passkey-refused"


async def test_owners_see_and_revoke_their_own_alone(desk: Desk) -> None:
    made, second = await desk.made(), Authenticator(ORIGIN, synced=True)
    desk.now += timedelta(seconds=1)
    await desk.made(second)
    person = desk.signed_in().acting.person
    first, other = desk.passkeys.of(person)
    assert (first.name, first.travels, first.copied, other.travels, other.copied) == (
        "laptop",
        False,
        False,
        True,
        True,
    )
    with pytest.raises(NotFound):
        await desk.passkeys.revoke(desk.signed_in("medewerker-2").acting.person, made)
    await desk.passkeys.revoke(person, made)
    with pytest.raises(Refused):
        await desk.sign_in()
    assert await desk.sign_in(second)
    assert [one.state for one in desk.passkeys.of(person)] == ["revoked", "active"]


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"audience": "citizen"}, "passkey-for-staff"),
        ({"method": "passkey"}, "passkey-after-other-way"),
        ({"level": "low"}, "passkey-level"),
        ({"level": None}, "passkey-level"),
        ({"at": int(datetime(2026, 3, 2, 8, 49, tzinfo=UTC).timestamp())}, "passkey-fresh"),
    ],
)
async def test_who_may_not_make_a_passkey(here: Desk, other: dict[str, object], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        here.passkeys.begin_making(here.signed_in(**other), BROWSER)
    assert rule_of(refused) == rule
    answer = here.device.create(here.passkeys.begin_making(here.signed_in(), BROWSER))
    with pytest.raises(Refused) as refused:
        await here.passkeys.make(here.signed_in(**other), here.established(), BROWSER, "laptop", answer)
    assert rule_of(refused) == rule


async def test_a_person_has_twenty_passkeys_at_most(here: Desk) -> None:
    for _ in range(rules.MOST):
        await here.made(Authenticator(ORIGIN))
    with pytest.raises(Refused) as refused:
        here.passkeys.begin_making(here.signed_in(), BROWSER)
    assert rule_of(refused) == "passkey-number"


@pytest.mark.parametrize(
    ("had", "most", "given"),
    [
        ("high", "substantial", "substantial"),
        ("substantial", "high", "substantial"),
        ("high", "high", "high"),
    ],
)
async def test_the_level_is_the_lower_of_setting_and_sign_in(
    here: Desk, had: str, most: str, given: str
) -> None:
    here.passkeys = here.opened(level=most)
    answer = here.device.create(here.passkeys.begin_making(here.signed_in(level=had), BROWSER))
    await here.passkeys.make(here.signed_in(level=had), here.established(level=had), BROWSER, "x", answer)
    assert (await here.sign_in()).level == given


async def test_a_passkey_rests_until_its_owner_signs_in_in_another_way(desk: Desk) -> None:
    await desk.made()
    desk.now += timedelta(days=31)
    with pytest.raises(Refused) as refused:
        await desk.sign_in()
    assert rule_of(refused) == "passkey-confirmed"
    await desk.passkeys.confirm(desk.established(name="Fenna Verzonnen", roles=("chef",)))
    found = await desk.sign_in()
    assert (found.name, found.roles) == ("Fenna Verzonnen", ("chef",))


async def test_there_is_each_passkey_once(here: Desk) -> None:
    await here.made()
    with pytest.raises(Conflict):
        await here.made()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
async def test_a_name_is_short_and_printable(here: Desk, name: str) -> None:
    answer = here.device.create(here.passkeys.begin_making(here.signed_in(), BROWSER))
    with pytest.raises(Invalid):
        await here.passkeys.make(here.signed_in(), here.established(), BROWSER, name, answer)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "null",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"rawId"', '"id":"AA","rawId"'),
        lambda text: text.replace('"type": "public-key"', '"type": "password"'),
        lambda text: text.replace('"signature": "', '"signature": "!'),
        lambda text: text.replace('"signature": "', '"signature": "A'),
        lambda text: text.replace('"rawId": "', '"rawId": "AA'),
        lambda text: text + " " * rules.LONGEST,
        lambda text: text.replace("response", "answer"),
        lambda text: text.replace('"id": "', '"id": "AA'),
    ],
)
async def test_what_cannot_be_read_is_refused(here: Desk, spoil: object) -> None:
    await here.made()
    answer = here.device.get(here.passkeys.begin_signing_in(BROWSER))
    with pytest.raises(Refused):
        await here.passkeys.sign_in(BROWSER, spoil(answer))  # type: ignore[operator]


async def test_no_attestation_object_brings_anything_but_a_refusal(here: Desk) -> None:
    for hostile in (b"", b"\x9f" * 8000, b"\xa1" * 4000, b"\xff", b"\xa3cfmtdnone", b"\x5b" + b"\xff" * 8):
        answer = json.loads(here.device.create(here.passkeys.begin_making(here.signed_in(), BROWSER)))
        answer["response"]["attestationObject"] = b64(hostile)
        with pytest.raises(Refused):
            await here.passkeys.make(
                here.signed_in(), here.established(), BROWSER, "laptop", json.dumps(answer)
            )


def test_the_database_does_not_tell_who_has_passkeys(here: Desk, tmp_path: Path) -> None:
    asyncio.run(here.made())
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("node.db*"))
    assert b"laptop" in raw
    assert b"medewerker-1" not in raw
    assert b"Fenna" not in raw


async def test_a_passkey_gives_the_roles_of_now_and_nothing_to_who_left(here: Desk) -> None:
    await here.made()
    now: list[Established | None] = [here.established(roles=("chef",)), None]
    here.passkeys = open_passkeys(
        here.store, here.ledger, here.keys, lambda: here.now, SETTINGS, lambda was: now.pop(0)
    )
    assert (await here.sign_in()).roles == ("chef",)
    with pytest.raises(Refused) as refused:
        await here.sign_in()
    assert rule_of(refused) == "passkey-of-staff"


async def test_the_log_keeps_what_was_made_revoked_and_blocked(desk: Desk) -> None:
    first, other = await desk.made(), Authenticator(ORIGIN)
    second = await desk.made(other)
    await desk.sign_in(other)
    with pytest.raises(Refused):
        await desk.sign_in(other, count=1)
    person = desk.signed_in().acting.person
    await desk.passkeys.revoke(person, first)
    await desk.passkeys.revoke(person, first)
    told = {id: desk.ledger.log.arrangements(trace_of(id)) for id in (first, second)}
    assert [one.action for _, one in told[first]] == ["passkey.make", "passkey.revoke"]
    assert [one.action for _, one in told[second]] == ["passkey.make", "passkey.block"]
    assert {one.actor for records in told.values() for _, one in records} == {person}
