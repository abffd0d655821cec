"""An address counts when its owner proved it: by a code that went there, a few at a time, for a short while."""

import asyncio
import hmac
import logging
import re
import secrets
from collections.abc import Mapping, Sequence

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

CODES_AN_HOUR, CODES_A_DAY = 3, 6
"""Codes that are sent for one person and kind, whatever comes of them."""

CODES_TO_ONE = 12
"""Codes that go to one address in a day, whoever asks for them."""

DAY = 86_400
"""Seconds that is known when codes were sent."""

log = logging.getLogger("sluis.contact")

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*/=?^_`{|}~+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")

_CODE_TEXTS = {
    "nl": ("Uw code", "Uw code is {}. Vul hem in op de pagina waar u was. Hij werkt een kwartier. Vroeg u niets? Doe dan niets."),
    "en": ("Your code", "Your code is {}. Fill it in on the page where you were. It works for a quarter of an hour. "
           "Did you ask for nothing? Then do nothing."),
}  # fmt: skip

_LEFT = (
    "Uw adres bij ons is veranderd / Your address with us has changed",
    "Wij sturen hier geen berichten meer naartoe. Hebt u dat niet zelf veranderd? Neem dan contact met ons op.\n\n"
    "We send no more messages here. Did you not change this yourself? Then contact us.",
)


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
            Refused: too many codes were asked for, by this person or to this address (`codes-pace`).
            Upstream: the code could not be sent.
        """
        address = normal_address(kind, value)
        channel = self._channel(address.kind)
        if channel is None:
            raise unknown_kind()
        person, now, code = party.whose, self._now(), f"{secrets.randbelow(1_000_000):06d}"
        digest = self._code_digest(person, address, code)

        there = self._keeping.digest("sent to", address.kind, address.value).hex()

        def work(connection: Connection) -> None:
            own = self._sent_today(connection, person, address.kind, now)
            to_it = self._sent_today(connection, there, address.kind, now)
            in_an_hour = sum(at > now - 3_600 for at in own)
            if in_an_hour >= CODES_AN_HOUR or len(own) >= CODES_A_DAY or len(to_it) >= CODES_TO_ONE:
                raise too_many_codes()
            pending = Pending(
                address.kind, address.value, digest, now + CODE_SECONDS, CODE_TRIES, (*own, now)
            )
            self._keeping.keep(connection, person, pending, now)
            self._keeping.keep(connection, there, Pending(address.kind, "", "", 0, 0, (*to_it, now)), now)

        await self._store.write(work)  # counted before it is sent: who breaks off has used it up all the same
        await self._send_code(channel, address, code, language, now)

    async def prove(self, party: Party, kind: str, code: str) -> None:
        """Keep an address whose owner brings the code that was sent there; durable, on record, when this returns. Another address
        that was there before is told.

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

        used = msgspec.structs.replace(
            pending, value="", digest="", until=0, left=0
        )  # that it was sent still counts
        before = list[Address]()

        def work(connection: Connection) -> None:
            before[:] = self._addresses(connection, person, kind)
            self._keeping.keep(connection, person, used, now)
            self._keeping.keep(connection, person, address, now)

        await self._recording.change(party, "contact.address", work)
        await self._tell_left([one for one in before if one.value != address.value])

    async def forget(self, party: Party, kind: str) -> None:
        """Reach somebody there no longer, and say so there. Raises `Refused` (`changes-pace`), `Unkept`."""
        person, before = party.whose, list[Address]()
        if not await asyncio.to_thread(self._reached_at, person, kind):
            return

        def work(connection: Connection) -> None:
            before[:] = self._addresses(connection, person, kind)
            for one in before:
                self._keeping.forget(connection, person, one)

        await self._recording.change(party, "contact.address", work)
        await self._tell_left(before)

    def _reached_at(self, person: str, kind: str) -> bool:
        with self._store.read() as connection:
            return bool(self._addresses(connection, person, kind))

    def _addresses(self, connection: Connection, person: str, kind: str) -> list[Address]:
        return [one for one in self._keeping.known(connection, person).addresses if one.kind == kind]

    def _sent_today(self, connection: Connection, whose: str, kind: str, now: int) -> tuple[int, ...]:
        """When codes were sent for a person, or to an address."""
        found = [one for one in self._keeping.known(connection, whose).pending if one.kind == kind]
        return tuple(at for one in found for at in one.sent if at > now - DAY)

    async def _tell_left(self, left: Sequence[Address]) -> None:
        """Say at an address that it is used no more, so that its owner knows when it was not they who did so. The change stands,
        whether this arrives or not."""
        for address in left:
            channel = self._channel(address.kind)
            if channel is not None:
                try:
                    await channel.send(self._parcel(address, "nl", *_LEFT, self._now()))
                except Failed as failed:
                    log.warning("an address that was left was not told: %s", failed.trouble)

    def _channel(self, kind: str) -> Channel | None:
        return next((one for one in self._channels.values() if one.kind == kind), None)

    async def _send_code(
        self, channel: Channel, address: Address, code: str, language: Language, now: int
    ) -> None:
        subject, text = _CODE_TEXTS[language]
        try:
            await channel.send(self._parcel(address, language, subject, text.format(code), now))
        except Failed as failed:
            raise code_not_sent(failed) from None

    def _parcel(self, address: Address, language: Language, subject: str, said: str, now: int) -> Parcel:
        html = "".join(f"<p>{part}</p>" for part in said.split("\n\n"))
        return Parcel(
            secrets.token_hex(17),
            (address.value,),
            language,
            subject,
            said,
            html,
            said,
            self._organisation,
            now,
        )

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
            or "=?" in given  # an encoded word (RFC 2047): in a header it would read as another address
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
