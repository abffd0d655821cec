"""What one does on the pages of a node, in a sentence each: what the workplace and the first page say below a title, where the room
of a page does not say it itself."""

from collections.abc import Iterable

import msgspec

from sluis.kernel import Text
from sluis.web import Entry

ABOUT = {
    "/mine": Text("Vraag op wat organisaties over u weten, en neem het mee.",
                  "Ask what organisations know about you, and take it along."),
    "/corrections": Text("Meld een fout, of vraag wat de privacywet u geeft: inzage, verwijdering, bezwaar.",
                         "Report a mistake, or ask what privacy law gives you: access, erasure, objection."),
    "/ask": Text("Kies waarvoor u vraagt, en zie vooraf wat open is en wat gesloten blijft.",
                 "Choose what you ask for, and see beforehand what is open and what stays closed."),
    "/ask/saved": Text("Stel een vraag die u eerder bewaarde opnieuw.", "Ask again what you saved before."),
    "/catalogue": Text("Zoek diensten en gegevens, bij ons en bij anderen.", "Search services and data, here and at others."),
    "/data": Text("Wat wij hebben, en hoe volledig en actueel het is.", "What we have, and how complete and recent it is."),
    "/data/disclosures": Text("Wie wat van ons mag zien, in woorden.", "Who may see what of ours, in words."),
    "/data/preview": Text("Wat een ander van iemand zou zien. Dat komt in het logboek.",
                          "What another would see of somebody. That is logged."),
    "/data/use": Text("Wie welke gegevens gebruikte, en hoeveel.", "Who used which data, and how much."),
    "/data/sources": Text("Of onze bronnen antwoord geven, en hoe snel.", "Whether our sources answer, and how fast."),
    "/desk/corrections": Text("Behandel wat mensen melden dat niet klopt.", "Handle what people report that is not right."),
    "/desk/rights": Text("Behandel verzoeken om inzage, verwijdering en bezwaar.",
                         "Handle requests for access, erasure and objection."),
    "/catalogue/terms": Text("Onder welke voorwaarden wij leveren, en wie ze aanvaardde.", "On which terms we deliver, and who accepted them."),
    "/usage": Text("Wat is afgenomen, en wat het kost.", "What was used, and what it costs."),
    "/oversight": Text("Wat vandaag aandacht vraagt.", "What asks for attention today."),
    "/register": Text("Waarvoor wij gegevens gebruiken, op welke wet, en wanneer dat opnieuw wordt bekeken.",
                      "What we use data for, by which law, and when that is looked at again."),
    "/oversight/decisions": Text("Wat is toegestaan en geweigerd, en waarom.", "What was allowed and refused, and why."),
    "/oversight/log": Text("Bewijs dat niemand een regel veranderde.", "Proof that nobody changed a line."),
    "/oversight/unusual": Text("Wie opvallend vaak werd opgezocht, en wie opvallend veel vroeg.",
                               "Who was looked up remarkably often, and who asked remarkably much."),
    "/catalogue/peers": Text("Wanneer de catalogi van anderen zijn gelezen, en wat niet lukte.",
                             "When the catalogues of others were read, and what did not succeed."),
    "/contracts": Text("Met wie wij afspraken, en wat op een handtekening wacht.",
                       "With whom we agreed, and what waits for a signature."),
    "/peers": Text("Met wie dit knooppunt praat, en of zij er zijn.", "Whom this node talks to, and whether they are there."),
    "/map": Text("Wie met wie deelt, als tekening.", "Who shares with whom, as a drawing."),
    "/traffic": Text("Hoeveel er gaat, en hoe snel.", "How much goes, and how fast."),
    "/certificates": Text("Welke certificaten er zijn, en wanneer zij aflopen.", "Which certificates there are, and when they end."),
    "/doctor": Text("Wat er mis is, en wat u eraan doet.", "What is wrong, and what to do about it."),
    "/deliveries": Text("Wat onderweg is naar anderen, en wat bleef liggen.", "What is on its way to others, and what got stuck."),
}  # fmt: skip


def explained(navigation: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries, each with what one does there."""
    return tuple(
        one if one.about or one.path not in ABOUT else msgspec.structs.replace(one, about=ABOUT[one.path])
        for one in navigation
    )
