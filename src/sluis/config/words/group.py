"""What settings mean, in Dutch and English: the FSC group and the gateway of the node."""

from sluis.grounds import Words
from sluis.kernel import Text

GROUP: Words = {
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
