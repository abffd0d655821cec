"""A government message box (Berichtenbox-like), over REST: one message is put in the box of one person or company, under our own
number for it, so that putting it there twice is putting it there once. The box also says that somebody has none.

    POST /berichten        berichtId, bsn (or kvk, or rsin), onderwerp, inhoud, taal, afzender
                           → 201, or 200 when it is there already
                           404 `geen-berichtenbox`: nobody has this box, or wants messages of this sender in it
    GET  /berichten/{id}   status: `afgeleverd`, `gelezen`
"""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from sluis.contact.channels.base import Doubt, Failed, Parcel, Report, Sent, Waiting
from sluis.contact.model import Enough, Kind, TryState
from sluis.kernel import Text
from sluis.web import EVERYWHERE, Answer, Outgoing, Unreached

NO_BOX = "geen-berichtenbox"

_STATES: dict[str, TryState] = {"afgeleverd": "delivered", "gelezen": "read"}
_MOST = 64 * 1024


class BoxSettings(msgspec.Struct, frozen=True):
    """How the box is called: where, with which token; whether HTTP without TLS will do; seconds that one call may take."""

    url: str
    token: str
    plain: bool = False
    seconds: float = 30.0

    def __repr__(self) -> str:
        return f"BoxSettings({self.url!r})"


class Box:
    """A `Channel`. `context`: whose certificates are trusted."""

    kind: Kind = "box"
    doubt: Doubt = "again"
    enough: Enough = "delivered"

    def __init__(self, settings: BoxSettings, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._calls = Outgoing(context, EVERYWHERE, plain=settings.plain)

    async def send(self, parcel: Parcel) -> Sent:
        """See `Channel.send`."""
        body = {
            "berichtId": parcel.reference,
            **_whose(parcel.to[0]),
            "onderwerp": parcel.subject,
            "inhoud": parcel.text,
            "taal": parcel.language,
            "afzender": parcel.organisation,
        }
        answer = await self._call("POST", "/berichten", msgspec.json.encode(body))
        told = [
            Text(f"De berichtenbox antwoordde: {answer.status}", f"The message box answered: {answer.status}")
        ]
        if answer.status in (200, 201):
            return Sent(parcel.reference, told=tuple(told))
        code = _members(answer).get("code")
        if answer.status == 404 and code == NO_BOX:
            raise Failed("no-box", "never", told=[*told, _NONE])
        if answer.status in (400, 409, 422):
            raise Failed("box-refused", "never", told=told)
        raise Failed("box-sign-in" if answer.status in (401, 403) else "box-busy", "later", told=told)

    async def find(self, waiting: Waiting) -> Sent | None:
        """See `Channel.find`; it is not needed, for what is sent again is there once."""
        answer = await self._call("GET", f"/berichten/{quote(waiting.reference)}", None)
        return Sent(waiting.reference) if answer.status == 200 else None

    async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
        """What became of these, as far as the box tells."""
        found = list[Report]()
        for one in waiting:
            try:
                answer = await self._call("GET", f"/berichten/{quote(one.reference)}", None)
            except Failed:
                if not found:
                    raise
                break  # the others come round again
            state = _STATES.get(str(_members(answer).get("status"))) if answer.status == 200 else None
            if state is not None:
                found.append(Report(one.reference, state))
        return found

    async def heed(self, reports: Sequence[Report]) -> None:
        """The box is asked again, and says the same."""

    async def close(self) -> None:
        """Give back connections."""
        await self._calls.close()

    async def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        headers = {"authorization": f"Bearer {self._settings.token}", "content-type": "application/json"}
        url = self._settings.url.rstrip("/") + path
        try:
            return await self._calls.call(
                method, url, body, headers, seconds=self._settings.seconds, most=_MOST
            )
        except Unreached as problem:
            # It may be there; sending it again does no harm, and to whoever waits it is the same.
            raise Failed("box-silent", "doubtful" if body else "later", told=[problem.why]) from None


def _whose(box: str) -> dict[str, str]:
    """Whose box it is, as its API says that: the last part of a URN but one is the kind of number."""
    kind, _, value = box.rpartition(":")
    return {kind.rpartition(":")[2] or "bsn": value}


def _members(answer: Answer) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}


_NONE = Text(
    "Er is geen berichtenbox van deze ontvanger voor deze afzender.",
    "There is no message box of this recipient for this sender.",
)
