"""One side of a pair to measure: an inway or an outway, with its store, contracts, transaction log and data plane.

    python bench/_gateway_node.py inway|outway PLANE SETTINGS

`SETTINGS` is a JSON file that `_gateway.our_pair` writes. Prints the words "ready" once it listens. The token endpoint
stands outside of what is measured: the outway is handed tokens that the provider's key signed.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from sluis.crypto import Identity, certificate_thumbprint, read_certificates
from sluis.gateway.contracts import (
    Contracts,
    Grant,
    check_signature,
    open_contracts,
    read_content,
    sign,
)
from sluis.gateway.forward import Target
from sluis.gateway.inway import Inway
from sluis.gateway.outway import Outway
from sluis.gateway.planes.nginx import Files, Listen, NginxPlane
from sluis.gateway.services import Service, Services
from sluis.gateway.tokens import Tokens, issue
from sluis.gateway.transactions import open_transactions
from sluis.kernel import PeerId, utc_now
from sluis.store import open_store

GROUP = "meting"


async def main(side: str, plane: str, settings: dict[str, Any]) -> None:
    folder = Path(settings["folder"]) / side
    store = open_store(folder / "node.db")
    log, contracts = open_transactions(store, utc_now), open_contracts(store, _peer(settings, side), utc_now)
    await _agree(contracts, settings)
    make = _inway if side == "inway" else _outway
    running = await make(plane, folder, settings, contracts, log)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print("ready", flush=True)
    await ended.wait()
    await running.stop()
    store.close()


async def _agree(contracts: Contracts, settings: dict[str, Any]) -> None:
    """The contract that both have signed."""
    content = read_content(settings["content"].encode())
    anchors = read_certificates(Path(settings["anchor"]))
    for side in ("inway", "outway"):
        identity = _identity(settings, side)
        signed = sign(identity, content.hash, "accept", content.created_at)
        signature = check_signature(
            signed, content, "accept", identity.peer.id, identity.chain, anchors, utc_now()
        )
        await contracts.add_signature(content, signature)


async def _inway(plane: str, folder: Path, settings: dict[str, Any], contracts: Contracts, log: Any) -> Any:
    identity = _identity(settings, "inway")
    keys = {certificate_thumbprint(identity.certificate): identity.certificate}
    service = Service(
        settings["service"], Target(False, "127.0.0.1", settings["to"], f"127.0.0.1:{settings['to']}")
    )
    inway = Inway(
        identity.peer.id, GROUP, [settings["address"]], lambda: keys, Services([service]), contracts.in_force,
        log, utc_now,
    )  # fmt: skip
    listen = Listen("127.0.0.1", settings["inway_port"])
    running = NginxPlane(
        folder / "nginx", _files(settings, "inway"), inway=(listen, inway), resolve=_resolve, workers=1
    )
    await running.start()
    return running


async def _outway(plane: str, folder: Path, settings: dict[str, Any], contracts: Contracts, log: Any) -> Any:
    identity, provider = _identity(settings, "outway"), _identity(settings, "inway")
    thumbprint = certificate_thumbprint(identity.certificate)

    async def fetch(grant: Grant) -> str:
        return issue(grant, provider, GROUP, settings["address"], thumbprint, int(utc_now().timestamp()))

    tokens = Tokens(fetch, GROUP, lambda: thumbprint, lambda: utc_now().timestamp())
    outway = Outway(identity.peer.id, lambda: identity.certificate, contracts, {}, tokens, log, utc_now)
    listen = Listen("127.0.0.1", settings["outway_port"])
    running = NginxPlane(
        folder / "nginx", _files(settings, "outway"), outway=(listen, outway), resolve=_resolve, workers=1
    )
    await running.start()
    return running


async def _resolve(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def _peer(settings: dict[str, Any], side: str) -> PeerId:
    return PeerId(settings["peers"][side])


def _identity(settings: dict[str, Any], side: str) -> Identity:
    return Identity.load(*(Path(file) for file in settings["files"][side]))


def _files(settings: dict[str, Any], side: str) -> Files:
    certificate, key = (Path(file) for file in settings["files"][side])
    return Files(certificate, key, [Path(settings["anchor"])])


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
