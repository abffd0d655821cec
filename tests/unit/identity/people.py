"""Fictitious people who sign in, for the tests of this room."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sluis.identity.sessions import Established

BEGIN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def later(self, **how_long: float) -> None:
        """Let time pass."""
        self.now += timedelta(**how_long)


def established(**changed: Any) -> Established:
    """A fictitious citizen, signed in with DigiD."""
    given: dict[str, Any] = {
        "method": "digid",
        "audience": "citizen",
        "kind": "BSN",
        "value": "999990019",
        "level": "substantial",
        "acr": "http://eidas.europa.eu/LoA/substantial",
        "at": int(BEGIN.timestamp()),
        "issuer": "https://digid.example",
        "name": "Fictieve Burger",
    }
    return Established(**{**given, **changed})
