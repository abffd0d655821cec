"""Server-side sessions: begun by a way of signing in, found by the secret in a cookie, listed for their owner, ended."""

from sluis.identity.sessions.http import Choices, Finish, SigningIn
from sluis.identity.sessions.leaving import Farewell, Leaving
from sluis.identity.sessions.model import Established, Kind, Listed, Way
from sluis.identity.sessions.rules import IDLE
from sluis.identity.sessions.service import Current, OnEnd, Sessions, open_sessions, person_of

__all__ = [
    "IDLE",
    "Choices",
    "Current",
    "Established",
    "Farewell",
    "Finish",
    "Kind",
    "Leaving",
    "Listed",
    "OnEnd",
    "Sessions",
    "SigningIn",
    "Way",
    "open_sessions",
    "person_of",
]
