"""Reaching people, as the rest of the node knows it: hear what happened, run, and let people see and say how they are reached."""

import asyncio
import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from sluis.contact import sql
from sluis.contact.channels.base import Channel, Failed, Parcel, Report
from sluis.contact.keeping import PERSON, Keeping, Known
from sluis.contact.model import (
    Address,
    Kind,
    Language,
    Occurrence,
    Pending,
    Preference,
    Try,
)
from sluis.contact.reaching import Addresses, Reaching, Settings
from sluis.contact.rendering import Templates
from sluis.contact.saying import (
    code_not_sent,
    no_channel,
    no_code,
    no_email,
    no_phone,
    too_many_cases,
    too_many_codes,
    unknown_kind,
    wrong_code,
)
from sluis.contact.scenarios import Listening
from sluis.contact.views import Entry, Step, reason_of, state_of
from sluis.crypto import KeyStore
from sluis.kernel import (
    Clock,
    Text,
    cause_of,
    milliseconds,
    new_span_id,
    new_trace_id,
)
from sluis.ledger import Arrangement, Ledger
from sluis.store import Store, migrate

log = logging.getLogger("sluis.contact")

CODE_SECONDS = 900
"""How long a code that proves an address is good for."""

CODE_TRIES = 5
"""Wrong codes after which it is no good any more."""

CODES_AN_HOUR = 3
"""Codes that are sent for one person and kind."""

MOST_CASES = 50
"""Cases about which one person may prefer something else than in general."""

SHOWN = 200
"""Messages in one history."""

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*/=?^_`{|}~+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_TICK = 1.0  # seconds between two looks at what is due
_HEAR = 15.0  # seconds between two looks at what channels say

_CODE_TEXTS = {
    "nl": ("Uw code", "Uw code is {}. Vul hem in op de pagina waar u was. Hij werkt een kwartier. Vroeg u niets? Doe dan niets."),
    "en": ("Your code", "Your code is {}. Fill it in on the page where you were. It works for a quarter of an hour. "
           "Did you ask for nothing? Then do nothing."),
}  # fmt: skip


Work = Callable[[], Awaitable[None]]
Change = Callable[[Connection], None]


class Contact:
    """Made by `open_contact`.

    Args:
        store, ledger, keys, clock: of the node.
        channels: by name, in the order of the settings.
        listening: the scenarios.
        templates: makes words.
        addresses: where people live; None: then there are no letters.
        settings: how people are reached.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        clock: Clock,
        channels: Mapping[str, Channel],
        listening: Sequence[Listening],
        templates: Templates,
        addresses: Addresses | None,
        settings: Settings,
    ) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock
        self._keeping, self._channels, self._settings = Keeping(keys), channels, settings
        self._listening: dict[str, list[Listening]] = {}
        for one in listening:
            self._listening.setdefault(one.scenario.event, []).append(one)
        self._titles = {one.scenario.id: one.scenario.title for one in listening}
        self._tasks: list[asyncio.Task[None]] = []
        self.reaching = Reaching(
            store,
            self._keeping,
            channels,
            {one.scenario.id: one.scenario for one in listening},
            templates,
            ledger,
            addresses,
            clock,
            settings,
        )

    # Hearing

    def heard(self, connection: Connection, occurrence: Occurrence) -> None:
        """Take note of what happened, in the transaction of the event: who must be told is told, whatever happens next.

        Only people are told: of what is about nobody, or about a company, there is nobody to tell here. Hearing the same again
        does nothing.

        Args:
            connection: of the transaction; on the writer's thread.
            occurrence: what happened.
        """
        if occurrence.about is None or occurrence.about.kind != PERSON:
            return
        now, trace = self._now(), occurrence.trace_id or new_trace_id()
        for one in self._listening.get(occurrence.type, ()):
            if one.concerns(occurrence):
                self._keeping.add(connection, one.scenario, occurrence, trace, now)

    # Life

    def start(self) -> None:
        """Begin to send, and to hear of channels."""
        self._tasks = [
            asyncio.create_task(self._repeat(_TICK, self.work)),
            asyncio.create_task(self._repeat(_HEAR, self.reaching.listen)),
        ]

    async def stop(self, seconds: float = 5.0) -> None:
        """Stop. What is in hand gets so long to finish; the rest is found again at the next start. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.reaching.stop(seconds)
        for channel in self._channels.values():
            await channel.close()

    async def work(self) -> None:
        """Begin with everything that is due."""
        while await self.reaching.round():
            pass

    async def tidy(self) -> None:
        """Destroy what was kept long enough; to be called every hour. Raises `Unkept`."""
        now = self._now()
        await self._store.write(lambda connection: self._keeping.sweep(connection, now, now - 2 * 3_600))

    async def take(self, channel: str, reports: Sequence[Report]) -> None:
        """What a channel calls to say. Raises `NotFound` for a channel that there is not; `Unkept`."""
        if channel not in self._channels:
            raise no_channel()
        await self.reaching.take(reports)

    @staticmethod
    async def _repeat(seconds: float, work: Work) -> None:
        while True:
            try:
                await work()
            except Exception as failure:  # people must go on being reached, whatever one round meets
                log.error("reaching people: %s", cause_of(failure))
            await asyncio.sleep(seconds)

    # What people see

    async def history(self, person: str) -> list[Entry]:
        """What somebody was told, newest first, and how it got there.

        Args:
            person: their pseudonym.
        """
        return await asyncio.to_thread(self._history, person)

    def _history(self, person: str) -> list[Entry]:
        with self._store.read() as connection:
            messages = self._keeping.of_person(connection, person, SHOWN)
            tries = self._keeping.tries_of_person(connection, person)
        by_message: dict[str, list[Try]] = {}
        for one in tries:
            by_message.setdefault(one.message, []).append(one)
        return [
            Entry(
                id=message.id,
                at=message.created,
                title=self._titles.get(message.scenario, Text(message.scenario, message.scenario)),
                case=content.case,
                subject=content.said.subject if content.said else "",
                text=content.said.text if content.said else "",
                state=message.state,
                state_text=state_of(message.state),
                steps=tuple(_step(one) for one in by_message.get(message.id, ())),
            )
            for message, content in messages
        ]

    async def known(self, person: str) -> Known:
        """How somebody can be reached, and wants to be."""
        return await asyncio.to_thread(self._known, person)

    def _known(self, person: str) -> Known:
        with self._store.read() as connection:
            return self._keeping.known(connection, person)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """By what people are reached here, in the order of the settings."""
        return tuple(dict.fromkeys(one.kind for one in self._channels.values()))

    # What people say

    async def prefer(self, person: str, preference: Preference) -> None:
        """Keep how somebody wants to hear; durable, on record, when this returns.

        Raises `Invalid` (`unknown-kind`, `too-many-cases`), `Unkept`.
        """
        if any(kind not in self.kinds for kind in preference.kinds) or len(set(preference.kinds)) != len(
            preference.kinds
        ):
            raise unknown_kind()
        known = await self.known(person)
        cases = {one.case for one in known.preferences if one.case}
        if preference.case and preference.case not in cases and len(cases) >= MOST_CASES:
            raise too_many_cases()
        now = self._now()
        await self._on_record(
            person,
            "contact.preference",
            lambda connection: self._keeping.keep(connection, person, preference, now),
        )

    async def forget_preference(self, person: str, case: str) -> None:
        """Let what somebody said in general count for a case again. Raises `Unkept`."""
        await self._on_record(
            person,
            "contact.preference",
            lambda connection: self._keeping.forget(connection, person, Preference(case=case)),
        )

    async def offer_address(self, person: str, kind: str, value: str, language: Language) -> None:
        """Send a code to an address, so that its owner can prove it is theirs.

        Args:
            person: their pseudonym.
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
        now, known = self._now(), await self.known(person)
        before = next((one for one in known.pending if one.kind == address.kind), None)
        lately = tuple(at for at in (before.sent if before else ()) if at > now - 3_600)
        if len(lately) >= CODES_AN_HOUR:
            raise too_many_codes()
        code = f"{secrets.randbelow(1_000_000):06d}"
        pending = Pending(
            address.kind,
            address.value,
            self._code_digest(person, address, code),
            now + CODE_SECONDS,
            CODE_TRIES,
            (*lately, now),
        )
        # Counted before it is sent: who breaks off has used it up all the same.
        await self._store.write(lambda connection: self._keeping.keep(connection, person, pending, now))
        await self._send_code(channel, address, code, language, now)

    async def prove_address(self, person: str, kind: str, code: str) -> None:
        """Keep an address whose owner brings the code that was sent there; durable, on record, when this returns.

        Raises:
            NotFound: no code was sent, it is too old, or it was tried too often.
            Invalid: it is another code (`wrong-code`).
        """
        now = self._now()

        def work(connection: Connection) -> bool:
            found = [one for one in self._keeping.known(connection, person).pending if one.kind == kind]
            if not found or found[0].until <= now or found[0].left <= 0:
                raise no_code()
            pending = found[0]
            address = Address(pending.kind, pending.value, now)
            if not hmac.compare_digest(self._code_digest(person, address, code.strip()), pending.digest):
                self._keeping.keep(
                    connection, person, msgspec.structs.replace(pending, left=pending.left - 1), now
                )
                return False
            self._keeping.forget(connection, person, pending)
            self._keeping.keep(connection, person, address, now)
            return True

        if not await self._store.write(work):
            raise wrong_code()
        await self._record(person, "contact.address")

    async def forget_address(self, person: str, kind: str) -> None:
        """Reach somebody there no longer. Raises `Unkept`."""

        def work(connection: Connection) -> None:
            for one in self._keeping.known(connection, person).addresses:
                if one.kind == kind:
                    self._keeping.forget(connection, person, one)

        await self._on_record(person, "contact.address", work)

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
            self._settings.organisation,
            now,
        )
        try:
            await channel.send(parcel)
        except Failed as failed:
            raise code_not_sent(failed) from None

    def _code_digest(self, person: str, address: Address, code: str) -> str:
        return self._keeping.digest("code", person, address.kind, address.value, code).hex()

    async def _on_record(self, person: str, action: str, work: Change) -> None:
        """Change something, and put on record that it was done. Both begin in one turn of the event loop, so they share a
        commit."""
        outcomes = await asyncio.gather(
            self._store.write(work), self._record(person, action), return_exceptions=True
        )
        for failure in outcomes:
            if isinstance(failure, BaseException):
                raise failure

    async def _record(self, person: str, action: str) -> None:
        at = milliseconds(self._clock())
        await self._ledger.append(
            [Arrangement(new_trace_id(), new_span_id(), action, person, f"urn:sluis:person:{person}", at)]
        )

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_contact(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    clock: Clock,
    channels: Mapping[str, Channel],
    listening: Sequence[Listening],
    templates: Templates,
    addresses: Addresses | None,
    settings: Settings,
) -> Contact:
    """This room, its tables made when they are not there; arguments as `Contact`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "contact", sql.MIGRATIONS)
    return Contact(store, ledger, keys, clock, channels, listening, templates, addresses, settings)


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


def _step(tried: Try) -> Step:
    return Step(tried.kind, tried.changed, tried.state, state_of(tried.state), reason_of(tried.trouble))
