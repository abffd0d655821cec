"""How a test node and the simulators know each other: the node as a client, and what its `node.toml` says of them."""

from pathlib import Path
from typing import Any

from sluis.grounds import render_tables
from sluis_demo.simulators.app import BASE, issuer_of
from sluis_demo.simulators.model import CITIZEN, Client, Simulator
from sluis_demo.simulators.personas import ALL, DIGID, EHERKENNING, LEVELS, OFFICIALS, STAFF

CLIENT = "sluis"
"""What a node is called at the simulators."""


def client_for(portal: str, secret: str | None, name: str = CLIENT) -> Client:
    """A node as the simulators know it.

    Args:
        portal: the address of its pages.
        secret: that it shares with the simulators.
        name: what it is called there.
    """
    portal = portal.rstrip("/")
    return Client(
        id=name,
        redirect_uris=tuple(f"{portal}/sign-in/at/{kind}/return" for kind in (one.kind for one in ALL)),
        sign_out_uris=(f"{portal}/sign-out",),
        secret=secret,
    )


def sign_in_tables(
    address: str, secret_file: Path | None, authority: Path, name: str = CLIENT
) -> dict[str, dict[str, Any]]:
    """The tables of `[signin]` by name, for all simulators.

    Args:
        address: of the simulators.
        secret_file: with the secret; None when the node signs.
        authority: that issued their certificate.
        name: what the node is called there.
    """

    def table(simulator: Simulator, audience: str, claims: dict[str, str]) -> dict[str, Any]:
        return {
            "issuer": issuer_of(address, simulator),
            "client": name,
            "audience": audience,
            "title": f"{simulator.title} (simulator)",
            "authorities": [str(authority)],
            **({"secret_file": str(secret_file)} if secret_file is not None else {}),
            "levels": LEVELS[simulator.kind],
            "claims": claims,
        }

    return {
        DIGID.kind: table(DIGID, "citizen", {"bsn": "bsn", "name": "name"}),
        EHERKENNING.kind: table(
            EHERKENNING, "company", {"vestiging": "vestiging", "services": "services", "name": "name"}
        ),
        STAFF.kind: table(STAFF, "staff", {"person": str(STAFF.tells), "name": "name"}),
    }


def people_tables() -> dict[str, dict[str, Any]]:
    """The tables of `[people]` by name: the staff of the simulated directory."""
    return {
        name: {"signin": f"{STAFF.kind}:{persona.number}", "roles": list(roles)}
        for name, (persona, roles) in OFFICIALS.items()
    }


def passport_tables(address: str, issuers: Path, authority: Path) -> dict[str, Any]:
    """The tables of `[passport]`, for the simulated wallet and issuer.

    Args:
        address: of both.
        issuers: the test authority that issued the certificate of the issuer.
        authority: the one that issued their TLS certificate.
    """
    return {
        "wallet": f"{address}{BASE}/wallet",
        "authorities": [str(authority)],
        "issuers": {
            "simulator": {
                "title": "Uitgever (simulator)",
                "certificates": [str(issuers)],
                "types": [CITIZEN],
                "status": [address],
            }
        },
        "ways": {
            "paspoort": {
                "title": "Digitaal paspoort (simulator)",
                "audience": "citizen",
                "type": CITIZEN,
                "level": "high",
                "why": "Om u te laten inloggen en te weten wie u bent.",
                "claims": {"bsn": ["bsn"], "name": ["given_name", "family_name"]},
            }
        },
    }


def sign_in_settings(address: str, secret_file: Path | None, authority: Path) -> str:
    """The same as text for `node.toml`."""
    tables = sign_in_tables(address, secret_file, authority)
    return render_tables({"signin": tables, "people": people_tables()})
