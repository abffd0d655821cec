"""Who wants a message, where an application may be called back, and the CloudEvent that a message becomes. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from sluis.events.cloudevent import CloudEvent
from sluis.events.notificaties.model import Abonnement, FilterGroup, Notificatie
from sluis.kernel import PeerId, encode

_UNFIT = re.compile(r"[^a-z0-9]+")
_UPWARDS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?#;]|%3b|$)|\\|%2f|%5c|%25", re.IGNORECASE)
"""What leads out of a folder, as some server reads it: dots with or without parameters behind them (`/..;/`), a backslash, a slash
that is encoded, or what is encoded twice."""


def wants(abonnement: Abonnement, notificatie: Notificatie) -> bool:
    """Whether a message goes to an abonnement: one of its groups names the channel, and all its filters hold."""
    return any(
        group.naam == notificatie.kanaal and _holds(group, notificatie) for group in abonnement.kanalen
    )


def _holds(group: FilterGroup, notificatie: Notificatie) -> bool:
    """`*` is any value, and none; another value must be there. A message without the kenmerk does not pass, for it may be
    one that the application must not hear of."""
    return all(value in ("*", notificatie.kenmerken.get(name)) for name, value in group.filters.items())


def may_call(callback: str, allowed: Sequence[str], test: bool) -> bool:
    """Whether an address lies below one that the operator named for this application. Only a node for tests calls without
    TLS."""
    wanted = _place(callback)
    if (wanted[0] != "https" and not test) or _UPWARDS.search(callback):
        return False
    return any(wanted[:3] == _place(one)[:3] and wanted[3].startswith(_place(one)[3]) for one in allowed)


def _place(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ("", "", 0, "")
    if parts.username is not None or parts.fragment:
        return ("", "", 0, "")
    return (parts.scheme, (parts.hostname or "").lower(), port, parts.path or "/")


def event_of(notificatie: Notificatie, id: str, own: PeerId, application: str, now: datetime) -> CloudEvent:
    """A message as an event: the message itself is its data, so that in binary mode a recipient gets what the ZGW standard
    says, and who knows CloudEvents reads the headers beside it.

    Args:
        notificatie: the message.
        id: of the event.
        own: this organisation.
        application: which published it.
        now: when it was recorded.
    """
    parts = (notificatie.kanaal, notificatie.resource, notificatie.actie)
    return CloudEvent(
        id=id,
        source=f"urn:nld:oin:{own!s}:systeem:{application}",
        type=".".join(("nl", "zgw", *map(_label, parts))),
        time=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        datacontenttype="application/json",
        extensions={"dataref": notificatie.resourceUrl},
        data=encode(notificatie),
    )


def _label(text: str) -> str:
    return _UNFIT.sub("-", text.lower()).strip("-") or "x"
