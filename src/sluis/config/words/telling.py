"""What settings mean, in Dutch and English: messages to people and events to organisations."""

from sluis.grounds import Words
from sluis.kernel import Text

TELLING: Words = {
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
}
