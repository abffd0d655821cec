"""Where and how somebody wants its events: a subscription of the CloudEvents Subscriptions API 0.2."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from sluis.kernel import PeerId

State = Literal["waiting-for-proof", "active", "suspended", "ended"]

STATES: dict[State, tuple[State, ...]] = {
    "waiting-for-proof": ("active", "ended"),
    "active": ("suspended", "waiting-for-proof", "ended"),
    "suspended": ("active", "waiting-for-proof", "ended"),
    "ended": (),
}
"""What each state can become. Another address has to be proven anew; `suspended` is what a recipient asked for (410)."""

Mode = Literal["push", "fsc", "feed", "sse", "own"]
"""How events go: `own` is a webhook at an application of this organisation itself, at an address that its operator named and
that therefore may lie inside its network."""

INBOX = "fsc:sluis/v1/inbox"
"""The sink of who wants its events at its own node, over the group."""

Content = Literal["structured", "binary", "batch"]

DEFAULT_RETRY_HOURS, LONGEST_RETRY_HOURS = 72, 168
DEFAULT_IN_FLIGHT, MOST_IN_FLIGHT = 8, 32
DEFAULT_BATCH, MOST_BATCH = 50, 500
DEFAULT_KEEP_HOURS, LONGEST_KEEP_HOURS = 24, 720


class Credential(msgspec.Struct, frozen=True):
    """With what a node shows at a sink that it may send there (`ACCESSTOKEN`). Kept sealed, never shown again."""

    accesstoken: str
    accesstokenexpiresutc: datetime

    def __repr__(self) -> str:
        return "Credential(•)"


class Config(msgspec.Struct, frozen=True):
    """How a subscription wants its events, with what it left out filled in.

    Args:
        content: mode of the HTTP binding.
        retry_for: seconds that an event is tried.
        in_flight: requests at once.
        batch: events in one request, in the mode `batch`.
        keep_for: seconds that what was delivered can be read again.
        quiet: minutes of the day between which nothing is sent, by the clock in Amsterdam; None for never.
        reader: the program of this organisation that may come for them over the portal; empty for none.
    """

    content: Content = "structured"
    retry_for: int = DEFAULT_RETRY_HOURS * 3600
    in_flight: int = DEFAULT_IN_FLIGHT
    batch: int = DEFAULT_BATCH
    keep_for: int = DEFAULT_KEEP_HOURS * 3600
    quiet: tuple[int, int] | None = None
    reader: str = ""


class Subscription(msgspec.Struct, frozen=True):
    """A subscription as it is kept.

    Args:
        id: random, 22 characters.
        owner: whose it is.
        sink: where to; its scheme says how.
        mode: how.
        source: only events of this source; None for all.
        types: only events of these types; empty for all.
        filters: all of which must hold.
        config: how it wants them.
        asked: `config` as it was asked, to be shown.
        headers: that go with each request.
        credential: shown at the sink.
        state: whether it gets anything.
        rate: requests a minute that the sink allows; None without limit.
        because: why it is in this state, as a code.
        created: when.
    """

    id: str
    owner: PeerId
    sink: str
    mode: Mode
    source: str | None = None
    types: Sequence[str] = ()
    filters: Sequence[Mapping[str, Any]] = ()
    config: Config = Config()
    asked: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    credential: Credential | None = None
    state: State = "waiting-for-proof"
    rate: int | None = None
    because: str = ""
    created: int = 0
