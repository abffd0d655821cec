"""The words of the pages about the group: what states, roles and kinds are called where people read them."""

from collections.abc import Mapping
from typing import Literal

from sluis.gateway.contracts import Action, State
from sluis.gateway.pages.model import Role, Section
from sluis.grounds import COLUMN_ROLES
from sluis.kernel import Text

SECTION_TITLES: Mapping[Section, Text] = {
    "us": Text("Wacht op ons", "Waits for us"),
    "them": Text("Wacht op de ander", "Waits for the other"),
    "valid": Text("Geldig", "Valid"),
    "ended": Text("Voorbij", "Over"),
}

NOTHING: Mapping[Section | None, Text] = {
    "us": Text("Niets wacht op uw handtekening.", "Nothing waits for your signature."),
    "them": Text("Niets wacht op de handtekening van een ander.", "Nothing waits for another's signature."),
    "valid": Text(
        "Er is nog geen geldig contract. Vraag er een aan, of wacht tot een ander het u vraagt.",
        "There is no valid contract yet. Request one, or wait until another asks you.",
    ),
    "ended": Text("Geen contract is voorbij.", "No contract is over."),
    None: Text(
        "Er is nog geen contract. Vraag er een aan, of wacht tot een ander het u vraagt.",
        "There is no contract yet. Request one, or wait until another asks you.",
    ),
}

TONES: Mapping[Section, Literal["ok", "warning", "plain"]] = {
    "us": "warning",
    "them": "plain",
    "valid": "ok",
    "ended": "plain",
}

SOON = Text("getekend, begint nog", "signed, yet to begin")

STATES: Mapping[State, Text] = {
    "proposed": Text("voorgesteld", "proposed"),
    "valid": Text("geldig", "valid"),
    "rejected": Text("afgewezen", "rejected"),
    "revoked": Text("ingetrokken", "revoked"),
    "expired": Text("verlopen", "ended"),
}

ROLES: Mapping[Role, Text] = {
    "user": Text("wij gebruiken", "we use"),
    "provider": Text("wij bieden aan", "we offer"),
    "both": Text("beide kanten", "both ways"),
    "listed": Text("in de directory", "in the directory"),
}

DONE: Mapping[Action, Text] = {
    "accept": Text("tekende", "signed"),
    "reject": Text("wees het af", "rejected it"),
    "revoke": Text("trok het in", "revoked it"),
}

COLUMNS = COLUMN_ROLES

HEALTH: Mapping[str, Text] = {
    "ok": Text("bereikbaar", "reachable"),
    "warning": Text("certificaat eindigt", "certificate ends"),
    "error": Text("niet bereikbaar", "not reachable"),
    "unknown": Text("nog niet gevraagd", "not asked yet"),
}

Tone = Literal["plain", "ok", "warning", "error"]

HEALTH_TONES: Mapping[str, Tone] = {"ok": "ok", "warning": "warning", "error": "error", "unknown": "plain"}

CIRCUITS: Mapping[str, Text] = {
    "closed": Text("gaan door", "go through"),
    "half-open": Text("één verzoek op proef", "one request on trial"),
    "open": Text("even geen verzoeken", "no requests for a while"),
}

CERTIFICATES: Mapping[str, Text] = {
    "ok": Text("geldig", "valid"),
    "warning": Text("eindigt binnenkort", "ends soon"),
    "error": Text("verlopen", "ended"),
}
