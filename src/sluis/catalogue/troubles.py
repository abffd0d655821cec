"""What stands in the way of reading a catalogue of another organisation, in words, with what to do about it. Pure."""

from typing import Final

from sluis.kernel import Text

_TELL = Text(
    "Meld het aan die organisatie. Wat er van haar bewaard was, blijft staan.",
    "Tell that organisation. What was kept of it stays.",
)
_WAIT = Text("Het wordt vanzelf opnieuw geprobeerd.", "It is tried again by itself.")

TROUBLES: Final[dict[str, tuple[Text, Text]]] = {
    "not-connected": (
        Text("Er is nog geen contract tussen beide knooppunten.", "There is no contract between the two nodes yet."),
        Text("Wacht tot beide hebben getekend; daarna gaat het vanzelf.",
             "Wait until both have signed; then it goes by itself."),
    ),
    "no-catalogue": (
        Text("Deze organisatie heeft geen catalogus.", "This organisation has no catalogue."),
        Text("Er is niets te doen. Vraag het haar, als u er een verwacht.",
             "There is nothing to do. Ask it, if you expect one."),
    ),
    "unreadable-catalogue": (
        Text("Wat zij gaf, is geen catalogus die hier gelezen kan worden.", "What it gave is no catalogue that can be read here."),
        _TELL,
    ),
    "catalogue-too-large": (
        Text("Haar catalogus is groter dan 32 MB.", "Its catalogue is larger than 32 MB."), _TELL,
    ),
    "too-slow": (
        Text("Het lezen duurde langer dan een minuut.", "Reading took longer than a minute."), _WAIT,
    ),
    "peer-unreachable": (Text("Haar knooppunt is niet te bereiken.", "Its node cannot be reached."), _WAIT),
    "peer-too-slow": (Text("Haar knooppunt antwoordt te langzaam.", "Its node answers too slowly."), _WAIT),
    "peer-broke-off": (Text("Haar knooppunt brak het antwoord af.", "Its node broke off the answer."), _WAIT),
}  # fmt: skip
"""By the code of a problem: why, and what to do next."""

TROUBLES["contract-missing"] = TROUBLES["not-connected"]


def trouble_in_words(code: str) -> tuple[Text, Text]:
    """Why a catalogue was not read, and what to do next; of a code that nobody here wrote, the code itself."""
    shown = "".join(one for one in code[:100] if one.isascii() and (one.isalnum() or one in "-_"))
    return TROUBLES.get(code) or (
        Text(
            f"Haar knooppunt of de weg erheen meldde: {shown}.", f"Its node, or the way to it, told: {shown}."
        ),
        Text("Loop de weg na met `sluis fsc doctor`.", "Walk the way with `sluis fsc doctor`."),
    )
