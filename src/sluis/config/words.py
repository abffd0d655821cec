"""What every setting in `node.toml` means, in Dutch and English: for the published schema and the reference."""

from sluis.grounds import Words
from sluis.kernel import Text

WORDS: Words = {
    "Config": {
        "node": Text("Wie dit knooppunt is.", "Who this node is."),
        "listen": Text("Waar het luistert.", "Where it listens."),
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
        "limits": Text("Wat een vraag mag kosten.", "What a question may cost."),
    },
    "NodeConfig": {
        "oin": Text(
            "OIN van de organisatie; ook in het certificaat.",
            "OIN of the organisation; also in the certificate.",
        ),
        "name": Text("Naam van de organisatie.", "Name of the organisation."),
        "alias": Text("Naam voor de punt in een vraag.", "Name before the dot in a question."),
        "url": Text(
            "Adres waarop anderen dit knooppunt bereiken.", "Address by which others reach this node."
        ),
        "environment": Text(
            "`test` staat testautoriteiten toe.",
            "`test` allows test authorities.",
        ),
        "language": Text("Taal van meldingen: nl of en.", "Language of messages: nl or en."),
    },
    "ListenConfig": {
        "host": Text(
            "Netwerkadres voor andere organisaties (mTLS).", "Network address for other organisations (mTLS)."
        ),
        "port": Text("Poort daarbij.", "Port that goes with it."),
        "socket": Text("Socket waarop eigen mensen vragen.", "Socket by which people of its own ask."),
    },
    "TlsConfig": {
        "certificate": Text(
            "Certificaat van dit knooppunt, met keten (PEM).",
            "Certificate of this node, with its chain (PEM).",
        ),
        "key": Text("Sleutel daarbij (PEM).", "Key that goes with it (PEM)."),
        "authorities": Text("Autoriteiten die het vertrouwt (PEM).", "Authorities it trusts (PEM)."),
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
        "url": Text("Adres van haar knooppunt.", "Address of its node."),
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
        "roles": Text("Rollen van deze persoon.", "Roles of this person."),
    },
    "LimitsConfig": {
        "question_seconds": Text("Seconden die één vraag mag duren.", "Seconds that one question may take."),
        "peer_seconds": Text("Seconden die één organisatie krijgt.", "Seconds that one organisation gets."),
        "combine_megabytes": Text(
            "Geheugen om antwoorden te koppelen (MB).", "Memory to combine answers (MB)."
        ),
    },
}
