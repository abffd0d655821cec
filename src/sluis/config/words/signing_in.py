"""What settings mean, in Dutch and English: pages and signing in: ways to do so, passkeys, wallets, who is believed, and programs that sign people in here."""

from sluis.grounds import Words
from sluis.kernel import Text

SIGNING_IN: Words = {
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
}
