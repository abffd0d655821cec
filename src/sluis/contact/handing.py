"""Handing one message over to a channel: its line in the log is durable, then it leaves, and what the channel says of it is told.

Whether it shall be sent, by which channel and when is decided in `reaching`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from sluis.contact.channels.base import Channel, Failed, Parcel, Waiting, box_of
from sluis.contact.keeping import Keeping, Known, with_state
from sluis.contact.model import Content, Kind, Language, PostalAddress, Preference, Scenario, Try
from sluis.contact.rendering import Templates
from sluis.contact.rules import Quiet, delay
from sluis.kernel import Clock, Problem, Trace, cause_of, milliseconds, new_span_id, new_trace_id
from sluis.ledger import ACTIVITY, MESSAGE, SUBJECT, SUBJECT_TYPE, Ledger, Processing

log = logging.getLogger("sluis.contact")

_ATTEMPTS = 3  # of a message of which nobody can tell whether it left


class Addresses(Protocol):
    """Where somebody lives or a company is registered, when nothing else is known of them. `serve` fills it in with questions to
    the registers of persons and of companies, each under an activity of its own."""

    def asks(self, kind: str) -> bool:
        """Whether addresses of this kind of number can be asked for."""

    async def postal(self, kind: str, value: str, case: str, trace: Trace) -> PostalAddress | None:
        """The address that belongs to a number of this kind; None when there is none, or it is secret. Raises `Problem`."""


class Settings(msgspec.Struct, frozen=True):
    """How this organisation reaches people.

    Args:
        organisation: who says it.
        language: of who did not choose one.
        quiet: when nobody is disturbed; None: never.
    """

    organisation: str
    language: Language
    quiet: Quiet | None


class Overtaken(Exception):
    """What was decided about a message holds no more."""


class Handing:
    """Hands messages of one node to its channels.

    Args:
        keeping: where tries are.
        channels: by name.
        templates: makes words of messages.
        ledger: gets a line for each try.
        addresses: where people live, and companies are registered.
        clock: aware UTC.
        settings: how this organisation reaches people.
    """

    def __init__(
        self,
        keeping: Keeping,
        channels: Mapping[str, Channel],
        templates: Templates,
        ledger: Ledger,
        addresses: Addresses | None,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._keeping, self._channels, self._templates, self._ledger = keeping, channels, templates, ledger
        self._addresses, self._clock, self._settings = addresses, clock, settings

    async def resolve(self, tried: Try, preference: Preference) -> Try | None:
        """What is known of a try that was claimed and never noted; None when it may be sent again."""
        channel, now = self._channels[tried.channel], self._now()
        match channel.doubt:
            case "again":
                return None
            case "ask":
                try:
                    sent = await channel.find(_waiting(tried))
                except Failed as failed:
                    due = now + delay(tried.attempts, failed.after)
                    return with_state(tried, "claimed", now, attempts=tried.attempts + 1, due=due)
                return None if sent is None else with_state(tried, sent.state, now, remote=sent.remote)
            case "unknown":
                again = preference.twice and tried.attempts < _ATTEMPTS
                return None if again else with_state(tried, "doubtful", now, trouble="unknown")

    async def over(
        self,
        person: str,
        content: Content,
        scenario: Scenario,
        tried: Try,
        known: Known,
        preference: Preference,
    ) -> Try:
        """Hand a message over, once it stands in the log that it is about to leave.

        Args:
            person: whom it is for, as this node names them.
            content: of the message; its words are made when it has none yet.
            scenario: that it belongs to.
            tried: the try: a new one, or one that is made again.
            known: of the person, when it was decided.
            preference: of the person, for this message.

        Returns:
            the try with what became of it, to be kept.

        Raises:
            Overtaken: what was decided holds no more; it did not leave.
            Problem: its words cannot be made; it did not leave.
            Unkept: it could not be recorded; it did not leave.
        """
        now, channel = self._now(), self._channels[tried.channel]
        claimed = with_state(tried, "claimed", now, attempts=tried.attempts + 1, due=0, trouble="")
        try:
            to = await self._address(tried.kind, content, known)
        except Problem as problem:
            log.warning("no address for message %s yet: %s", tried.message[:8], problem.code)
            due = now + delay(claimed.attempts)
            return with_state(claimed, "delayed", now, due=due, trouble="address-unknown")
        if to is None:
            return with_state(claimed, "refused", now, trouble="no-address")
        if content.said is None:
            language = preference.language or self._settings.language
            said = await asyncio.to_thread(self._templates.render, scenario, language, content.facts)
            content = msgspec.structs.replace(content, said=said)
        await self._claim(claimed, content, scenario, partial(self._hold_on, person, tried, to))
        parcel = _parcel(claimed, to, content, self._settings.organisation)
        return await self._send(channel, claimed, parcel, preference)

    async def _address(self, kind: Kind, content: Content, known: Known) -> tuple[str, ...] | None:
        if kind == "box":
            return (box_of(*content.about),)
        if kind == "letter":
            if self._addresses is None:
                return None
            trace = Trace(content.trace, new_span_id())
            found = await self._addresses.postal(*content.about, content.case, trace)
            return None if found is None else found.lines
        address = known.address(kind)
        return None if address is None else (address.value,)

    def _hold_on(self, person: str, tried: Try, to: tuple[str, ...], connection: Connection) -> None:
        """Raises `Overtaken` when, while a message waited for its turn, a report came in or its address was taken away."""
        now = self._keeping.tried(connection, tried.reference)
        if now is not None and now.state != tried.state:
            raise Overtaken
        if tried.kind in ("email", "sms"):
            address = self._keeping.known(connection, person).address(tried.kind)
            if address is None or (address.value,) != to:
                raise Overtaken

    async def _claim(
        self, tried: Try, content: Content, scenario: Scenario, check: Callable[[Connection], None]
    ) -> None:
        """Keep that this is about to leave, and its line in the log. Raises `Unkept`, and what `check` raises; then it does not
        leave."""

        def work(connection: Connection) -> None:
            check(connection)
            self._keeping.set_content(connection, tried.message, content)
            self._keeping.keep_try(connection, tried)

        moment = self._clock()
        line = Processing(
            trace_id=content.trace or new_trace_id(),
            span_id=new_span_id(),
            name=f"Bericht: {scenario.title.nl}",
            status="Ok",
            start_time=milliseconds(moment),
            end_time=milliseconds(moment),
            attributes={
                ACTIVITY: scenario.activity,
                SUBJECT: self._ledger.subject(*content.about, moment),
                SUBJECT_TYPE: content.about[0],
                MESSAGE: scenario.id,
            },
        )
        await self._ledger.append([line], along=work)

    async def _send(self, channel: Channel, tried: Try, parcel: Parcel, preference: Preference) -> Try:
        try:
            sent = await channel.send(parcel)
        except Failed as failed:
            return self._failed(channel, tried, failed, preference)
        except Exception as failure:  # a channel that breaks its promise may have sent it
            log.error("channel %s: %s", tried.channel, cause_of(failure))
            return self._failed(channel, tried, Failed("channel-broke", "doubtful"), preference)
        return with_state(tried, sent.state, self._now(), remote=sent.remote)

    def _failed(self, channel: Channel, tried: Try, failed: Failed, preference: Preference) -> Try:
        now = self._now()
        due = now + delay(tried.attempts, failed.after)
        log.info("channel %s did not take %s: %s", tried.channel, tried.reference[:8], failed.trouble)
        if failed.how == "never":
            return with_state(tried, "refused", now, trouble=failed.trouble)
        if failed.how == "later":
            return with_state(tried, "delayed", now, due=due, trouble=failed.trouble)
        if channel.doubt == "unknown" and not (preference.twice and tried.attempts < _ATTEMPTS):
            return with_state(tried, "doubtful", now, trouble=failed.trouble)
        return with_state(tried, "claimed", now, due=due, trouble=failed.trouble)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _waiting(tried: Try) -> Waiting:
    return Waiting(tried.reference, tried.remote)


def _parcel(tried: Try, to: tuple[str, ...], content: Content, organisation: str) -> Parcel:
    said = content.said
    assert said is not None
    return Parcel(
        tried.reference,
        to,
        said.language,
        said.subject,
        said.text,
        said.html,
        said.short,
        organisation,
        tried.began,
        content.case,
    )
