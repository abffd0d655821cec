"""What every setting in `node.toml` means, in Dutch and English: for the published schema and the reference."""

from sluis.grounds import Words
from sluis.kernel import Text

WORDS: Words = {
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
    "ConsentsConfig": {
        "keep_days": Text(
            "Zoveel dagen na haar laatste dag bewaart het knooppunt een toestemming; wat ermee is gebeurd, blijft in het logboek.",
            "So many days after its last day the node keeps a consent; what happened to it stays in the log.",
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
    "FscConfig": {
        "group": Text(
            "Bestand met de regels van de groep; zonder is er geen FSC.",
            "File with the rules of the group; without it there is no FSC.",
        ),
        "plane": Text(
            "Wat verzoeken van inway en outway doorgeeft: dit proces zelf (`in-process`) of `nginx`.",
            "What passes the requests of inway and outway on: this process itself (`in-process`) or `nginx`.",
        ),
        "decision_point": Text(
            "Wie over contracten beslist waar geen regel op past: `own` is het beslispunt van dit knooppunt zelf, anders het "
            "adres van een AuthZEN-beslispunt.",
            "Who decides about contracts that no rule fits: `own` is the decision point of this node itself, else the "
            "address of an AuthZEN decision point.",
        ),
        "metrics_port": Text(
            "Poort op 127.0.0.1 voor metingen (Prometheus) en gezondheid; zonder zijn ze er niet.",
            "Port on 127.0.0.1 for metrics (Prometheus) and health; without it there are none.",
        ),
        "otlp": Text(
            "Adres van een OpenTelemetry-collector die elke minuut de metingen krijgt (OTLP over HTTP); zonder gaat er niets uit.",
            "Address of an OpenTelemetry collector that gets the metrics each minute (OTLP over HTTP); without it none are sent.",
        ),
        "auto_sign": Text(
            "Regels waarmee dit knooppunt zelf contracten tekent; één regel is genoeg.",
            "Rules by which this node signs contracts itself; one rule is enough.",
        ),
    },
    "AutoSign": {
        "name": Text("Naam van de regel, voor het logboek.", "Name of the rule, for the log."),
        "grants": Text("Soorten grants; leeg is alle vier.", "Types of grants; empty for all four."),
        "roles": Text(
            "Wat deze organisatie in de grant is: directory, service, outway of delegator.",
            "What this organisation is in the grant: directory, service, outway or delegator.",
        ),
        "peers": Text(
            "OIN's van wie er verder in mag staan; leeg is iedereen.",
            "OINs of who else may be in it; empty for anyone.",
        ),
        "services": Text("Namen van diensten; leeg is alle.", "Names of services; empty for all."),
        "properties": Text(
            "Per eigenschap de waarden die mogen; een andere eigenschap mag niet.",
            "The values that each property may have; no other property may be there.",
        ),
        "any_properties": Text("Laat eigenschappen zoals zij zijn.", "Let properties be as they are."),
        "by_domain_name": Text(
            "Neem ook een outway die aan een naam wordt herkend; dat is zwakker dan een sleutel.",
            "Take an outway that is known by a name too; that is weaker than a key.",
        ),
        "days": Text("Langer mag het contract niet duren.", "The contract may not last longer."),
    },
    "ManagerConfig": {
        "host": Text("Netwerkadres waarop hij luistert.", "Network address that it listens on."),
        "port": Text("Poort: 443 of 8443.", "Port: 443 or 8443."),
        "address": Text(
            "Adres waarop anderen hem bereiken; zonder is dat de naam uit `node.url` met deze poort.",
            "Address by which others reach it; without it, the name in `node.url` with this port.",
        ),
    },
    "InwayConfig": {
        "host": Text("Netwerkadres waarop hij luistert.", "Network address that it listens on."),
        "port": Text("Poort: 443 of 8443.", "Port: 443 or 8443."),
        "address": Text(
            "Adres waarop anderen hem bereiken; zonder is dat de naam uit `node.url` met deze poort.",
            "Address by which others reach it; without it, the name in `node.url` with this port.",
        ),
    },
    "OutwayConfig": {
        "host": Text(
            "Netwerkadres waarop eigen programma's hem bereiken, zonder TLS; houd het binnen deze machine.",
            "Network address by which programs of its own reach it, without TLS; keep it on this machine.",
        ),
        "port": Text("Poort daarbij.", "Port that goes with it."),
        "names": Text(
            "Namen waaronder programma's hem aanroepen, naast `localhost` en IP-adressen; onder een andere naam neemt hij niets aan.",
            "Names by which programs call it, beside `localhost` and IP addresses; by another name it takes nothing.",
        ),
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
    "PortalConfig": {
        "address": Text(
            "Adres waaronder mensen de pagina's kennen; zonder zijn er geen.",
            "Address by which people know the pages; without it there are none.",
        ),
        "host": Text("Adres waarop de pagina's luisteren.", "Address on which the pages listen."),
        "port": Text("Poort van de pagina's.", "Port of the pages."),
        "machine_port": Text(
            "Poort voor programma's die zich met een clientcertificaat bekendmaken (`tls_client_auth`); zonder is die er niet.",
            "Port for programs that show a client certificate (`tls_client_auth`); without it there is none.",
        ),
        "certificate": Text(
            "Certificaat van de pagina's, met keten (PEM); zonder is dat het certificaat van het knooppunt.",
            "Certificate of the pages, with its chain (PEM); without it, that of the node.",
        ),
        "key": Text("Sleutel daarbij (PEM).", "Its key (PEM)."),
        "theme": Text(
            "Stijl van de organisatie: een CSS-bestand met design tokens van NL Design System.",
            "Look of the organisation: a CSS file with design tokens of NL Design System.",
        ),
        "logo": Text("Logo van de organisatie: SVG of PNG.", "Logo of the organisation: SVG or PNG."),
    },
    "SignInConfig": {
        "issuer": Text("Adres van de OpenID-provider.", "Address of the OpenID provider."),
        "client": Text(
            "Naam waaronder dit knooppunt daar bekend is.", "Name by which this node is known there."
        ),
        "audience": Text(
            "Wie zo inlogt: burger (`citizen`), ondernemer (`company`) of medewerker (`staff`).",
            "Who signs in this way: `citizen`, `company` or `staff`.",
        ),
        "title": Text("Naam op de knop.", "Name on the button."),
        "scopes": Text("Scopes die worden gevraagd.", "Scopes that are asked for."),
        "secret_file": Text(
            "Bestand met het geheim, voor wie geen sleutels kent; zonder tekent dit knooppunt (`private_key_jwt`).",
            "File with the secret, for who knows no keys; without it this node signs (`private_key_jwt`).",
        ),
        "levels": Text(
            "Welk niveau bij welke `acr` hoort; de drie van eIDAS zijn bekend.",
            "Which level goes with which `acr`; the three of eIDAS are known.",
        ),
        "claims": Text(
            "In welke claim iets staat: `bsn`, `kvk`, `rsin`, `vestiging`, `person`, `name`, `intermediary`, `company`, `services`.",
            "In which claim something stands: `bsn`, `kvk`, `rsin`, `vestiging`, `person`, `name`, `intermediary`, `company`, `services`.",
        ),
        "hosts": Text(
            "Hosts die de provider ook gebruikt, naast die van `issuer` en wat daaronder valt.",
            "Hosts that the provider uses too, beside that of `issuer` and those below it.",
        ),
        "authorities": Text(
            "Autoriteiten die voor haar TLS-certificaat instaan (PEM); zonder die van het systeem.",
            "Authorities that vouch for its TLS certificate (PEM); without it, those of the system.",
        ),
    },
    "PasskeysConfig": {
        "level": Text(
            "Niveau dat een passkey hoogstens geeft; nooit meer dan waarmee hij is gemaakt.",
            "Level that a passkey gives at most; never more than it was made with.",
        ),
        "enrol": Text(
            "Niveau waarmee iemand moet zijn ingelogd om er een te maken.",
            "Level that somebody must have signed in with to make one.",
        ),
        "days": Text(
            "Dagen dat een passkey werkt nadat iemand op een andere manier inlogde.",
            "Days that a passkey works after somebody signed in in another way.",
        ),
    },
    "PassportConfig": {
        "issuers": Text("Uitgevers die worden geloofd, op naam.", "Issuers that are believed, by name."),
        "ways": Text("Manieren om ermee in te loggen, op naam.", "Ways of signing in with it, by name."),
        "certificate": Text(
            "Certificaat waarmee verzoeken aan wallets worden getekend, met keten (PEM); zonder is dat het certificaat van de pagina's.",
            "Certificate that requests to wallets are signed with, with its chain (PEM); without it, that of the pages.",
        ),
        "key": Text("Sleutel daarbij (PEM).", "Its key (PEM)."),
        "encrypted": Text(
            "Of alleen dit knooppunt het antwoord van een wallet kan lezen (JWE).",
            "Whether only this node can read a wallet's answer (JWE).",
        ),
        "wallet": Text(
            "Adres waarmee een wallet opent; zonder die op het apparaat zelf.",
            "Address that opens a wallet; without it, the one on the device itself.",
        ),
        "authorities": Text(
            "Autoriteiten die voor het TLS-certificaat van `status` instaan (PEM); zonder die van het systeem.",
            "Authorities that vouch for the TLS certificate of `status` (PEM); without it, those of the system.",
        ),
    },
    "PassportIssuerConfig": {
        "title": Text("Naam zoals mensen die kennen.", "Name as people know it."),
        "certificates": Text(
            "Certificaten waaronder hij tekent (PEM).", "Certificates under which it signs (PEM)."
        ),
        "types": Text("Soorten gegevens die hij mag uitgeven (`vct`).", "Types that it may issue (`vct`)."),
        "identifier": Text(
            "Wat in `iss` moet staan, als dat er moet staan.", "What `iss` must be, if it must."
        ),
        "status": Text(
            "Hosts met zijn lijsten van wat is ingetrokken (`https://…`); zonder trekt hij niets in.",
            "Hosts with its lists of what was revoked (`https://…`); without them it revokes nothing.",
        ),
    },
    "PassportWayConfig": {
        "title": Text("Naam op de knop.", "Name on the button."),
        "audience": Text(
            "Wie zo inlogt: burger (`citizen`) of ondernemer (`company`).",
            "Who signs in so: a citizen (`citizen`) or an entrepreneur (`company`).",
        ),
        "type": Text("Soort gegevens dat wordt gevraagd (`vct`).", "Type that is asked for (`vct`)."),
        "level": Text("Niveau dat het geeft.", "Level that it gives."),
        "why": Text("Waarvoor het nodig is, in gewone woorden.", "What it is needed for, in plain words."),
        "claims": Text(
            "In welke claims iets staat: `bsn` of `person`, `name`, `kvk`, `company`; met `given`, `surname` en `born` herkent het handelsregister een bestuurder; meer wordt niet gevraagd.",
            "In which claims something stands: `bsn` or `person`, `name`, `kvk`, `company`; by `given`, `surname` and `born` the trade register knows a director; nothing else is asked.",
        ),
    },
    "TrustConfig": {
        "issuer": Text(
            "Adres van de inlogvoorziening, letterlijk.", "Address of the sign-in provider, literally."
        ),
        "keys": Text("Bestand met haar openbare sleutels (JWKS).", "File with its public keys (JWKS)."),
        "level": Text(
            "Laagste niveau waarmee een betrokkene eigen logregels leest.",
            "Lowest level at which a data subject reads their own log lines.",
        ),
    },
    "ClientConfig": {
        "title": Text("Naam zoals mensen die zien.", "Name as people see it."),
        "redirect_uris": Text(
            "Waarheen na het inloggen, letterlijk.", "Where to go after signing in, literally."
        ),
        "sign_out_uris": Text(
            "Waarheen na het uitloggen, letterlijk.", "Where to go after signing out, literally."
        ),
        "sign_out_call": Text(
            "Adres dat hoort dat iemand uitlogde (back-channel).",
            "Address that is told that someone signed out (back-channel).",
        ),
        "keys": Text(
            "Bestand met de openbare sleutels (JWKS), voor `private_key_jwt`.",
            "File with the public keys (JWKS), for `private_key_jwt`.",
        ),
        "certificate_subject": Text(
            "Naam in het clientcertificaat (RFC 4514), voor `tls_client_auth`.",
            "Name in the client certificate (RFC 4514), for `tls_client_auth`.",
        ),
        "public": Text(
            "Een programma zonder geheim, zoals een app.", "A program without a secret, such as an app."
        ),
        "sector": Text(
            "Wie dezelfde pseudoniemen krijgt; zonder de host van de eerste redirect.",
            "Who gets the same pseudonyms; without it, the host of the first redirect.",
        ),
        "scopes": Text("Scopes die het mag vragen.", "Scopes that it may ask for."),
        "grants": Text("Hoe het aan tokens komt.", "How it gets tokens."),
        "audiences": Text("Voor wie het tokens mag vragen.", "For whom it may ask tokens."),
        "level": Text("Laagste niveau waarmee iemand inlogt.", "Lowest level at which somebody signs in."),
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
    "ContactConfig": {
        "quiet_from": Text(
            "Vanaf hoe laat niemand wordt gestoord (Nederlandse tijd).",
            "From what time nobody is disturbed (Dutch time).",
        ),
        "quiet_until": Text(
            "Tot hoe laat; twee keer dezelfde tijd is nooit.",
            "Until what time; the same time twice is never.",
        ),
        "templates": Text("Map met de sjablonen van berichten.", "Folder with the templates of messages."),
        "address_sql": Text(
            "Vraag die met `$bsn` de regels van een adres geeft (`line_1`, `line_2`, …); zonder gaan er geen brieven.",
            "Question that gives the lines of an address for `$bsn` (`line_1`, `line_2`, …); without it no letters go.",
        ),
        "address_activity": Text(
            "Verwerkingsactiviteit waaronder die vraag gaat.",
            "Processing activity under which that question is asked.",
        ),
        "company_address_sql": Text(
            "Dezelfde vraag voor een bedrijf, met `$kvk` of `$rsin`; zonder krijgen bedrijven geen brieven.",
            "The same question for a company, with `$kvk` or `$rsin`; without it companies get no letters.",
        ),
        "company_address_activity": Text(
            "Verwerkingsactiviteit waaronder die vraag gaat.",
            "Processing activity under which that question is asked.",
        ),
        "consulted": Text(
            "Wie bericht krijgt als gegevens over hen zijn opgevraagd: niemand (`off`), wie erom vroeg (`asked`), of ook wie hier bekend is (`known`).",
            "Who gets word when data about them was asked for: nobody (`off`), who asked for it (`asked`), or also who is known here (`known`).",
        ),
        "consulted_activity": Text(
            "Verwerkingsactiviteit waaronder dat bericht gaat.",
            "Processing activity under which that message goes.",
        ),
        "consulted_channels": Text(
            "Kanalen daarvoor, op volgorde; zonder: alle, behalve brieven.",
            "Channels for it, in order; without: all but letters.",
        ),
        "consulted_silent": Text(
            "Verwerkingsactiviteiten waarover geen bericht gaat; inzage door de betrokkene zelf staat er al bij.",
            "Processing activities of which no word is sent; inspection by the data subject is among them already.",
        ),
    },
    "ChannelConfig": {
        "kind": Text(
            "Soort: `smtp`, `notify-email`, `notify-sms`, `notify-letter`, `print` of `box`.",
            "Kind: `smtp`, `notify-email`, `notify-sms`, `notify-letter`, `print` or `box`.",
        ),
        "host": Text(
            "Mailserver, of server van de printstraat (SFTP).",
            "Mail server, or server of the print street (SFTP).",
        ),
        "port": Text("Poort daarvan.", "Its port."),
        "security": Text(
            "Hoe de verbinding met de mailserver is beveiligd; `none` mag alleen in een proefomgeving.",
            "How the connection to the mail server is encrypted; `none` only in a test environment.",
        ),
        "sender": Text("Adres waarvan e-mail komt.", "Address that e-mail comes from."),
        "returns": Text(
            "Adres waar e-mail terugkomt; achter de naam komt `+` en een nummer.",
            "Address that e-mail comes back to; after the name comes `+` and a number.",
        ),
        "maildir": Text("Maildir waarin dat aankomt.", "Maildir in which that arrives."),
        "user": Text("Gebruikersnaam.", "User name."),
        "secret_file": Text(
            "Bestand met het wachtwoord, de API-sleutel of het token.",
            "File with the password, the API key or the token.",
        ),
        "url": Text(
            "Adres van de dienst (Notify, berichtenbox).", "Address of the service (Notify, message box)."
        ),
        "template": Text(
            "Sjabloon bij Notify, met `((subject))` en `((body))`.",
            "Template at Notify, with `((subject))` and `((body))`.",
        ),
        "callback_file": Text(
            "Bestand met het geheim waarmee Notify terugmeldt; zonder vraagt het knooppunt het zelf.",
            "File with the secret by which Notify reports; without it the node asks by itself.",
        ),
        "folder": Text("Map van de printstraat.", "Folder of the print street."),
        "window": Text(
            "Kant van het venster in de enveloppen van de printstraat: `left` of `right`.",
            "Side of the window in the envelopes of the print street: `left` or `right`.",
        ),
        "return_address": Text(
            "Retouradres, op één regel boven het adres van een brief.",
            "Return address, on one line above the address of a letter.",
        ),
        "remote": Text("Map op de server van de printstraat.", "Folder on the server of the print street."),
        "key": Text(
            "Sleutel waarmee het knooppunt daar inlogt (SSH).",
            "Key with which the node signs in there (SSH).",
        ),
        "known_hosts": Text(
            "Sleutels waaraan die server te herkennen is.", "Keys by which that server is known."
        ),
        "authorities": Text(
            "Autoriteiten die voor het TLS-certificaat instaan (PEM); zonder die van het systeem.",
            "Authorities that vouch for the TLS certificate (PEM); without it, those of the system.",
        ),
        "seconds": Text("Seconden die één bericht mag duren.", "Seconds that one message may take."),
    },
    "PolicyConfig": {
        "directory": Text(
            "Map met Cedar-regels en hun proeven.", "Folder with Cedar policies and their tests."
        ),
    },
    "NotificatiesConfig": {
        "activity": Text(
            "Verwerkingsactiviteit waaronder notificaties gaan; nodig waar er toepassingen zijn.",
            "Processing activity under which notifications go; needed where there are applications.",
        ),
        "applications": Text(
            "Toepassingen van deze organisatie, op hun `client_id`.",
            "Applications of this organisation, by their `client_id`.",
        ),
    },
    "ApplicationConfig": {
        "title": Text("Naam zoals beheerders die kennen.", "Name as operators know it."),
        "secret_file": Text(
            "Bestand met het geheim waarmee zij haar JWT tekent; ten minste 32 tekens.",
            "File with the secret with which it signs its JWT; at least 32 characters.",
        ),
        "scopes": Text(
            "Wat zij mag: `notificaties.publiceren`, `notificaties.consumeren`.",
            "What it may do: `notificaties.publiceren`, `notificaties.consumeren`.",
        ),
        "callbacks": Text(
            "Adressen waaronder zij notificaties mag ontvangen; elk eindigt op `/`.",
            "Addresses below which it may receive notifications; each ends with `/`.",
        ),
    },
    "EventsConfig": {
        "inside": Text(
            "Netwerken binnen de organisatie waar webhooks mogen komen; zonder geen enkel.",
            "Networks inside the organisation that webhooks may reach; without it none.",
        ),
        "authorities": Text(
            "Autoriteiten (PEM) van webhooks; zonder die van het systeem.",
            "Authorities (PEM) of webhooks; without it those of the system.",
        ),
        "interest_days": Text(
            "Hoeveel dagen vooruit een afnemersindicatie mag gelden.",
            "For how many days ahead an interest may hold.",
        ),
        "interests_each": Text(
            "Hoeveel afnemersindicaties één kennisgeving mag hebben.",
            "How many interests one notice may have.",
        ),
        "nats": Text(
            "Server van NATS die processen wekt die gebeurtenissen versturen (`nats://` of `tls://`); zonder kijken zij steeds zelf.",
            "NATS server that wakes processes that send events (`nats://` or `tls://`); without it they keep looking themselves.",
        ),
        "nats_authorities": Text(
            "Autoriteiten (PEM) van die server; zonder die van het systeem.",
            "Authorities (PEM) of that server; without it those of the system.",
        ),
        "nats_certificate": Text(
            "Certificaat waarmee dit knooppunt zich daar laat kennen (PEM).",
            "Certificate by which this node makes itself known there (PEM).",
        ),
        "nats_key": Text(
            "De sleutel van dat certificaat (PEM).",
            "The key of that certificate (PEM).",
        ),
        "nats_secret": Text(
            "Bestand met `naam:wachtwoord`, of een token, voor die server.",
            "File with `name:password`, or a token, for that server.",
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
    "Group": {
        "id": Text("Naam van de groep, zoals in contracten.", "Name of the group, as in contracts."),
        "anchors": Text(
            "Autoriteiten die de groep vertrouwt (PEM).", "Authorities that the group trusts (PEM)."
        ),
        "directory": Text("Waar iedereen zich aanmeldt.", "Where everyone announces itself."),
        "peer_id": Text("Deel van het certificaat met het OIN.", "Part of the certificate with the OIN."),
        "peer_name": Text("Deel van het certificaat met de naam.", "Part of the certificate with the name."),
        "tls": Text("Oudste versie van TLS.", "Oldest version of TLS."),
        "ports": Text("Poorten waarop een Manager mag luisteren.", "Ports on which a Manager may listen."),
    },
    "Directory": {
        "peer": Text(
            "OIN van de organisatie die de directory heeft.", "OIN of the peer that keeps the directory."
        ),
        "address": Text("Adres van haar Manager.", "Address of its Manager."),
    },
}
