"""What can keep nginx from running, as its operator is told."""

from sluis.kernel import Conflict, Invalid, Text


def refused(said: str) -> Invalid:
    """nginx does not take a configuration; `said` is its first line about it."""
    cause = said[:500] or "nginx -t"
    return Invalid(
        "nginx-refused",
        Text("nginx neemt de instellingen niet aan.", "nginx does not take the configuration."),
        Text(f"Het zegt: {cause}", f"It says: {cause}"),
        Text("Controleer certificaten, sleutel, ankers, poorten en CRL.",
             "Check certificates, key, anchors, ports and CRL."),
    )  # fmt: skip


def no_folder(failure: OSError) -> Invalid:
    """The folder that nginx works in cannot be used."""
    cause = failure.strerror or "?"
    return Invalid(
        "nginx-folder",
        Text("De gateway kan niet starten met nginx.", "The gateway cannot start with nginx."),
        Text(f"De map waarin nginx werkt, is niet te gebruiken: {cause}.",
             f"The folder that nginx works in cannot be used: {cause}."),
        Text("Controleer de rechten van de map waarin de socket van het knooppunt staat.",
             "Check the permissions of the folder that has the node's socket."),
    )  # fmt: skip


def not_installed() -> Invalid:
    """There is no nginx on this machine."""
    return Invalid(
        "no-nginx",
        Text("De gateway kan niet starten met nginx.", "The gateway cannot start with nginx."),
        Text("Het programma nginx is er niet.", "The program nginx is not there."),
        Text("Installeer het (Debian: `apt install nginx-light`), of zet `plane` onder `[fsc]` op `in-process`.",
             "Install it (Debian: `apt install nginx-light`), or set `plane` under `[fsc]` to `in-process`."),
    )  # fmt: skip


def not_up(said: str) -> Conflict:
    """nginx does not come up; `said` is the last grave thing it said."""
    told = Text(f" Het zegt: {said[:300]}", f" It says: {said[:300]}") if said else Text("", "")
    return Conflict(
        "nginx-not-up",
        Text("nginx luistert niet.", "nginx does not listen."),
        Text(f"Misschien is een poort bezet, of mag dit knooppunt er niet op luisteren.{told.nl}",
             f"A port may be in use, or this node may not listen on it.{told.en}"),
        Text("Kijk in het logboek van dit proces wat nginx zegt, en kies zo nodig een andere poort.",
             "See in the log what nginx says, and choose another port if need be."),
    )  # fmt: skip
