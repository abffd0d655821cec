"""E-mail over SMTP (RFC 5321), encrypted by STARTTLS (RFC 3207) or from the start (RFC 8314), with delivery status
notifications where the server offers them (RFC 3461).

SMTP has no key by which a server knows a message again. The moment between the last byte and the answer is therefore doubtful:
`Message-ID` is fixed before the first attempt, so that a mailbox which sees the message twice can show it once. What comes back
later arrives at an address of its own for each message (VERP), in a Maildir that `bounces` reads.
"""

import asyncio
import hashlib
import quopri
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sluis.contact.channels.base import Doubt, Failed, How, Parcel, Report, Sent, Waiting
from sluis.contact.channels.bounces import read_reports, remove
from sluis.contact.channels.layout import mail_page
from sluis.contact.model import Enough, Kind
from sluis.kernel import Text

if TYPE_CHECKING:  # a node without e-mail does not wait for it to be imported
    from aiosmtplib import SMTP


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""What is in no header: a line break would begin another one."""

_ENHANCED = re.compile(r"5\.(\d{1,3})\.(\d{1,3})\b")


class MailSettings(msgspec.Struct, frozen=True):
    """How e-mail is sent.

    Args:
        host, port: of the server.
        security: `tls` from the start, `starttls`, or `none`, which is for tests.
        sender: the address in `From`.
        returns: the address that gets what comes back; the reference stands in it after a `+`. None: nothing comes back.
        maildir: where that arrives.
        user, password: when the server asks for them.
        seconds: that one message may take.
    """

    host: str
    port: int
    security: str
    sender: str
    returns: str | None = None
    maildir: Path | None = None
    user: str | None = None
    password: str | None = None
    seconds: float = 30.0

    def __repr__(self) -> str:
        return f"MailSettings({self.host!r})"


class Mail:
    """A `Channel`. A connection for each message: a person is not written to often enough to keep one.

    Args:
        settings: how.
        context: whose certificates are trusted.
    """

    kind: Kind = "email"
    doubt: Doubt = "unknown"
    enough: Enough = "sent"  # a server that says `delivered` is a server that says more than most

    def __init__(self, settings: MailSettings, context: ssl.SSLContext) -> None:
        self._settings, self._context = settings, context

    async def send(self, parcel: Parcel) -> Sent:
        """See `Channel.send`."""
        return await _Session(self._settings, self._context, parcel).run()

    async def find(self, waiting: Waiting) -> Sent | None:
        """None: a mail server cannot be asked."""
        return None

    async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
        """What came back."""
        if self._settings.maildir is None:
            return []
        return await asyncio.to_thread(read_reports, self._settings.maildir)

    async def heed(self, reports: Sequence[Report]) -> None:
        """They hold addresses, so they are thrown away as soon as they are known."""
        if self._settings.maildir is not None:
            await asyncio.to_thread(remove, self._settings.maildir, [one.token for one in reports])

    async def close(self) -> None:
        """Nothing is held."""


class _Session:
    """One message over one connection."""

    def __init__(self, settings: MailSettings, context: ssl.SSLContext, parcel: Parcel) -> None:
        self._settings, self._context, self._parcel = settings, context, parcel
        self._told: list[Text] = []
        self._step = "connect"
        try:
            self._message = message_of(parcel, settings.sender)
        except ValueError:  # a line break in a header, an address that is none
            raise Failed("mail-unfit", "never") from None

    async def run(self) -> Sent:
        from aiosmtplib import SMTPException, SMTPResponseException

        try:
            async with asyncio.timeout(self._settings.seconds):
                await self._talk()
        except SMTPResponseException as answer:
            raise self._answered(answer.code, str(answer.message)) from None
        except TimeoutError:
            there = f"{self._settings.host}:{self._settings.port}"
            raise self._broken("mail-late", f"De server {there} antwoordde niet op tijd.",
                               f"The server {there} did not answer in time.") from None  # fmt: skip
        except (SMTPException, OSError, ValueError):
            there = f"{self._settings.host}:{self._settings.port}"
            raise self._broken("mail-broken", f"De verbinding met {there} kwam niet tot stand of brak af.",
                               f"The connection to {there} was not made, or broke.") from None  # fmt: skip
        return Sent(told=tuple(self._told))

    async def _talk(self) -> None:
        from aiosmtplib import SMTP

        settings = self._settings
        client = SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=False,
            tls_context=self._context,
            local_hostname=_domain(settings.sender),
            timeout=settings.seconds,
        )
        try:
            await self._open(client)
            await self._hand_over(client)
        finally:
            client.close()

    async def _open(self, client: "SMTP") -> None:
        settings = self._settings
        await client.connect()
        await client.ehlo()
        self._say(
            f"Verbonden met {settings.host}:{settings.port}.",
            f"Connected to {settings.host}:{settings.port}.",
        )
        if settings.security == "starttls":
            self._step = "starttls"
            if not client.supports_extension("starttls"):
                raise Failed("mail-without-tls", "later", told=[*self._told, _NO_TLS])
            await client.starttls(tls_context=self._context)
            await client.ehlo()
        if settings.security != "none":
            self._say("De verbinding is beveiligd (TLS) en de server is wie hij moet zijn.",
                      "The connection is encrypted, and the server is who it should be.")  # fmt: skip
        if settings.user is not None:
            self._step = "sign-in"
            await client.login(settings.user, settings.password or "")
            self._say("De server nam naam en wachtwoord aan.", "The server took name and password.")

    async def _hand_over(self, client: "SMTP") -> None:
        parcel, notified = (
            self._parcel,
            client.supports_extension("dsn") and self._settings.returns is not None,
        )
        self._step = "sender"
        await client.mail(
            self._return_path(), options=["RET=HDRS", f"ENVID={parcel.reference}"] if notified else None
        )
        self._step = "recipient"
        await client.rcpt(parcel.to[0], options=["NOTIFY=FAILURE,DELAY"] if notified else None)
        self._say("De server nam het adres aan.", "The server took the address.")
        self._step = "data"
        answer = await client.data(self._message)
        self._say(f"De server nam het bericht aan: {answer.code} {answer.message}",
                  f"The server took the message: {answer.code} {answer.message}")  # fmt: skip

    def _return_path(self) -> str:
        if self._settings.returns is None:
            return self._settings.sender
        name, _, domain = self._settings.returns.partition("@")
        return f"{name}+{self._parcel.reference}@{domain}"

    def _answered(self, code: int, message: str) -> Failed:
        """The server said no, so nothing left."""
        self._say(f"De server antwoordde bij '{self._step}': {code} {message}",
                  f"The server answered at '{self._step}': {code} {message}")  # fmt: skip
        trouble, how = judge(self._step, code, message)
        return Failed(trouble, how, told=self._told)

    def _broken(self, trouble: str, nl: str, en: str) -> Failed:
        self._say(nl, en)
        return Failed(trouble, "doubtful" if self._step == "data" else "later", told=self._told)

    def _say(self, nl: str, en: str) -> None:
        self._told.append(Text(nl, en))


def judge(step: str, code: int, message: str) -> tuple[str, How]:
    """What a negative answer means (RFC 5321 §4.2.1, enhanced codes of RFC 3463).

    What is wrong with us, not with the address, is tried again: an operator can mend it.
    """
    if step not in ("recipient", "data"):
        return f"mail-{step}", "later"
    if code < 500:
        return "mail-later", "later"
    enhanced = _ENHANCED.match(message)
    if step == "recipient" and (enhanced[1] == "1" if enhanced else code in (550, 551, 553)):
        return "no-such-address", "never"
    full = enhanced is not None and enhanced.groups() == ("2", "2")
    return ("mailbox-full" if full else "mail-refused"), "never"


def message_of(parcel: Parcel, sender: str) -> bytes:
    """The message as it is sent: text, and HTML beside it (RFC 2046 §5.1.4), both quoted-printable. Raises `ValueError` for what fits
    in no header: a line break, an address that is not ASCII.

    Written out here: what the standard library makes of so few headers takes ten times as long, all of it on the event loop.
    """
    if any(_CONTROL.search(one) for one in (parcel.organisation, sender, parcel.to[0], parcel.subject)):
        raise ValueError("a control character in a header")
    name = _name(parcel.reference)
    boundary = (
        f"=_{name}"  # never in quoted-printable, where hexadecimal digits or a line end follow every `=`
    )
    head = {
        "From": formataddr((parcel.organisation, sender)),
        "To": parcel.to[0],
        "Subject": Header(parcel.subject, header_name="Subject").encode(linesep="\r\n"),
        "Date": format_datetime(datetime.fromtimestamp(parcel.created, UTC)),
        "Message-ID": f"<{name}@{_domain(sender)}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's holiday answers this
        "Content-Language": parcel.language,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    lines = "".join(f"{key}: {value}\r\n" for key, value in head.items()).encode("ascii")
    parts = (("plain", parcel.text), ("html", mail_page(parcel)))
    bodies = b"".join(_part(boundary, kind, text) for kind, text in parts)
    return lines + bodies + f"\r\n--{boundary}--\r\n".encode()


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = (
        f"\r\n--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = re.sub(r"\r\n?", "\n", text).encode()
    return head.encode() + quopri.encodestring(lines).replace(b"\n", b"\r\n")


def _name(reference: str) -> str:
    """What all who get an answer or a copy may know of a message: the reference itself is the address for what comes back."""
    return hashlib.sha256(reference.encode()).hexdigest()[:32]


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


_NO_TLS = Text(
    "De server biedt geen TLS aan (STARTTLS). Er is niets verstuurd.",
    "The server offers no encryption (STARTTLS). Nothing was sent.",
)
