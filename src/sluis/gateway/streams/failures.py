"""How a request over a connection fails, and what that comes down to for who has to tell it."""

import ssl
from typing import Literal

from sluis.gateway.clientcerts import UNSHOWN, Unshown
from sluis.kernel import Text

FAILURES = (OSError,)
"""What a request, or reading its answer, can fail with; `TimeoutError` and `ssl.SSLError` are among them."""

Why = Literal[
    "wrong-peer",
    "peer-not-trusted",
    "peer-too-slow",
    "peer-unreachable",
    "protocol-not-spoken",
    "peer-broke-off",
]


class Broken(OSError):
    """The connection ended before the answer did, or what came over it is no HTTP."""


class OnlyHttp2(Broken):
    """What answers begins with HTTP/2, without having been asked whether it is spoken here."""


class WrongPeer(OSError):
    """The certificate at the other end is trusted, but speaks for another organisation."""


class RevokedPeer(OSError):
    """The certificate at the other end was revoked, perhaps after it was connected to."""


class Unreachable(OSError):
    """Nothing answers at the peer's address."""


def why(failure: OSError) -> Why:
    """What a failure comes down to."""
    if isinstance(failure, WrongPeer):
        return "wrong-peer"
    if isinstance(failure, RevokedPeer | ssl.SSLError):
        return "peer-not-trusted"
    if isinstance(failure, TimeoutError):
        return "peer-too-slow"
    if isinstance(failure, Unreachable):
        return "peer-unreachable"
    if isinstance(failure, OnlyHttp2):
        return "protocol-not-spoken"
    return "peer-broke-off"


BECAUSE: dict[Why, Text] = {
    "wrong-peer": Text(
        "Op dat adres antwoordt een andere organisatie.", "Another organisation answers at that address."
    ),
    "peer-not-trusted": Text(
        "Een van beide certificaten wordt niet vertrouwd, is ingetrokken, of past niet bij het adres.",
        "One of the two certificates is not trusted, was revoked, or does not fit the address.",
    ),
    "peer-too-slow": Text("Het duurde te lang.", "It took too long."),
    "peer-unreachable": Text("Daar antwoordt niemand.", "Nobody answers there."),
    "protocol-not-spoken": Text(
        "Daar wordt alleen HTTP/2 gesproken, en hier HTTP/1.1.",
        "There only HTTP/2 is spoken, and here HTTP/1.1.",
    ),
    "peer-broke-off": Text("De verbinding werd verbroken.", "The connection broke off."),
}
"""The same in words, as the why of a problem."""


def because(failure: OSError) -> Text:
    """What a failure comes down to, in words."""
    return UNSHOWN if isinstance(failure, Unshown) else BECAUSE[why(failure)]
