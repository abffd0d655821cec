"""`python -m sluis_demo.simulators`: the simulators over TLS, on this machine, for one test node, until Ctrl-C."""

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from sluis.cli.terminal import say
from sluis.crypto import browser_context, make_authority, open_authority
from sluis.kernel import PeerId
from sluis.store import write_durably
from sluis.web import BrowserListener, Server
from sluis_demo.simulators.app import make_simulators
from sluis_demo.simulators.settings import client_for, sign_in_settings

_NOBODY = PeerId("00000000000000000000")


@click.command(
    help=say(
        "Start nagemaakte inlogdiensten (DigiD, eHerkenning, medewerkers) voor een testknooppunt. Niemand daarin bestaat.",
        "Start make-believe sign-in services (DigiD, eHerkenning, staff) for a test node. Nobody in them exists.",
    )
)
@click.option(
    "--portal",
    required=True,
    help=say("Adres van de pagina's van het knooppunt.", "Address of the node's pages."),
)
@click.option(
    "--address", default="https://localhost:8490", show_default=True, help=say("Eigen adres.", "Own address.")
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/simulators"),
    show_default=True,
    help=say("Map voor certificaat en geheim.", "Folder for certificate and secret."),
)
def command(portal: str, address: str, home: Path) -> None:
    """Shows what to put in `node.toml`, and serves."""
    place = urlsplit(address)
    authority, secret = home / "authority.pem", home / "secret"
    issuing = open_authority(home) if authority.exists() else make_authority(home, "Sluis simulators")
    certificate, key = issuing.issue(
        home / "tls", _NOBODY, "Sluis simulators (fictief)", [place.hostname or ""]
    )
    if not secret.exists():
        write_durably(secret, secrets.token_urlsafe(32).encode())
    simulators = make_simulators(address, [client_for(portal, secret.read_text(encoding="ascii"))])
    click.echo(say("# Zet dit in node.toml:", "# Put this in node.toml:"))
    click.echo(sign_in_settings(address, secret.absolute(), authority.absolute()))

    async def serve() -> None:
        server = Server(simulators, browsers=True)
        await server.listen(
            BrowserListener("127.0.0.1", place.port or 443, browser_context(certificate, key))
        )
        click.echo(say(f"# De simulators draaien op {address}. Laat dit venster open; Ctrl-C stopt ze.",
                       f"# The simulators are at {address}. Leave this window open; Ctrl-C stops them."))  # fmt: skip
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    command()
