"""What settings mean, in Dutch and English: the node itself: who it is, where its things are, its log, its sources, its people and services."""

from sluis.grounds import Words
from sluis.kernel import Text

NODE: Words = {
    "Config": {
        "node": Text("Wie dit knooppunt is.", "Who this node is."),
        "listen": Text("Waar het luistert voor eigen mensen.", "Where it listens for its own people."),
        "tls": Text("Certificaat en vertrouwde autoriteiten.", "Certificate and trusted authorities."),
        "keys": Text("Eigen sleutels.", "Keys of its own."),
        "store": Text("Eigen database.", "Database of its own."),
        "ledger": Text("Het logboek.", "The log."),
        "anchor": Text("Wie het logboek van de tijd voorziet.", "Who tells the time of the log."),
        "peers": Text(
            "Andere organisaties, op de naam voor de punt.",
            "Other organisations, by the name before the dot.",
        ),
        "sources": Text("Bronnen, op naam.", "Sources, by name."),
        "people": Text("Wie hier mag vragen, op naam.", "Who may ask here, by name."),
        "portal": Text(
            "De pagina's en de inlogvoorziening van dit knooppunt.",
            "The pages and the sign-in provider of this node.",
        ),
        "signin": Text("Manieren om in te loggen, op naam.", "Ways of signing in, by name."),
        "passkeys": Text("Passkeys van medewerkers.", "Passkeys of staff."),
        "passport": Text(
            "Inloggen met een digitaal paspoort in een wallet.",
            "Signing in with a digital passport in a wallet.",
        ),
        "clients": Text(
            "Portalen en programma's die hier inloggen, op naam.",
            "Portals and programs that sign in here, by name.",
        ),
        "trust": Text(
            "Inlogvoorzieningen van anderen die dit knooppunt gelooft, op naam.",
            "Sign-in providers of others that this node believes, by name.",
        ),
        "contact": Text("Hoe mensen worden bereikt.", "How people are reached."),
        "channels": Text(
            "Kanalen om mensen te bereiken, op naam.", "Channels by which people are reached, by name."
        ),
        "notificaties": Text(
            "De Notificaties API van zaakgericht werken.", "The Notificaties API of zaakgericht werken."
        ),
        "policy": Text("Eigen regels voor het beslispunt.", "Rules of one's own for the decision point."),
        "register": Text(
            "Het handelsregister, dat zegt wie voor een bedrijf mag handelen.",
            "The trade register, which says who may act for a company.",
        ),
        "events": Text("Wat dit knooppunt anderen meldt.", "What this node tells others of."),
        "services": Text(
            "Diensten waarvoor iemand een machtiging kan krijgen, op naam.",
            "Services that somebody can be mandated for, by name.",
        ),
        "data": Text(
            "Wat beheerders van gegevens van mensen mogen zien.",
            "What those who look after data may see of people.",
        ),
        "consents": Text("Toestemmingen die voorbij zijn.", "Consents that are over."),
        "rights": Text(
            "Meldingen en verzoeken van mensen over hun eigen gegevens.",
            "Reports and requests of people about their own data.",
        ),
        "limits": Text("Wat een vraag mag kosten.", "What a question may cost."),
        "fsc": Text("De FSC-groep waar dit knooppunt in zit.", "The FSC group that this node is in."),
        "manager": Text("De Manager.", "The Manager."),
        "inway": Text("De inway.", "The inway."),
        "outway": Text("De outway.", "The outway."),
    },
    "NodeConfig": {
        "oin": Text(
            "OIN van de organisatie; ook in het certificaat.",
            "OIN of the organisation; also in the certificate.",
        ),
        "name": Text("Naam van de organisatie.", "Name of the organisation."),
        "alias": Text("Naam voor de punt in een vraag.", "Name before the dot in a question."),
        "url": Text(
            "Adres waaronder anderen dit knooppunt kennen; waar Manager en inway zijn, zeggen die zelf.",
            "Address by which others know this node; where Manager and inway are, these say themselves.",
        ),
        "environment": Text(
            "`test` staat testautoriteiten toe.",
            "`test` allows test authorities.",
        ),
        "language": Text("Taal van meldingen: nl of en.", "Language of messages: nl or en."),
    },
    "ListenConfig": {
        "socket": Text("Socket waarop eigen mensen vragen.", "Socket by which people of its own ask."),
    },
    "TlsConfig": {
        "certificate": Text(
            "Certificaat van dit knooppunt, met keten (PEM).",
            "Certificate of this node, with its chain (PEM).",
        ),
        "key": Text("Sleutel daarbij (PEM).", "Key that goes with it (PEM)."),
        "authorities": Text(
            "Autoriteiten van wie het kaarten en intrekkingen aanneemt (PEM); verbindingen volgen de groep.",
            "Authorities whose cards and revocations it accepts (PEM); connections follow the group.",
        ),
        "crl": Text("Lijst met ingetrokken certificaten (PEM).", "List of revoked certificates (PEM)."),
    },
    "KeysConfig": {
        "directory": Text(
            "Map met de sleutels voor ondertekenen, verzegelen en pseudoniemen.",
            "Directory with the keys for signing, sealing and pseudonyms.",
        ),
    },
    "StoreConfig": {
        "url": Text(
            "Database van het knooppunt: SQLite of PostgreSQL.", "Database of the node: SQLite or PostgreSQL."
        ),
    },
    "LedgerConfig": {
        "origin": Text(
            "Naam van het logboek, die eindigt op `/` en het OIN; zonder is dat adres en OIN.",
            "Name of the log, which ends in `/` and the OIN; without it, host name and OIN.",
        ),
        "witnesses": Text("Namen uit `[peers]` die meetekenen.", "Names from `[peers]` that cosign."),
    },
    "AnchorConfig": {
        "url": Text(
            "Adres van een tijdstempelautoriteit (RFC 3161); zonder wordt er niet gestempeld.",
            "Address of a timestamping authority (RFC 3161); without it nothing is stamped.",
        ),
        "certificates": Text(
            "Stamcertificaat van die autoriteit, zo nodig met tussencertificaten (PEM).",
            "Root certificate of that authority, with intermediates where needed (PEM).",
        ),
        "hours": Text("Uren tussen twee stempels.", "Hours between two stamps."),
    },
    "PeerConfig": {
        "oin": Text("OIN van de organisatie.", "OIN of the organisation."),
        "name": Text("Naam van de organisatie.", "Name of the organisation."),
    },
    "SourceConfig": {
        "url": Text(
            "Adres van de bron; `${NAAM}` komt uit de omgeving.",
            "Address of the source; `${NAME}` comes from the environment.",
        ),
        "password_file": Text("Bestand met het wachtwoord.", "File with the password."),
        "timeout_seconds": Text("Seconden die één lezing mag duren.", "Seconds that one reading may take."),
        "max_rows": Text("Meeste rijen in één lezing.", "Most rows in one reading."),
        "pool_size": Text("Meeste verbindingen tegelijk.", "Most connections at once."),
    },
    "PersonConfig": {
        "os_user": Text("Gebruikersnaam in het besturingssysteem.", "User name in the operating system."),
        "signin": Text(
            "Hoe deze persoon op de pagina's inlogt: naam onder `signin`, `:`, en wat die claim `person` (zonder: `sub`) zegt.",
            "How this person signs in on the pages: name under `signin`, `:`, and what its claim `person` (without: `sub`) says.",
        ),
        "roles": Text("Rollen van deze persoon.", "Roles of this person."),
    },
    "PolicyConfig": {
        "directory": Text(
            "Map met Cedar-regels en hun proeven.", "Folder with Cedar policies and their tests."
        ),
    },
    "LimitsConfig": {
        "question_seconds": Text("Seconden die één vraag mag duren.", "Seconds that one question may take."),
        "peer_seconds": Text("Seconden die één organisatie krijgt.", "Seconds that one organisation gets."),
        "combine_megabytes": Text(
            "Geheugen om antwoorden te koppelen (MB).", "Memory to combine answers (MB)."
        ),
        "answer_megabytes": Text(
            "Zo groot mag het antwoord van één organisatie op één deelvraag zijn (MB); alle antwoorden van een vraag staan samen "
            "in het geheugen.",
            "As large may one organisation's answer to one part of a question be (MB); all answers to a question are in memory "
            "together.",
        ),
    },
    "RegisterConfig": {
        "directory": Text(
            "Map met antwoorden van de KVK, als `NUMMER.xml`; zonder map of `url` leest dit knooppunt het register niet.",
            "Folder with answers of the KVK, as `NUMBER.xml`; without it or `url` this node does not read the register.",
        ),
        "url": Text(
            "Adres waar het register antwoordt, met `{kvk}` op de plaats van het nummer; gaat voor de map.",
            "Address where the register answers, with `{kvk}` where the number goes; goes before the folder.",
        ),
        "key_file": Text(
            "Bestand met de API-sleutel van de KVK, op één regel.",
            "File with the API key of the KVK, on one line.",
        ),
        "authorities": Text(
            "Autoriteiten die voor dat adres instaan (PEM); anders die van het systeem.",
            "Authorities that vouch for that address (PEM); else those of the system.",
        ),
        "longest_hours": Text(
            "Hoeveel uur oud zo'n antwoord mag zijn.", "How many hours old such an answer may be."
        ),
    },
    "ServiceConfig": {
        "title": Text("Hoe mensen de dienst noemen.", "What people call the service."),
        "about": Text(
            "Wat iemand daar voor een ander doet, in een zin.",
            "What one does there for another, in a sentence.",
        ),
        "id": Text(
            "Hoe portalen en inlogdiensten haar noemen; anders haar naam hier.",
            "What portals and sign-in services call it; else its name here.",
        ),
    },
    "DataConfig": {
        "preview_activity": Text(
            "Verwerkingsactiviteit waaronder een proefblik gaat; zonder zijn er geen.",
            "Processing activity under which a preview is; without it there are none.",
        ),
        "secrecy": Text(
            "Kolommen (`dataset.kolom`) die zeggen dat iemands gegevens geheim zijn; daarvan is er geen proefblik.",
            "Columns (`dataset.column`) that say that somebody's data are secret; of these there is no preview.",
        ),
    },
    "ConsentsConfig": {
        "keep_days": Text(
            "Zoveel dagen na haar laatste dag bewaart het knooppunt een toestemming; wat ermee is gebeurd, blijft in het logboek.",
            "So many days after its last day the node keeps a consent; what happened to it stays in the log.",
        ),
    },
    "RightsConfig": {
        "keep_days": Text(
            "Zoveel dagen nadat een melding of verzoek is afgehandeld, bewaart het knooppunt wat iemand schreef en wat er is "
            "geantwoord; dat er een verzoek was, blijft in het logboek.",
            "So many days after a report or request was finished the node keeps what somebody wrote and what was answered; "
            "that there was a request stays in the log.",
        ),
        "open_per_organisation": Text(
            "Zoveel meldingen en verzoeken van één andere organisatie mogen tegelijk open staan; daarna neemt het knooppunt er geen meer "
            "aan, tot er een is afgehandeld.",
            "So many reports and requests of one other organisation may be open at a time; after that the node takes no more, until "
            "one was finished.",
        ),
    },
}
