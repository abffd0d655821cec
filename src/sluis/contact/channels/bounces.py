"""What comes back of e-mail: delivery status notifications (RFC 3464), which a mail server puts in a Maildir.

Whose it is, says the address that it came to: each message has one of its own, `name+REFERENCE@domain` (VERP). Who sends mail
to such an address knows the reference: the recipient and their server, who may well say that it did not arrive. A message that says nothing in the form of
the standard, such as a holiday answer, is thrown away.

Anybody can send mail to such an address. Headers are therefore taken as the text that they are: to read them as the standard
means them takes the library minutes for some, and breaks it on others.
"""

import re
from collections.abc import Iterable
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from pathlib import Path

from sluis.contact.channels.base import Report
from sluis.contact.model import TryState

_REFERENCE = re.compile(r"\+([0-9a-f]{34})@")
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_ACTIONS: dict[str, TryState] = {"failed": "bounced", "delivered": "delivered"}
"""What is known by an action (RFC 3464 §2.3.3); delayed, relayed and expanded tell nothing final."""

_LARGEST = 1_048_576  # bytes that are read of one
_MOST = 500  # in one round


def read_reports(maildir: Path) -> list[Report]:
    """What lies in the Maildir, oldest first. A report without a reference says only that its file may go."""
    found = []
    for folder in ("new", "cur"):
        for path in sorted((maildir / folder).glob("*"))[:_MOST]:
            try:
                with path.open("rb") as file:
                    raw = file.read(_LARGEST)
            except OSError:
                continue
            found.append(report_of(raw, f"{folder}/{path.name}"))
    return found


def remove(maildir: Path, tokens: Iterable[str]) -> None:
    """Throw away what was heeded."""
    for token in tokens:
        (maildir / token).unlink(missing_ok=True)


def report_of(raw: bytes, token: str) -> Report:
    """What one message says; the reference is empty when it is no notification, or of no message of this node."""
    try:
        return _report(message_from_bytes(raw, policy=compat32), token) or Report("", "sent", token=token)
    except Exception:  # parts a thousand deep: one message must not keep the others from being read
        return Report("", "sent", token=token)


def _report(message: Message, token: str) -> Report | None:
    reference = _reference(message)
    if reference is None or message.get_content_type() != "multipart/report":
        return None
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            for fields in part.walk():
                action = str(fields.get("Action", "")).strip().lower()
                if action in _ACTIONS:
                    return Report(reference, _ACTIONS[action], _trouble(fields, action), token)
    return None


def _reference(message: Message) -> str | None:
    for name in _ADDRESSED:
        for value in message.get_all(name, []):
            if match := _REFERENCE.search(str(value).lower()):
                return match[1]
    return None


def _trouble(fields: Message, action: str) -> str:
    if action != "failed":
        return ""
    match = _STATUS.search(str(fields.get("Status", "")))
    if match is None:
        return "mail-refused"
    if match[2] == "1":
        return "no-such-address"
    return "mailbox-full" if (match[2], match[3]) == ("2", "2") else "mail-refused"
