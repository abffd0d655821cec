"""Portals and programs that sign people in here, as the settings name them: made for the node, and tried by `sluis check`."""

import msgspec

from sluis.config.model import ClientConfig
from sluis.identity.clients import Client, make_client
from sluis.kernel import Invalid, Text


def client_of(name: str, settings: ClientConfig) -> Client:
    """A client from its settings (`[clients.NAME]`), its file with keys read.

    Raises: Invalid, `client-keys-unreadable` or what `make_client` raises.
    """
    try:
        keys = None if settings.keys is None else settings.keys.read_bytes()
    except OSError:
        raise _unreadable(name, str(settings.keys)) from None
    return make_client(name, **{**msgspec.structs.asdict(settings), "keys": keys})


def _unreadable(name: str, file: str) -> Invalid:
    return Invalid(
        "client-keys-unreadable",
        Text(f"De sleutels van [clients.{name}] zijn niet te lezen.",
             f"The keys of [clients.{name}] cannot be read."),
        Text(f"De instellingen wijzen naar {file}.", f"The settings point to {file}."),
        Text("Zet daar de openbare sleutels (JWKS), of verander `keys`.",
             "Put the public keys (JWKS) there, or change `keys`."),
    )  # fmt: skip
