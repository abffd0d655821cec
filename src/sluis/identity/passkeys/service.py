"""Passkeys of staff: make, sign in, list, revoke. Web Authentication level 3, sections 7.1 and 7.2, by way of `webauthn`.

A passkey is durable before anyone is told that it was made; its counter before anyone is signed in. Challenges are in
memory (`waiting`). Attestation is not asked for: which devices staff may use is for the organisation's own management.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, text
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from sluis.crypto import KeyStore, Vault, decode_base64url, encode_base64url
from sluis.identity.passkeys import rules, sql
from sluis.identity.passkeys.model import Passkey, Settings, State
from sluis.identity.passkeys.records import Change, changed
from sluis.identity.passkeys.rules import Answer
from sluis.identity.sessions import Current, Established, person_of
from sluis.identity.waiting import Waiting
from sluis.kernel import ACR, Clock, Conflict, Invalid, NotFound, Text, decode
from sluis.ledger import Ledger
from sluis.store import Store, migrate
from sluis.web import SignedIn

LASTS = 300
"""Seconds that a challenge can be answered."""

_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_HANDLES = "passkey-handles"
_ANYONE = ""

V = TypeVar("V", VerifiedRegistration, VerifiedAuthentication)


class Passkeys:
    """The passkeys of an organisation's staff. Made by `open_passkeys`; for one event loop.

    Attributes:
        settings: how they are used here.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        clock: Clock,
        settings: Settings,
        current: Current,
    ) -> None:
        self._store, self._ledger, self._keys, self._clock = store, ledger, keys, clock
        self.settings, self._current = settings, current
        self._waiting: Waiting[str] = Waiting(LASTS, clock)  # who makes a passkey; anyone signs in
        self._vault = Vault(keys, "passkeys")

    def owner(self, official: str) -> str:
        """This node's pseudonym of a member of staff, by their name in the settings."""
        return person_of(self._keys, "staff", official)

    def of(self, person: str) -> tuple[Passkey, ...]:
        """Every passkey of one person, revoked ones too, the oldest first."""
        with self._store.read() as connection:
            return tuple(map(_passkey, connection.execute(text(sql.OF_PERSON), {"person": person})))

    def begin_making(self, who: SignedIn, browser: str) -> str:
        """Options for `navigator.credentials.create`, as JSON (WebAuthn, 5.4).

        Args:
            who: signed in.
            browser: the secret of the browser that asks.

        Raises:
            Refused: this person may not make one now.
        """
        person = who.acting.person
        have = [one for one in self.of(person) if one.state == "active"]
        rules.check_may_make(who, self.settings, self._now(), len(have))
        options = generate_registration_options(
            rp_id=self.settings.host,
            rp_name=self.settings.title,
            user_id=self._handle(person),
            user_name=who.name or self.settings.title,
            challenge=decode_base64url(self._waiting.put(browser, person, person)),
            timeout=LASTS * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[_descriptor(one) for one in have],
            supported_pub_key_algs=_ALGORITHMS,
        )
        return options_to_json(options)

    async def make(
        self, who: SignedIn, established: Established, browser: str, name: str, answer: str
    ) -> Passkey:
        """Keep a new passkey; durable when this returns.

        Args:
            who: signed in; the one who began.
            established: what that person's sign-in found out.
            browser: the secret of the browser that asked.
            name: as its owner calls it.
            answer: of the browser, JSON.

        Raises:
            Refused: the answer is not good, or this person may not make one now.
            Invalid: the name is empty or long.
            Conflict: there is this passkey already.
        """
        name, read, now = rules.check_name(name), rules.read_answer(answer), self._now()
        person = who.acting.person
        if self._waiting.take(read.challenge, browser) != person:
            raise rules.not_this_passkey("challenge")
        verified = _verified(lambda: self._verify_new(read))
        made = Passkey(
            id=encode_base64url(verified.credential_id),
            person=person,
            name=name,
            public_key=verified.credential_public_key,
            count=verified.sign_count,
            travels=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            copied=verified.credential_backed_up,
            transports=read.transports,
            level=who.level or "basic",
            made=now,
            used=None,
            confirmed=now,
            state="active",
            sealed=self._seal(person, established),
        )
        have = sum(one.state == "active" for one in self.of(person))
        rules.check_may_make(who, self.settings, now, have)
        if self._one(made.id) is not None:
            raise _exists()
        await self._recorded("make", made, lambda connection: _add(connection, made))
        return made

    def begin_signing_in(self, browser: str, address: str = "") -> str:
        """Options for `navigator.credentials.get`, as JSON (WebAuthn, 5.5): any passkey of this node, person verified.

        Args:
            browser: the secret of the browser that asks.
            address: where it is.
        """
        options = generate_authentication_options(
            rp_id=self.settings.host,
            challenge=decode_base64url(self._waiting.put(browser, _ANYONE, address)),
            timeout=LASTS * 1000,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    async def sign_in(self, browser: str, answer: str) -> Established:
        """Who a passkey's answer shows; its counter is durable when this returns.

        Args:
            browser: the secret of the browser that asked.
            answer: of the browser, JSON.

        Raises:
            Refused: the answer is not good, or the passkey does not work here (any more).
        """
        read, now = rules.read_answer(answer), self._now()
        if self._waiting.take(read.challenge, browser) != _ANYONE:
            raise rules.not_this_passkey("challenge")
        passkey = self._one(read.id)
        if passkey is None or read.user != self._handle(passkey.person):
            raise rules.not_this_passkey("passkey-known")
        verified = _verified(lambda: self._verify(read, passkey))
        rules.check_works(passkey, self.settings, now)
        state = await self._store.write(lambda connection: _use(connection, passkey.id, verified, now))
        if state == "cloned":
            await self._ledger.append([changed("block", passkey, now)])
            raise rules.copied()
        if state != "active":
            raise rules.not_this_passkey("passkey-active")
        return self._established(passkey, now)

    async def revoke(self, person: str, id: str, *, by: str | None = None) -> None:
        """Let a passkey of this person work no more; durable when this returns.

        Args:
            person: its owner.
            id: of the credential.
            by: who does this, when it is not the owner.

        Raises:
            NotFound: this person has no such passkey.
        """
        passkey = self._one(id)
        if passkey is None or passkey.person != person:
            raise _unknown()
        if rules.may_become(passkey, "revoked"):
            into = {"id": id, "state": "revoked"}
            await self._recorded("revoke", passkey, lambda connection: _change(connection, into), by)

    async def confirm(self, established: Established) -> None:
        """Take over what another way of signing in says of a member of staff now; their passkeys go on working.

        Args:
            established: what that way found out.
        """
        person = person_of(self._keys, established.kind, established.value)
        values = {"person": person, "sealed": self._seal(person, established), "confirmed": self._now()}
        if any(one.state == "active" for one in self.of(person)):
            await self._store.write(lambda connection: connection.execute(text(sql.CONFIRM), values).rowcount)

    async def _recorded(
        self, change: Change, passkey: Passkey, keep: Callable[[Connection], None], by: str | None = None
    ) -> None:
        """Change something, and record that it was done: both durable when this returns."""
        await self._ledger.append([changed(change, passkey, self._now(), by)], along=keep)

    def _one(self, id: str) -> Passkey | None:
        with self._store.read() as connection:
            return _found(connection, id)

    def _verify_new(self, read: Answer) -> VerifiedRegistration:
        return verify_registration_response(
            credential=read.credential,
            expected_challenge=decode_base64url(read.challenge),
            expected_rp_id=self.settings.host,
            expected_origin=self.settings.origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )

    def _verify(self, read: Answer, passkey: Passkey) -> VerifiedAuthentication:
        return verify_authentication_response(
            credential=read.credential,
            expected_challenge=decode_base64url(read.challenge),
            expected_rp_id=self.settings.host,
            expected_origin=self.settings.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # `_use` holds the counter against what is kept, in one step with keeping it
            require_user_verification=True,
        )

    def _handle(self, person: str) -> bytes:
        """By what a passkey knows its owner: says nothing about the person (WebAuthn, 14.6.1)."""
        return self._keys.mac(_HANDLES, person.encode())

    def _seal(self, person: str, established: Established) -> bytes:
        return self._vault.seal(msgspec.json.encode(established), person)

    def _established(self, passkey: Passkey, now: int) -> Established:
        """What was found out of the owner in another way, at the level and moment of this sign-in."""
        try:
            opened = self._vault.open(passkey.sealed, passkey.person)
        except Invalid:
            raise rules.not_this_passkey("passkey-known") from None
        current = self._current(decode(opened, Established))
        if current is None:
            raise rules.not_this_passkey("passkey-of-staff")
        level = rules.level_given(passkey, self.settings)
        return msgspec.structs.replace(
            current,
            method="passkey",
            level=level,
            acr=ACR.get(level, level),
            at=now,
            issuer=self.settings.origin,
            upstream_session=None,
        )

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_passkeys(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    clock: Clock,
    settings: Settings,
    current: Current = lambda established: established,
) -> Passkeys:
    """Open the passkeys of this node's staff, with their table.

    Args:
        store: of the node.
        ledger: of the node; it keeps what was made, revoked and blocked.
        keys: of the node: they seal who owners are.
        clock: the time.
        settings: how passkeys are used here.
        current: asked at each sign-in.
    """
    migrate(store, "identity.passkeys", sql.MIGRATIONS)
    return Passkeys(store, ledger, keys, clock, settings, current)


def _verified(verify: Callable[[], V]) -> V:
    """What the library found. Whatever it stumbles over in hostile input is a refusal: it has many words for that."""
    try:
        return verify()
    except Exception as failure:
        raise rules.not_this_passkey("answer-good") from failure


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    ways = [AuthenticatorTransport(one) for one in passkey.transports if one != "smart-card"]
    return PublicKeyCredentialDescriptor(id=decode_base64url(passkey.id), transports=ways or None)


def _add(connection: Connection, passkey: Passkey) -> None:
    values = msgspec.structs.asdict(passkey) | {
        "transports": " ".join(passkey.transports),
        "travels": int(passkey.travels),
        "copied": int(passkey.copied),
    }
    connection.execute(text(sql.ADD), values)


def _change(connection: Connection, into: dict[str, str]) -> None:
    connection.execute(text(sql.INTO_STATE), into)


def _use(connection: Connection, id: str, verified: VerifiedAuthentication, now: int) -> State:
    """Note that a passkey signed in, or block it when its counter went back; gives its state after that."""
    passkey = _found(connection, id)
    if passkey is None or passkey.state != "active":
        return "revoked"
    if rules.went_back(passkey, verified.new_sign_count):
        _change(connection, {"id": id, "state": "cloned"})
        return "cloned"
    said = {"count": verified.new_sign_count, "copied": int(verified.credential_backed_up)}
    connection.execute(text(sql.USED), {"id": id, "used": now} | said)
    return "active"


def _found(connection: Connection, id: str) -> Passkey | None:
    row = connection.execute(text(sql.ONE), {"id": id}).first()
    return _passkey(row) if row else None


def _passkey(row: Row[Any]) -> Passkey:
    values = dict(row._mapping)
    values["transports"] = tuple(values["transports"].split())
    values["public_key"], values["sealed"] = bytes(values["public_key"]), bytes(values["sealed"])
    values["travels"], values["copied"] = bool(values["travels"]), bool(values["copied"])
    return Passkey(**values)


def _exists() -> Conflict:
    return Conflict(
        "passkey-exists",
        Text("Deze passkey bestaat al.", "There is this passkey already."),
        Text("Hij is hier eerder gemaakt.", "It was made here before."),
        Text("Gebruik hem, of maak er een op een ander apparaat.", "Use it, or make one on another device."),
    )


def _unknown() -> NotFound:
    return NotFound(
        "unknown-passkey",
        Text("Deze passkey is er niet.", "There is no such passkey."),
        Text("Hij is niet van u, of hij bestaat niet.", "It is not yours, or it does not exist."),
        Text("Kies een passkey van uw eigen lijst.", "Choose a passkey of your own list."),
    )
