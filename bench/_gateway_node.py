"""One side of a pair to measure: an inway or an outway, with its store, contracts, transaction log and data plane.

    python bench/_gateway_node.py inway|outway PLANE SETTINGS

`SETTINGS` is a JSON file that `_gateway.our_pair` writes. The token endpoint
stands outside of what is measured: the outway is handed tokens that the provider's key signed.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from _servers import HOST
from sluis.crypto import Identity, certificate_thumbprint, client_context, read_certificates, server_context
from sluis.gateway.contracts import Contracts, Grant, check_signature, open_contracts, read_content, sign
from sluis.gateway.forward import Target
from sluis.gateway.inway import Inway
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.planes.inprocess import InwayPlane, OutwayPlane
from sluis.gateway.planes.nginx import NginxPlane
from sluis.gateway.planes.nginx_layout import Listen
from sluis.gateway.planes.nginx_process import Files
from sluis.gateway.services import Service, Services
from sluis.gateway.streams import Streams
from sluis.gateway.tokens import Tokens, issue
from sluis.gateway.transactions import open_transactions
from sluis.kernel import PeerId, utc_now
from sluis.store import open_store
from sluis.web import LoopbackListener, PeerListener, Server

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
    identity, port = _identity(settings, "inway"), settings["inway_port"]
    keys = {certificate_thumbprint(identity.certificate): identity.certificate}
    to = Target(False, HOST, settings["to"], f"{HOST}:{settings['to']}")
    inway = Inway(
        identity.peer.id, GROUP, [settings["address"]], lambda: keys, Services([Service(settings["service"], to)]),
        contracts.in_force, log, utc_now,
    )  # fmt: skip
    files = _files(settings, "inway")
    if plane == "inprocess":
        context = server_context(*settings["files"]["inway"], files.authorities)
        listener = PeerListener(HOST, port, context)
        return await _listening(InwayPlane(inway, Streams(), Meter()), listener)
    return await _started(NginxPlane(folder / "nginx", files, inway=(Listen(HOST, port), inway), workers=1))


async def _outway(plane: str, folder: Path, settings: dict[str, Any], contracts: Contracts, log: Any) -> Any:
    identity, provider, port = (
        _identity(settings, "outway"),
        _identity(settings, "inway"),
        settings["outway_port"],
    )
    thumbprint = certificate_thumbprint(identity.certificate)

    async def fetch(grant: Grant) -> str:
        return issue(grant, provider, GROUP, settings["address"], thumbprint, int(utc_now().timestamp()))

    shown, shown_as = (identity.certificate,), {thumbprint}
    tokens = Tokens(fetch, GROUP, lambda: shown_as, lambda: utc_now().timestamp())
    outway = Outway(identity.peer.id, lambda: shown, contracts, {}, tokens, log, utc_now)
    files = _files(settings, "outway")
    if plane == "inprocess":
        streams = Streams(client_context(*settings["files"]["outway"], files.authorities))
        return await _listening(OutwayPlane(outway, streams, Meter()), LoopbackListener(HOST, port))
    return await _started(NginxPlane(folder / "nginx", files, outway=(Listen(HOST, port), outway), workers=1))


async def _listening(app: Any, listener: PeerListener | LoopbackListener) -> Server:
    server = Server(app, streaming=True)
    await server.listen(listener)
    return server


async def _started(plane: NginxPlane) -> NginxPlane:
    await plane.start()
    return plane


def _peer(settings: dict[str, Any], side: str) -> PeerId:
    return PeerId(settings["peers"][side])


def _identity(settings: dict[str, Any], side: str) -> Identity:
    return Identity.load(*(Path(file) for file in settings["files"][side]))


def _files(settings: dict[str, Any], side: str) -> Files:
    return Files(_identity(settings, side), [Path(settings["anchor"])])


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
