"""Text messages, e-mail and letters by a service that speaks the REST API of GOV.UK Notify (v2), such as NotifyNL.

A request is signed with a JSON Web Token (HS256, RFC 7519) of the service's own key. The service does not know a reference again,
but it can be asked which notifications have it: that is how it is found out whether one left.
"""

import hashlib
import hmac
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from sluis.contact.channels.base import Doubt, Failed, Parcel, Report, Sent, Waiting
from sluis.contact.model import Enough, Kind, TryState
from sluis.crypto import encode_base64url
from sluis.kernel import Invalid, Text
from sluis.web import EVERYWHERE, Answer, Outgoing, Unreached

Form = Literal["email", "sms", "letter"]

STATES: dict[str, tuple[TryState, str]] = {
    "created": ("sent", ""),
    "sending": ("sent", ""),
    "pending": ("sent", ""),
    "sent": ("sent", ""),
    "accepted": ("sent", ""),
    "received": ("sent", ""),
    "pending-virus-check": ("sent", ""),
    "delivered": ("delivered", ""),
    "permanent-failure": ("bounced", "no-such-address"),
    "temporary-failure": ("bounced", "unreachable-now"),
    "technical-failure": ("bounced", "service-failed"),
    "validation-failed": ("bounced", "letter-refused"),
    "cancelled": ("bounced", "cancelled"),
}
"""What each status of a notification means. Of a letter the service knows that it was printed, not that it was delivered."""

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_KEY = re.compile(rf"(?:.*-)?({_UUID})-({_UUID})")
_MOST = 64 * 1024  # bytes of an answer
_ADDRESS = {"email": "email_address", "sms": "phone_number"}


class NotifySettings(msgspec.Struct, frozen=True):
    """How the service is called.

    Args:
        url: of the service.
        key: as the service gives it: a name, the id of the service and a secret, with dashes.
        form: what is sent.
        template: its id there; it has the fields `((subject))` and `((body))`.
        plain: whether HTTP without TLS will do.
        seconds: that one call may take.
    """

    url: str
    key: str
    form: Form
    template: str
    plain: bool = False
    seconds: float = 30.0

    def __repr__(self) -> str:
        return f"NotifySettings({self.url!r})"


class Notify:
    """A `Channel`.

    Args:
        settings: how.
        context: whose certificates are trusted.
        seconds: a clock, since the epoch.

    Raises `Invalid` (`notify-key`).
    """

    doubt: Doubt = "ask"

    def __init__(
        self, settings: NotifySettings, context: ssl.SSLContext, seconds: Callable[[], float] = time.time
    ) -> None:
        self.kind: Kind = settings.form
        self.enough: Enough = "sent" if settings.form == "letter" else "delivered"
        self._settings, self._seconds = settings, seconds
        self._service, self._secret = key_parts(settings.key)
        self._calls = Outgoing(context, EVERYWHERE, plain=settings.plain)

    async def send(self, parcel: Parcel) -> Sent:
        """See `Channel.send`."""
        form = self._settings.form
        answer = await self._call("POST", f"/v2/notifications/{form}", self._body(parcel), "doubtful")
        told = [_said(answer)]
        if answer.status != 201:
            raise judge(answer, form, told)
        return Sent(str(_members(answer).get("id", "")), told=(_TOOK, *told))

    async def find(self, waiting: Waiting) -> Sent | None:
        """See `Channel.find`."""
        answer = await self._call(
            "GET", f"/v2/notifications?reference={quote(waiting.reference)}", None, "later"
        )
        if answer.status != 200:
            raise Failed("service-silent", "later")
        listed = _members(answer).get("notifications")
        found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        if not found:
            return None
        state, _ = STATES.get(str(found[0].get("status")), ("sent", ""))
        return Sent(str(found[0].get("id", "")), state if state == "delivered" else "sent")

    async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
        """What became of these, as far as the service tells."""
        found = list[Report]()
        for one in waiting:
            if not one.remote:
                continue
            try:
                answer = await self._call(
                    "GET", f"/v2/notifications/{quote(one.remote, safe='')}", None, "later"
                )
            except Failed:
                if not found:
                    raise
                break  # the others come round again
            if answer.status == 200:
                state, trouble = STATES.get(str(_members(answer).get("status")), ("sent", ""))
                if state != "sent":
                    found.append(Report(one.reference, state, trouble))
        return found

    async def heed(self, reports: Sequence[Report]) -> None:
        """The service is asked again, and says the same."""

    async def close(self) -> None:
        """Give back connections."""
        await self._calls.close()

    def _body(self, parcel: Parcel) -> bytes:
        form = self._settings.form
        given = {"subject": parcel.subject, "body": parcel.short if form == "sms" else parcel.text}
        if form == "letter":
            given |= {f"address_line_{number}": line for number, line in enumerate(parcel.to, 1)}
        to = {} if form == "letter" else {_ADDRESS[form]: parcel.to[0]}
        return msgspec.json.encode(
            {
                **to,
                "template_id": self._settings.template,
                "personalisation": given,
                "reference": parcel.reference,
            }
        )

    async def _call(
        self, method: str, path: str, body: bytes | None, broken: Literal["doubtful", "later"]
    ) -> Answer:
        headers = {"authorization": f"Bearer {self._token()}", "content-type": "application/json"}
        url = self._settings.url.rstrip("/") + path
        try:
            return await self._calls.call(
                method, url, body, headers, seconds=self._settings.seconds, most=_MOST
            )
        except Unreached as problem:
            raise Failed("service-silent", broken, told=[problem.why]) from None

    def _token(self) -> str:
        """Good for half a minute at the service (RFC 7519; HS256 of RFC 7518 §3.2)."""
        parts = {"alg": "HS256", "typ": "JWT"}, {"iss": self._service, "iat": int(self._seconds())}
        content = ".".join(encode_base64url(msgspec.json.encode(part)) for part in parts)
        return f"{content}.{encode_base64url(hmac.digest(self._secret, content.encode(), hashlib.sha256))}"


def key_parts(key: str) -> tuple[str, bytes]:
    """The id of the service, and the secret with which is signed, of a key as the service gives it: `NAME-SERVICE-SECRET`, the
    last two UUIDs. Raises `Invalid` (`notify-key`), which says nothing of the key."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise Invalid(
            "notify-key",
            Text("Dit is geen sleutel van de dienst.", "This is no key of the service."),
            Text("Een sleutel is een naam, het nummer van de dienst en een geheim, met streepjes ertussen.",
                 "A key is a name, the id of the service and a secret, with dashes between them."),
            Text("Maak bij de dienst een API-sleutel, en zet die zoals hij is in het bestand van `secret_file`.",
                 "Make an API key at the service, and put it as it is in the file of `secret_file`."),
        )  # fmt: skip
    return match[1], match[2].encode()


def judge(answer: Answer, form: Form, told: Sequence[Text]) -> Failed:
    """What an answer means that is no success. What is wrong with us, not with the address, is tried again."""
    if answer.status == 400 and _about_address(answer, form):
        return Failed("no-such-address", "never", told=told)
    if answer.status == 429:
        return Failed("service-busy", "later", _retry_after(answer), told)
    if answer.status in (401, 403):
        return Failed("service-sign-in", "later", told=told)
    if answer.status < 500:
        return Failed("service-refused", "later", told=told)
    return Failed("service-failed", "doubtful", told=told)


def callback(body: bytes) -> Report | None:
    """What the service calls to say; None when it says nothing final of a message of this node. It holds the address too, which
    is not read."""
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return None
    state, trouble = STATES.get(str(members.get("status")), ("sent", ""))
    reference = members.get("reference")
    if state == "sent" or not isinstance(reference, str):
        return None
    return Report(reference, state, trouble)


def _about_address(answer: Answer, form: Form) -> bool:
    errors = _members(answer).get("errors")
    said = (
        [str(one.get("message", "")) for one in errors if isinstance(one, dict)]
        if isinstance(errors, list)
        else []
    )
    name = "address" if form == "letter" else _ADDRESS[form]
    return any(one.startswith(name) for one in said)


def _retry_after(answer: Answer) -> int:
    said = answer.headers.get("retry-after", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 60


def _members(answer: Answer) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}


def _said(answer: Answer) -> Text:
    errors = _members(answer).get("errors")
    more = (
        [str(one.get("message", "")) for one in errors if isinstance(one, dict)]
        if isinstance(errors, list)
        else []
    )
    said = "; ".join(more)[:500]
    return Text(
        f"De dienst antwoordde: {answer.status} {said}".rstrip(),
        f"The service answered: {answer.status} {said}".rstrip(),
    )


_TOOK = Text("De dienst nam naam en geheim aan.", "The service took name and secret.")
