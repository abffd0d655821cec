"""Reaching people, from the settings of a node: its channels, and where somebody lives, which is asked as anybody would ask it."""

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Literal

from sluis.config import ChannelConfig, Config, Node, consulted_channels, templates_of
from sluis.contact import (
    Box,
    BoxSettings,
    Channel,
    Contact,
    Folder,
    Mail,
    MailSettings,
    Notify,
    NotifySettings,
    Paper,
    PostalAddress,
    Quiet,
    Server,
    Settings,
    Sftp,
    Street,
    Telling,
    consulted_scenario,
    is_inspection,
    open_contact,
)
from sluis.crypto import KeyStore, calling_context
from sluis.grounds import Grounds
from sluis.kernel import Acting, Clock, Invalid, Place, Text, Trace
from sluis.ledger import Ledger
from sluis.query import Asker, Question, Who
from sluis.serve.elsewhere import Logs
from sluis.store import Store

_OURSELVES = Who(Acting("sluis:contact"), "local", None, ("contact",))
"""Who asks where somebody lives: this node, for messages that are due. An own policy can say when it may."""

_NO_CASE = "contact"
"""The reference of a question for a message that belongs to no case."""

_LINES = 7


def contact_of(
    loaded: Node, store: Store, ledger: Ledger, keys: KeyStore, asker: Asker, logs: Logs, clock: Clock
) -> Contact | None:
    """This room, from a node's directory; None when it has no channels. Blocks. Raises `Problem`."""
    config = loaded.config
    if not config.channels:
        return None
    channels = {name: channel_of(name, settings, config) for name, settings in config.channels.items()}
    addresses = Homes(asker, config)
    settings = Settings(config.node.name, config.node.language, quiet_of(config))
    telling, templates = telling_of(config, loaded.grounds, logs), templates_of(config)
    return open_contact(
        store, ledger, keys, clock, channels, loaded.scenarios, templates, addresses, settings, telling
    )


_SECONDS = 4.0
"""To find out where organisations are, before they are named."""


def telling_of(config: Config, grounds: Grounds, logs: Logs) -> Telling | None:
    """How people are told that they were consulted; None where they are not."""
    settings = config.contact
    if settings.consulted == "off" or settings.consulted_activity is None:
        return None
    addressing = {settings.address_activity, settings.company_address_activity}
    inspecting = {one.id for one in grounds.activities if is_inspection(one)}

    def organisation(address: str) -> str | None:
        found = logs.organisation(address)
        return None if found is None else found.name

    return Telling(
        scenario=consulted_scenario(settings.consulted_activity, consulted_channels(config)),
        known=settings.consulted == "known",
        silent=frozenset({*inspecting, *filter(None, addressing), *settings.consulted_silent}),
        ready=lambda: logs.look_around(_SECONDS),
        organisation=organisation,
        activity=grounds.activity,
    )


def callbacks_of(config: Config) -> dict[str, str]:
    """By channel, what a service shows when it calls to report. Raises `Invalid`."""
    return {
        name: secret
        for name, settings in config.channels.items()
        if (secret := _secret(name, settings.callback_file))
    }


def quiet_of(config: Config) -> Quiet:
    """When nobody is disturbed."""
    return Quiet(
        time.fromisoformat(config.contact.quiet_from), time.fromisoformat(config.contact.quiet_until)
    )


def channel_of(name: str, settings: ChannelConfig, config: Config) -> Channel:
    """A channel from its settings, which `sluis check` found complete. Blocks.

    Raises `Invalid`: a secret or an authority that cannot be read.
    """
    secret = _secret(name, settings.secret_file) or ""
    context, plain, url = calling_context(settings.authorities), config.node.test, str(settings.url)
    match settings.kind:
        case "smtp":
            return Mail(_mail(settings, secret), context)
        case "box":
            return Box(BoxSettings(url, secret, plain, settings.seconds), context)
        case "print":
            return Street(_drop(settings), Paper(settings.window, settings.return_address or ""))
        case kind:
            form = _FORMS[kind]
            template = str(settings.template)
            return Notify(NotifySettings(url, secret, form, template, plain, settings.seconds), context)


_FORMS: dict[str, Literal["email", "sms", "letter"]] = {
    "notify-email": "email",
    "notify-sms": "sms",
    "notify-letter": "letter",
}


def _drop(settings: ChannelConfig) -> Folder | Sftp:
    if settings.folder is not None:
        return Folder(settings.folder)
    assert settings.key is not None
    assert settings.known_hosts is not None
    return Sftp(
        Server(
            str(settings.host),
            settings.port or 22,
            str(settings.user),
            settings.key,
            settings.known_hosts,
            str(settings.remote),
            settings.seconds,
        )
    )


def _mail(settings: ChannelConfig, secret: str) -> MailSettings:
    return MailSettings(
        host=str(settings.host),
        port=settings.port or (465 if settings.security == "tls" else 587),
        security=settings.security,
        sender=str(settings.sender),
        returns=settings.returns,
        maildir=settings.maildir,
        user=settings.user,
        password=secret or None,
        seconds=settings.seconds,
    )


class Homes:
    """Where people live and companies are registered, by questions to the registers, each under an activity of its own: the
    `Addresses` of this node.

    Args:
        asker: asks them, and puts that on record.
        config: has the questions.
    """

    def __init__(self, asker: Asker, config: Config) -> None:
        self._asker, settings = asker, config.contact
        people = (settings.address_sql, settings.address_activity)
        companies = (settings.company_address_sql, settings.company_address_activity)
        self._questions = {
            kind: (sql, activity)
            for kind, (sql, activity) in {
                "BSN": people,
                "urn:nl:kvk": companies,
                "urn:nl:rsin": companies,
            }.items()
            if sql is not None and activity is not None and _names(sql, _name(kind))
        }

    def asks(self, kind: str) -> bool:
        """See `Addresses`."""
        return kind in self._questions

    async def postal(self, kind: str, value: str, case: str, trace: Trace) -> PostalAddress | None:
        """The first row of the answer: columns `line_1`, `line_2`, … in that order; fewer than two are no address. Raises
        `Problem`."""
        if kind not in self._questions:
            return None
        sql, activity = self._questions[kind]
        question = Question(sql, activity, case or _NO_CASE, {_name(kind): value})
        rows = await self._asker.rendered(
            question, _OURSELVES, lambda answer: answer.table.slice(0, 1).to_pylist()
        )
        return address_in(rows[0]) if rows else None


def _name(kind: str) -> str:
    """What the parameter for a kind of number is called: `bsn`, `kvk`, `rsin`."""
    return kind.rpartition(":")[2].lower()


def _names(sql: str, parameter: str) -> bool:
    return re.search(rf"\${parameter}\b", sql) is not None


def address_in(row: Mapping[str, object]) -> PostalAddress | None:
    """The address in a row of an answer; None when it says too little. Without a name whoever lives there would open the letter."""
    found = [_line(row.get(f"line_{number}")) for number in range(1, _LINES + 1)]
    lines = tuple(one for one in found if one)
    return PostalAddress(lines) if found[0] and len(lines) >= 2 else None


def _line(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _secret(name: str, file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise Invalid(
            "channel-secret-unreadable",
            Text(f"Het geheim van [channels.{name}] is niet te lezen.",
                 f"The secret of [channels.{name}] cannot be read."),
            Text("`secret_file` wijst naar een bestand dat er niet is, of dat geen tekst is.",
                 "`secret_file` points to a file that is not there, or is no text."),
            Text("Zet het geheim daar neer, leesbaar voor het knooppunt alleen.",
                 "Put the secret there, readable to the node alone."),
            place=Place(str(file)),
        ) from None  # fmt: skip
