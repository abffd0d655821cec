"""What every key of the files means, in Dutch and English: for the published schemas and the reference."""

from sluis.kernel import Text

Words = dict[str, dict[str, Text]]
"""Per struct, per field."""

_ARTICLES = Text(
    "Artikelen in de wet waarop dit rust; ten minste één.",
    "Articles of law that this rests on; at least one.",
)
_GROUND = Text("Grondslag uit AVG artikel 6, eerste lid.", "Ground from GDPR article 6(1).")
_CONTROLLER = Text("OIN van de verwerkingsverantwoordelijke.", "OIN of the controller.")
_PROCESSOR = Text("OIN van de verwerker, als die er is.", "OIN of the processor, where there is one.")
_VALID = Text("Vanaf en tot en met welke dag dit geldt.", "From and up to which day this holds.")
_RETENTION = Text(
    "Hoe lang het antwoord bewaard mag worden (ISO 8601); P0D is niet langer dan nodig om het te tonen.",
    "How long the answer may be kept (ISO 8601); P0D is no longer than it takes to show it.",
)

WORDS: Words = {
    "Text": {
        "nl": Text("De tekst in het Nederlands.", "The text in Dutch."),
        "en": Text("De tekst in het Engels.", "The text in English."),
    },
    "Period": {
        "since": Text("Eerste dag.", "First day."),
        "until": Text("Laatste dag; weglaten is zonder einde.", "Last day; leaving it out is without end."),
    },
    "Article": {
        "law": Text("Naam van de wet.", "Name of the law."),
        "article": Text("Artikel, met lid en onderdeel.", "Article, with paragraph and part."),
        "bwb": Text(
            "Nummer in het Basiswettenbestand (BWBR…).", "Number in the national law register (BWBR…)."
        ),
    },
    "Activity": {
        "id": Text("URI in het register van verwerkingsactiviteiten.", "URI in the register of processing."),
        "name": Text("Naam van de verwerkingsactiviteit.", "Name of the processing activity."),
        "purpose": Text("Waarvoor de gegevens nodig zijn.", "What the data is needed for."),
        "controller": _CONTROLLER,
        "ground": _GROUND,
        "articles": _ARTICLES,
        "valid": _VALID,
        "processor": _PROCESSOR,
        "retention": _RETENTION,
        "subjects": Text("Over wie het gaat, in woorden.", "Whom it is about, in words."),
        "inspection": Text(
            "Wie hiermee opvraagt wat over henzelf bekend is: mensen (people) of bedrijven (companies). Niemand vraagt hiermee iets over een ander.",
            "Who asks under this what is known about themselves: people or companies. Nobody asks under it about another.",
        ),
    },
    "Subject": {
        "column": Text("Kolom met de sleutel van de persoon.", "Column with the key of the person."),
        "type": Text("Soort sleutel: BSN, of een URI.", "Kind of key: BSN, or a URI."),
    },
    "Column": {
        "type": Text("Type in DuckDB-SQL.", "Type in DuckDB SQL."),
        "source": Text("Naam bij de bron, als die anders is.", "Name at the source, where it differs."),
        "expression": Text(
            "SQL over kolommen van de bron, als de waarde berekend wordt; niet samen met `source`.",
            "SQL over columns of the source, where the value is computed; not together with `source`.",
        ),
        "title": Text("Naam voor mensen.", "Name for people."),
        "unit": Text("Eenheid, zoals eurocent per jaar.", "Unit, such as eurocents per year."),
        "concept": Text("URI van het begrip.", "URI of the concept."),
        "sensitivity": Text(
            "Hoe gevoelig: open, persoonlijk, herleidbaar of bijzonder (AVG artikel 9).",
            "How sensitive: open, personal, identifying or special (GDPR article 9).",
        ),
    },
    "Dataset": {
        "name": Text("Naam na de punt in een vraag.", "Name after the dot in a question."),
        "title": Text("Naam voor mensen.", "Name for people."),
        "source": Text("Bron uit `[sources]` in node.toml.", "Source from `[sources]` in node.toml."),
        "table": Text("Tabel, view, bestand of pad bij de bron.", "Table, view, file or path at the source."),
        "columns": Text("De kolommen, op naam.", "The columns, by name."),
        "description": Text("Uitleg.", "Explanation."),
        "subject": Text(
            "Over welke persoon een rij gaat; weglaten als het over niemand gaat.",
            "Whom a row is about; left out when it is about nobody.",
        ),
        "key": Text("Kolommen die samen een rij aanwijzen.", "Columns that together name a row."),
        "rows": Text("Ongeveer hoeveel rijen er zijn.", "About how many rows there are."),
    },
    "Filter": {
        "operators": Text("Vergelijkingen die mogen.", "Comparisons that are allowed."),
        "values": Text(
            "Waarden die mogen; weglaten is alle.", "Values that are allowed; leaving it out is any."
        ),
        "budget": Text(
            "Hoeveel vergelijkingen met deze kolom per dag, per vragende organisatie en verwerkingsactiviteit; "
            "dezelfde telt opnieuw.",
            "How many comparisons with this column a day, per asking organisation and processing activity; "
            "the same one counts again.",
        ),
    },
    "Aggregate": {
        "minimum": Text("Kleinste aantal personen in een groep.", "Smallest number of people in a group."),
        "functions": Text(
            "Per kolom de functies die mogen, naast count, sum en avg.",
            "Per column the functions that are allowed, beside count, sum and avg.",
        ),
        "budget": Text(
            "Hoeveel verschillende vragen om groepen per dag, per vragende organisatie en verwerkingsactiviteit.",
            "How many different questions for groups a day, per asking organisation and processing activity.",
        ),
        "combiner": Text(
            "OIN van wie rijen met verzegelde sleutels mag koppelen.",
            "OIN of who may join rows with sealed keys.",
        ),
    },
    "Withhold": {
        "article": Text("Artikel dat dit toestaat.", "Article that allows this."),
        "days": Text(
            "Aantal dagen dat de betrokkene deze raadpleging niet ziet.",
            "Number of days that the subject does not see this consultation.",
        ),
    },
    "Closed": {
        "columns": Text("Kolommen die gesloten blijven.", "Columns that stay closed."),
        "because": Text("Waarom.", "Why."),
        "article": Text("Artikel waarop dat rust.", "Article that this rests on."),
    },
    "Price": {
        "per_question": Text("Eurocent per vraag.", "Eurocents per question."),
        "per_subject": Text("Eurocent per persoon.", "Eurocents per person."),
    },
    "StandingRule": {
        "cadence": Text(
            "Hoe vaak een staande vraag opnieuw wordt gelezen, gerekend vanaf middernacht UTC (ISO 8601).",
            "How often a standing question is read again, counted from midnight UTC (ISO 8601).",
        ),
        "most": Text("Meeste staande vragen tegelijk.", "Most standing questions at a time."),
    },
    "Disclosure": {
        "id": Text("Naam van deze verstrekking.", "Name of this disclosure."),
        "version": Text("Versie; verhoog bij elke wijziging.", "Version; raise it with every change."),
        "dataset": Text("Naam van de dataset.", "Name of the dataset."),
        "recipient": Text("OIN van de ontvanger.", "OIN of the recipient."),
        "activity": Text("`id` van de verwerkingsactiviteit.", "`id` of the processing activity."),
        "columns": Text(
            "Per kolom de rol: output (zien), join (alleen koppelen), filter (alleen kiezen). "
            "Wat hier niet staat, is gesloten.",
            "Per column its role: output (see), join (only join), filter (only select). "
            "What is not here is closed.",
        ),
        "articles": _ARTICLES,
        "ground": _GROUND,
        "controller": _CONTROLLER,
        "valid": _VALID,
        "processor": _PROCESSOR,
        "filters": Text("Per filterkolom wat ermee mag.", "Per filter column what may be done with it."),
        "rows": Text(
            "SQL-voorwaarde waaraan elke rij moet voldoen.", "SQL condition that every row must meet."
        ),
        "rows_because": Text("Waarom niet alle rijen.", "Why not all rows."),
        "masks": Text(
            "Per kolom SQL die in de plaats van de waarde komt, ook bij vergelijken en ordenen.",
            "Per column SQL that takes the place of the value, in comparisons and ordering too.",
        ),
        "subject_required": Text(
            "De vrager moet zeggen over wie het gaat.", "The asker must say whom it is about."
        ),
        "max_subjects": Text("Meeste personen in één vraag.", "Most people in one question."),
        "aggregate": Text(
            "Alleen groepen van genoeg personen; nooit een rij.", "Only groups of enough people; never a row."
        ),
        "withhold": Text(
            "De betrokkene ziet dit voorlopig niet.", "The subject is not shown this for a while."
        ),
        "closed": Text("Wat gesloten blijft, en waarom.", "What stays closed, and why."),
        "max_rows": Text("Meeste rijen in één antwoord.", "Most rows in one answer."),
        "questions_per_hour": Text("Meeste vragen per uur.", "Most questions an hour."),
        "price": Text("Wat een vraag kost.", "What a question costs."),
        "retention": _RETENTION,
        "refuse_acr": Text(
            "Manieren van aanmelden die hier niet volstaan, zoals local.",
            "Ways of signing in that do not suffice here, such as local.",
        ),
        "minimum_level": Text(
            "Laagste betrouwbaarheidsniveau (eIDAS) van wie handelt: basic (DigiD Basis), low, substantial of high. "
            "Wie zonder niveau is aangemeld, zoals local, haalt geen enkel niveau.",
            "Lowest assurance level (eIDAS) of the person who acts: basic (DigiD Basis), low, substantial or high. "
            "Who signed in without a level, such as local, reaches none.",
        ),
        "standing": Text(
            "De ontvanger mag vragen laten staan: hij hoort dát het antwoord wijzigde. "
            "Dan is de verstrekking daar alleen voor; weglaten is niet toegestaan.",
            "The recipient may leave questions standing: it hears that the answer changed. "
            "The disclosure is for that alone then; leaving it out is not allowing it.",
        ),
    },
    "Fact": {
        "type": Text(
            "Soort waarde: text, number (geheel getal), boolean of date.",
            "Kind of value: text, number (a whole number), boolean or date.",
        ),
        "meaning": Text("Wat het betekent.", "What it means."),
    },
    "EventType": {
        "type": Text(
            "Naam: een omgekeerde domeinnaam, zonder naam van een organisatie.",
            "Name: a reverse domain name, without the name of an organisation.",
        ),
        "title": Text("Naam voor mensen.", "Name for people."),
        "description": Text(
            "Wanneer dit gebeurt, en wat het betekent.", "When this happens, and what it means."
        ),
        "subject": Text(
            "Soort sleutel van de persoon over wie het gaat: BSN, of een URI; weglaten als het over niemand gaat.",
            "Kind of key of the person it is about: BSN, or a URI; left out when it is about nobody.",
        ),
        "facts": Text(
            "Feiten waar voorwaarden naar kijken; zij gaan nooit naar buiten.",
            "Facts that conditions look at; they never leave.",
        ),
        "data": Text(
            "Gegevens die naar buiten mogen, voor zover een kennisgeving dat zegt.",
            "Data that may leave, as far as a notice says so.",
        ),
        "dataref": Text(
            "Waar een ontvanger leest wat er gebeurde; `{id}` is het kenmerk van de gebeurtenis. Nooit iets persoonlijks.",
            "Where a recipient reads what happened; `{id}` is the id of the event. Never anything personal.",
        ),
        "system": Text(
            "Systeem van deze organisatie dat het meldt; de alias van het knooppunt als het ontbreekt.",
            "System of this organisation that tells of it; the alias of the node when left out.",
        ),
        "keep_days": Text(
            "Hoeveel dagen het knooppunt bewaart wat het ervan verzond.",
            "For how many days the node keeps what it sent of it.",
        ),
    },
    "Notice": {
        "id": Text("Naam van deze kennisgeving.", "Name of this notice."),
        "version": Text("Versie; verhoog bij elke wijziging.", "Version; raise it with every change."),
        "event": Text("`type` van het gebeurtenistype.", "`type` of the event type."),
        "recipient": Text("OIN van de ontvanger.", "OIN of the recipient."),
        "activity": Text(
            "`id` van de verwerkingsactiviteit waarvoor de ontvanger het weten moet.",
            "`id` of the processing activity for which the recipient needs to know.",
        ),
        "tells": Text("Wat de ontvanger hierdoor weet.", "What the recipient knows by it."),
        "articles": _ARTICLES,
        "ground": _GROUND,
        "controller": _CONTROLLER,
        "valid": _VALID,
        "processor": _PROCESSOR,
        "condition": Text(
            "Voorwaarde over de feiten, in CloudEvents SQL; alleen wat eraan voldoet, wordt gemeld.",
            "Condition over the facts, in CloudEvents SQL; only what meets it is told.",
        ),
        "condition_because": Text("Waarom niet alles.", "Why not everything."),
        "interest": Text(
            "Alleen over personen voor wie de ontvanger een afnemersindicatie heeft.",
            "Only about persons for whom the recipient registered an interest.",
        ),
        "data": Text(
            "Welke gegevens meegaan; zonder gaat alleen mee dat het gebeurde, en waar het te lezen is.",
            "Which data goes along; without any, only that it happened, and where it can be read.",
        ),
        "withhold": Text(
            "De betrokkene ziet dit voorlopig niet.", "The subject is not shown this for a while."
        ),
    },
}
