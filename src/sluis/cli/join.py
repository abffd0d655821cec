"""`sluis join GROUP`: this node becomes a peer of an FSC group, as far as can be done today.

Everything is looked at before anything is written. Then every file is written whole, and `node.toml` last: what a crash
leaves is a node that works as it did, and the same command goes on from there. A second time changes nothing. As long
as the authority has not sent the certificate, the settings stay as they were.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sluis.cli.joining import (
    CERTIFICATE,
    FOLDER,
    KEY,
    REQUEST,
    RULES,
    Joining,
    Wish,
    address_changes,
    certificate_of,
    in_order,
    joining_of,
    keep_request,
    keep_rules,
    publish,
    tls_changes,
)
from sluis.cli.options import example, node_option, settings
from sluis.cli.terminal import say
from sluis.config import NODE_FILE, Config, examine_node
from sluis.grounds import refuse_any

OPERATOR = "fsc-admin"
"""The role of whoever may look and sign."""


@click.command(
    "join",
    help=say(
        "Maak het knooppunt lid van een FSC-groep. GROUP is het bestand met de regels van de groep, of de map daarmee."
        " Een tweede keer verandert niets.",
        "Make the node a peer of an FSC group. GROUP is the file with the group's rules, or its directory."
        " A second time changes nothing.",
    ),
    epilog=example("sluis join groep --node /etc/sluis --manager https://fsc.gemeente.example:8443"),
)
@click.argument("group", type=click.Path(path_type=Path))
@click.option(
    "--manager",
    metavar="URL",
    help=say("Adres waarop anderen uw Manager bereiken.", "Address by which others reach your Manager."),
)
@click.option(
    "--inway",
    metavar="URL",
    help=say("Adres waarop anderen uw inway bereiken.", "Address by which others reach your inway."),
)
@click.option(
    "--host",
    help=say("Netwerkadres waarop Manager en inway luisteren.", "Network address for Manager and inway."),
)
@click.option(
    "--rsa",
    is_flag=True,
    help=say("Maak een RSA-sleutel, zoals PKIoverheid vraagt.", "Make an RSA key, as PKIoverheid asks."),
)
@click.option(
    "--authority",
    type=click.Path(path_type=Path),
    help=say("Map met de testautoriteit van de groep: het certificaat komt meteen.",
             "Directory of the group's test authority: the certificate comes at once."),
)  # fmt: skip
@node_option
def command(group: Path, directory: Path, **wished: Any) -> None:
    """Exit code 0 too when the certificate is still to come: then it says what to do."""
    wish, directory = Wish(**wished), directory.absolute()
    held = settings(directory)
    refuse_any([one for one in examine_node(directory) if one.code != "missing-file"])
    joining = joining_of(directory, held, group, wish)
    changes = address_changes(directory, wish) | {("fsc", "group"): f"{FOLDER}/{RULES}"}
    in_order(directory, changes)  # so that what is wrong is told before anything is written
    identity = certificate_of(joining, held)
    written = keep_rules(joining)
    if identity is None:
        written += keep_request(joining, wish)
        identity = certificate_of(joining, held)
    if identity is None:
        click.echo("\n".join(_request_told(joining, bool(written), wish)))
        return
    if publish(directory, changes | tls_changes(joining, held, identity)):
        written.append(NODE_FILE)
    refuse_any(list(examine_node(directory)))
    click.echo("\n".join(_done(joining, held, written)))


def _runs(config: Config) -> bool:
    """Whether the node listens on its socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(config.listen.socket))
        except OSError:
            return False
    return True


def _request_told(joining: Joining, new: bool, wish: Wish) -> Iterator[str]:
    folder = joining.folder
    if new:
        yield say(f"De regels van groep {joining.group.id} staan in {folder}.",
                  f"The rules of group {joining.group.id} are in {folder}.")  # fmt: skip
        yield say(f"Uw geheime sleutel is {folder / KEY}. Geef haar aan niemand.",
                  f"Your secret key is {folder / KEY}. Give it to nobody.")  # fmt: skip
    else:
        yield say("Er is niets veranderd: het certificaat is er nog niet.",
                  "Nothing changed: the certificate is not there yet.")  # fmt: skip
    yield say("Wat u nu doet:", "What to do now:")
    yield say(f"  1. Vraag een certificaat aan met {folder / REQUEST}. Daar staat niets geheims in.",
              f"  1. Request a certificate with {folder / REQUEST}. It holds no secret.")  # fmt: skip
    yield say("     Werkt de groep met PKIoverheid? Lever het bestand in bij uw leverancier van PKIoverheid-certificaten.",
              "     Does the group use PKIoverheid? Hand the file to your supplier of PKIoverheid certificates.")  # fmt: skip
    yield say("     Heeft de groep een eigen autoriteit? Stuur het aan de beheerder van de groep.",
              "     Has the group an authority of its own? Send it to whoever runs the group.")  # fmt: skip
    yield say(f"  2. Zet wat u terugkrijgt in {folder / CERTIFICATE}: uw certificaat eerst, dan de tussencertificaten.",
              f"  2. Put what comes back in {folder / CERTIFICATE}: your certificate first, then intermediates.")  # fmt: skip
    yield say("  3. Geef deze opdracht nog een keer.", "  3. Give this command once more.")
    if joining.config.node.test and wish.authority is None:
        yield say("Is het een testgroep, en hebt u haar autoriteit? Geef dan --authority MAP.",
                  "Is it a test group, and do you have its authority? Then give --authority DIR.")  # fmt: skip


def _done(joining: Joining, held: Config, written: list[str]) -> Iterator[str]:
    directory, runs = joining.directory, _runs(held)
    if written:
        yield say(f"Dit knooppunt is lid van groep {joining.group.id}.",
                  f"This node is a peer of group {joining.group.id}.")  # fmt: skip
        yield say(f"Geschreven: {', '.join(written)}.", f"Written: {', '.join(written)}.")
    else:
        yield say(f"Dit knooppunt is al lid van groep {joining.group.id}; niets veranderd.",
                  f"This node is a peer of group {joining.group.id} already; nothing changed.")  # fmt: skip
    if not any(OPERATOR in person.roles for person in held.people.values()):
        yield say(f"Niemand mag de groep nog bekijken en tekenen: geef in node.toml iemand onder [people] de rol `{OPERATOR}`.",
                  f"Nobody may look and sign in the group yet: in node.toml give somebody under [people] the role `{OPERATOR}`.")  # fmt: skip
    if runs and written:
        yield say("Het knooppunt draait nu, nog zonder de groep: stop het en start het opnieuw.",
                  "The node is running, without the group as yet: stop it and start it again.")  # fmt: skip
    if written or not runs:
        yield say(f"Start het met: sluis serve --node {directory}",
                  f"Start it with: sluis serve --node {directory}")  # fmt: skip
    yield say(f"Zie daarna wie er in de groep zit: sluis fsc peers --node {directory}",
              f"Then see who is in the group: sluis fsc peers --node {directory}")  # fmt: skip
