"""What every key of a scenario means, in Dutch and English: for the published schema and the reference."""

from typing import Any

from sluis.contact.model import Scenario
from sluis.grounds import WORDS as GROUNDS
from sluis.grounds import Words, schema
from sluis.kernel import Text

WORDS: Words = {
    "Text": GROUNDS["Text"],
    "Step": {
        "channel": Text("Kanaal uit `[channels]` in node.toml.", "Channel from `[channels]` in node.toml."),
        "wait": Text(
            "Hoe lang dit kanaal mag zwijgen voor het volgende aan de beurt is (ISO 8601).",
            "How long this channel may be silent before the next is used (ISO 8601).",
        ),
    },
    "Scenario": {
        "id": Text("Naam van dit scenario; verander haar niet.", "Name of this scenario; do not change it."),
        "title": Text(
            "Waar het over gaat, zoals de betrokkene het in het overzicht leest.",
            "What it is about, as the data subject reads it in the overview.",
        ),
        "event": Text("Gebeurtenistype waarbij dit gebeurt.", "Event type at which this happens."),
        "activity": Text("`id` van de verwerkingsactiviteit.", "`id` of the processing activity."),
        "template": Text(
            "Begin van de namen van de sjablonen: `NAAM.nl.txt`, `NAAM.nl.html`, `NAAM.en.txt` en `NAAM.en.html`.",
            "Beginning of the names of the templates: `NAME.nl.txt`, `NAME.nl.html`, `NAME.en.txt` and `NAME.en.html`.",
        ),
        "subject": Text(
            "Onderwerp; zonder feiten, want het staat op vergrendelde schermen.",
            "Subject; without facts, for it shows on locked screens.",
        ),
        "short": Text(
            "Sjabloon van het sms-bericht, ten hoogste 612 tekens.",
            "Template of the text message, 612 characters at most.",
        ),
        "steps": Text("Kanalen, in volgorde; ten minste één.", "Channels, in order; at least one."),
        "condition": Text(
            "Voorwaarde over de feiten (CESQL); zonder geldt het altijd.",
            "Condition over the facts (CESQL); without, it always holds.",
        ),
        "case": Text(
            "Feit met het kenmerk van de zaak, voor wie daar een eigen voorkeur voor heeft.",
            "Fact with the reference of the case, for who prefers something else for it.",
        ),
        "service": Text(
            "Dienst waarvoor een machtiging deze berichten ook laat zien, naast de verwerkingsactiviteit.",
            "Service for which a mandate shows these messages too, besides the processing activity.",
        ),
        "must": Text(
            "Of de laatste stap ook gaat als de betrokkene die niet koos.",
            "Whether the last step is taken also when the data subject did not choose it.",
        ),
        "urgent": Text("Of het ook in de stille uren gaat.", "Whether it goes in quiet hours too."),
        "retention": Text(
            "Hoe lang het bericht wordt bewaard (ISO 8601).", "How long the message is kept (ISO 8601)."
        ),
    },
}


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a file in `scenarios/`."""
    return schema(Scenario, Text("Scenario", "Scenario"), WORDS)
