"""What a subscription may say: CloudEvents Subscriptions API 0.2, and the keys of `config` that this node knows. Pure."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from sluis.events.filters import compile_filters
from sluis.events.subscriptions.faults import unfit
from sluis.events.subscriptions.model import (
    DEFAULT_BATCH,
    DEFAULT_IN_FLIGHT,
    DEFAULT_KEEP_HOURS,
    DEFAULT_RETRY_HOURS,
    INBOX,
    LONGEST_KEEP_HOURS,
    LONGEST_RETRY_HOURS,
    MOST_BATCH,
    MOST_IN_FLIGHT,
    Config,
    Content,
    Credential,
    Mode,
)
from sluis.kernel import Text

MOST_TYPES, MOST_HEADERS, MOST_OF_TEXT = 100, 10, 2000

_CONTENTS: dict[str, Content] = {"structured": "structured", "binary": "binary", "batch": "batch"}
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,498}[\x21-\x7e])?")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,4096}=*")
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_OURS = frozenset({
    "authorization", "connection", "content-digest", "content-length", "content-type", "cookie", "expect", "host", "keep-alive",
    "proxy-authorization", "signature", "signature-input", "te", "trailer", "traceparent", "tracestate", "transfer-encoding",
    "upgrade", "webhook-request-origin", "webhook-request-callback", "webhook-request-rate",
})  # fmt: skip
"""Headers that a request carries already, or that make another request of it."""


class SinkCredential(msgspec.Struct, frozen=True):
    """As it comes in; of the types of the standard only `ACCESSTOKEN` is taken."""

    credentialtype: Literal["PLAIN", "ACCESSTOKEN", "REFRESHTOKEN"]
    accesstoken: str = ""
    accesstokenexpiresutc: datetime | None = None
    accesstokentype: str = "bearer"

    def __repr__(self) -> str:
        return "SinkCredential(•)"


class ProtocolSettings(msgspec.Struct, frozen=True):
    """Of the protocol HTTP."""

    headers: dict[str, str] = {}
    method: str = "POST"


class SubscriptionRequest(msgspec.Struct, frozen=True):
    """The document of a subscription, as its owner writes it."""

    sink: str
    protocol: Literal["HTTP", "MQTT3", "MQTT5", "AMQP", "NATS", "KAFKA"]
    protocolsettings: ProtocolSettings = msgspec.field(default_factory=ProtocolSettings)
    sinkcredential: SinkCredential | None = None
    source: str | None = None
    types: list[str] = []
    filters: list[dict[str, Any]] = []
    config: dict[str, str] = {}
    id: str | None = None


class Understood(msgspec.Struct, frozen=True):
    """What a document comes down to."""

    mode: Mode
    config: Config
    headers: dict[str, str]
    credential: Credential | None
    holds: Callable[[Mapping[str, Any]], bool]


def understand(
    asked: SubscriptionRequest, now: datetime, plain: bool, readers: Collection[str] = ()
) -> Understood:
    """Check a document. Raises `Invalid`.

    Args:
        asked: the document.
        now: aware UTC.
        plain: whether an address without TLS will do, on a node for tests.
        readers: programs that may read events over the portal, as far as this owner may name them.
    """
    if asked.protocol != "HTTP":
        raise unfit("/protocol", Text("dit knooppunt bezorgt over HTTP", "this node delivers over HTTP"))
    mode = _mode(asked.sink, plain)
    _check_lists(asked)
    _check_reader(asked.config.get("reader", ""), mode, readers)
    return Understood(
        mode,
        config_of(asked.config),
        _headers(asked.protocolsettings),
        _credential(asked.sinkcredential, now),
        compile_filters(asked.filters),
    )


def _mode(sink: str, plain: bool) -> Mode:
    if sink == "urn:sluis:feed":
        return "feed"
    if sink == "urn:sluis:sse":
        return "sse"
    if sink == INBOX:
        return "fsc"
    if len(sink) > MOST_OF_TEXT or not sink.isascii() or not sink.isprintable() or " " in sink:
        raise unfit("/sink", _NO_ADDRESS)
    try:
        parts = urlsplit(sink)
        port = parts.port
    except ValueError:
        raise unfit("/sink", _NO_ADDRESS) from None
    if parts.scheme not in (("https", "http") if plain else ("https",)) or not parts.hostname or port == 0:
        raise unfit("/sink", _NO_ADDRESS)
    if parts.username is not None or parts.fragment:
        raise unfit("/sink", Text("zonder gebruiker en zonder #", "without a user and without #"))
    return "push"


def _check_lists(asked: SubscriptionRequest) -> None:
    if len(asked.types) > MOST_TYPES or any(not 0 < len(one) <= 255 for one in asked.types):
        raise unfit(
            "/types",
            Text(
                f"hoogstens {MOST_TYPES}, elk tot 255 tekens",
                f"at most {MOST_TYPES}, each up to 255 characters",
            ),
        )
    if asked.source is not None and not 0 < len(asked.source) <= MOST_OF_TEXT:
        raise unfit("/source", Text("leeg of te lang", "empty or too long"))


def config_of(asked: Mapping[str, str]) -> Config:
    """The keys of `config`, all of which are texts in the standard. Raises `Invalid` for one that is not known here."""
    unknown = asked.keys() - KEYS
    if unknown:
        known = ", ".join(sorted(KEYS))
        raise unfit("/config", Text(f"bekend zijn: {known}", f"known are: {known}"))
    return Config(
        _content(asked.get("content", "structured")),
        _whole(asked, "retryhours", DEFAULT_RETRY_HOURS, LONGEST_RETRY_HOURS) * 3600,
        _whole(asked, "inflight", DEFAULT_IN_FLIGHT, MOST_IN_FLIGHT),
        _whole(asked, "batchsize", DEFAULT_BATCH, MOST_BATCH),
        _whole(asked, "keephours", DEFAULT_KEEP_HOURS, LONGEST_KEEP_HOURS) * 3600,
        _quiet(asked.get("quiet", "")),
        asked.get("reader", ""),
    )


KEYS = frozenset({"content", "retryhours", "inflight", "batchsize", "keephours", "quiet", "reader"})
"""Of `config`, as this node knows them."""


def _check_reader(reader: str, mode: Mode, readers: Collection[str]) -> None:
    if reader and mode not in ("feed", "sse"):
        raise unfit(
            "/config/reader",
            Text("alleen bij urn:sluis:feed of urn:sluis:sse", "only with urn:sluis:feed or urn:sluis:sse"),
        )
    if reader and reader not in readers:
        known = ", ".join(sorted(readers)) or "-"
        raise unfit(
            "/config/reader",
            Text(f"een programma onder [clients] met de scope events-read; dat zijn: {known}",
                 f"a program under [clients] with the scope events-read; these are: {known}"),
        )  # fmt: skip


def _content(asked: str) -> Content:
    found = _CONTENTS.get(asked)
    if found is None:
        raise unfit("/config/content", Text("structured, binary of batch", "structured, binary or batch"))
    return found


def _whole(asked: Mapping[str, str], key: str, otherwise: int, most: int) -> int:
    said = asked.get(key, str(otherwise))
    if not re.fullmatch(r"[1-9]\d{0,5}", said) or int(said) > most:
        raise unfit(
            f"/config/{key}", Text(f"een getal van 1 tot en met {most}", f"a number from 1 to {most}")
        )
    return int(said)


def _quiet(said: str) -> tuple[int, int] | None:
    if not said:
        return None
    found = _QUIET.fullmatch(said)
    if found is None or said[:5] == said[6:]:
        raise unfit("/config/quiet", Text("twee tijden, zoals 22:00-07:00", "two times, such as 22:00-07:00"))
    hours = [int(part) for part in found.groups()]
    return hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]


def _headers(settings: ProtocolSettings) -> dict[str, str]:
    if settings.method != "POST":
        raise unfit("/protocolsettings/method", Text("een webhook is een POST", "a webhook is a POST"))
    if len(settings.headers) > MOST_HEADERS:
        raise unfit("/protocolsettings/headers", Text(f"hoogstens {MOST_HEADERS}", f"at most {MOST_HEADERS}"))
    for name, value in settings.headers.items():
        lower = name.lower()
        if (
            not _HEADER.fullmatch(name)
            or lower in _OURS
            or lower.startswith("ce-")
            or not _HEADER_VALUE.fullmatch(value)
        ):
            raise unfit(
                "/protocolsettings/headers", Text("een naam of waarde kan niet", "a name or value cannot be")
            )
    return {name.lower(): value for name, value in settings.headers.items()}


def _credential(asked: SinkCredential | None, now: datetime) -> Credential | None:
    if asked is None:
        return None
    if asked.credentialtype != "ACCESSTOKEN" or asked.accesstokentype.lower() != "bearer":
        raise unfit(
            "/sinkcredential",
            Text("alleen ACCESSTOKEN, van het type bearer", "only ACCESSTOKEN, of the type bearer"),
        )
    if not _TOKEN.fullmatch(asked.accesstoken) or asked.accesstokenexpiresutc is None:
        raise unfit(
            "/sinkcredential",
            Text(
                "accesstoken en accesstokenexpiresutc zijn nodig",
                "accesstoken and accesstokenexpiresutc are needed",
            ),
        )
    ends = asked.accesstokenexpiresutc
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    if ends <= now:
        raise unfit("/sinkcredential/accesstokenexpiresutc", Text("dat is al voorbij", "that is in the past"))
    return Credential(asked.accesstoken, ends)


def allowed_by(origin: str, headers: Mapping[str, str]) -> tuple[bool, int | None]:
    """Whether a recipient allows this node to send (CloudEvents HTTP Webhooks 1.0.2, section 4.2), and how many requests a
    minute; None without limit.

    Args:
        origin: by which this node made itself known.
        headers: of the answer, by name in whatever case.
    """
    said = headers.get("webhook-allowed-origin", "").strip()
    if said != "*" and said.lower() != origin.lower():
        return False, None
    return True, rate_of(headers.get("webhook-allowed-rate", "*"))


def rate_of(said: str) -> int | None:
    """Requests a minute, as a recipient allows them; None without limit. What cannot be read is taken for one a second."""
    if said.strip() == "*":
        return None
    return max(int(said), 1) if re.fullmatch(r"\s*\d{1,6}\s*", said) else 60


_NO_ADDRESS = Text(
    "een https-adres van hoogstens 2000 tekens, fsc:sluis/v1/inbox, urn:sluis:feed of urn:sluis:sse",
    "an https address of at most 2000 characters, fsc:sluis/v1/inbox, urn:sluis:feed or urn:sluis:sse",
)
