"""Fictitious people who sign in, for the tests of this room."""

from typing import Any

from tests.clocks import BEGIN

from sluis.identity.sessions import Established


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
