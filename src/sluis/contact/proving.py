"""An address counts when its owner proved it: by a code that went there, a few at a time, for a short while."""

import hmac
import re
import secrets
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from sluis.contact.channels.base import Channel, Failed, Parcel
from sluis.contact.keeping import Keeping
from sluis.contact.model import Address, Language, Pending
from sluis.contact.parties import Party
from sluis.contact.recording import Recording
from sluis.contact.saying import (
    code_not_sent,
    no_code,
    no_email,
    no_phone,
    too_many_codes,
    unknown_kind,
    wrong_code,
)
from sluis.kernel import Clock
from sluis.store import Store

CODE_SECONDS = 900
"""How long a code that proves an address is good for."""

CODE_TRIES = 5
"""Wrong codes after which it is no good any more."""

CODES_AN_HOUR = 3
"""Codes that are sent for one person and kind."""


_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*/=?^_`{|}~+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")

_CODE_TEXTS = {
    "nl": ("Uw code", "Uw code is {}. Vul hem in op de pagina waar u was. Hij werkt een kwartier. Vroeg u niets? Doe dan niets."),
    "en": ("Your code", "Your code is {}. Fill it in on the page where you were. It works for a quarter of an hour. "
           "Did you ask for nothing? Then do nothing."),
}  # fmt: skip


class Proving:
    """The addresses of people.

    Args:
        store, keeping, recording: where they are, and on record.
        channels: by name; the first of a kind sends the code.
        clock: aware UTC.
        organisation: who asks.
    """

    def __init__(
        self,
        store: Store,
        keeping: Keeping,
        recording: Recording,
        channels: Mapping[str, Channel],
        clock: Clock,
        organisation: str,
    ) -> None:
        self._store, self._keeping, self._recording = store, keeping, recording
        self._channels, self._clock, self._organisation = channels, clock, organisation

    async def offer(self, party: Party, kind: str, value: str, language: Language) -> None:
        """Send a code to an address, so that its owner can prove it is theirs.

        Args:
            party: of whom it is, and who says so.
            kind: `email` or `sms`.
            value: as it was filled in.
            language: of what is sent.

        Raises:
            Invalid: it is no such address, or there is no such channel here.
            Refused: too many codes were asked for (`codes-pace`).
            Upstream: the code could not be sent.
        """
        address = normal_address(kind, value)
        channel = next((one for one in self._channels.values() if one.kind == address.kind), None)
        if channel is None:
            raise unknown_kind()
        person, now, code = party.whose, self._now(), f"{secrets.randbelow(1_000_000):06d}"
        digest = self._code_digest(person, address, code)

        def work(connection: Connection) -> None:
            before = [
                one for one in self._keeping.known(connection, person).pending if one.kind == address.kind
            ]
            lately = tuple(at for one in before for at in one.sent if at > now - 3_600)
            if len(lately) >= CODES_AN_HOUR:
                raise too_many_codes()
            pending = Pending(
                address.kind, address.value, digest, now + CODE_SECONDS, CODE_TRIES, (*lately, now)
            )
            self._keeping.keep(connection, person, pending, now)

        await self._store.write(work)  # counted before it is sent: who breaks off has used it up all the same
        await self._send_code(channel, address, code, language, now)

    async def prove(self, party: Party, kind: str, code: str) -> None:
        """Keep an address whose owner brings the code that was sent there; durable, on record, when this returns.

        Raises:
            NotFound: no code was sent, it is too old, or it was tried too often.
            Invalid: it is another code (`wrong-code`).
        """
        person, now = party.whose, self._now()

        def counted(connection: Connection) -> Pending:
            found = [one for one in self._keeping.known(connection, person).pending if one.kind == kind]
            if not found or found[0].until <= now or found[0].left <= 0:
                raise no_code()
            pending = msgspec.structs.replace(found[0], left=found[0].left - 1)
            self._keeping.keep(connection, person, pending, now)
            return pending

        pending = await self._store.write(counted)  # a try is counted before it is known whether it is right
        address = Address(pending.kind, pending.value, now)
        if not hmac.compare_digest(self._code_digest(person, address, code.strip()), pending.digest):
            raise wrong_code()

        def work(connection: Connection) -> None:
            self._keeping.forget(connection, person, pending)
            self._keeping.keep(connection, person, address, now)

        await self._recording.change(party, "contact.address", work)

    async def forget(self, party: Party, kind: str) -> None:
        """Reach somebody there no longer. Raises `Unkept`."""
        person = party.whose

        def work(connection: Connection) -> None:
            for one in self._keeping.known(connection, person).addresses:
                if one.kind == kind:
                    self._keeping.forget(connection, person, one)

        await self._recording.change(party, "contact.address", work)

    async def _send_code(
        self, channel: Channel, address: Address, code: str, language: Language, now: int
    ) -> None:
        subject, text = _CODE_TEXTS[language]
        said = text.format(code)
        reference = secrets.token_hex(17)
        parcel = Parcel(
            reference,
            (address.value,),
            language,
            subject,
            said,
            f"<p>{said}</p>",
            said,
            self._organisation,
            now,
        )
        try:
            await channel.send(parcel)
        except Failed as failed:
            raise code_not_sent(failed) from None

    def _code_digest(self, person: str, address: Address, code: str) -> str:
        return self._keeping.digest("code", person, address.kind, address.value, code).hex()

    def _now(self) -> int:
        return int(self._clock().timestamp())


def normal_address(kind: str, value: str) -> Address:
    """An address as it is kept, not proven yet: e-mail as it stands with its domain in lower case, a phone number as ITU E.164.

    Raises `Invalid` (`no-such-kind`, `no-email`, `no-phone`).
    """
    given = value.strip()
    if kind == "email":
        name, _, domain = given.rpartition("@")
        if (
            len(given) > 254
            or not _MAIL.fullmatch(given)
            or ".." in given
            or name[0] == "."
            or name[-1] == "."
        ):
            raise no_email()
        return Address("email", f"{name}@{domain.lower()}", 0)
    if kind == "sms":
        digits = re.sub(r"[ ()-]", "", given)
        digits = re.sub(r"^00", "+", digits)
        digits = re.sub(r"^0(?=6)", "+31", digits)
        if not _PHONE.fullmatch(digits):
            raise no_phone()
        return Address("sms", digits, 0)
    raise unknown_kind()
