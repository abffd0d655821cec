"""One side of a gateway as a process of its own, to be killed: `python -m tests.gateway_node FOLDER inway|outway`.

The folder holds what `tests.gateways` made: certificates, and `node.json` with addresses and the contract. The token
that the owner's Manager would give is made with the owner's key, which lies beside it.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.gateways import ASKER, OWNER, SERVICE
from tests.unit.gateway.contracts.making import GROUP

from sluis.crypto import Identity, certificate_thumbprint, client_context, server_context
from sluis.gateway.contracts import Contracts, Signature, open_contracts, read_content
from sluis.gateway.forward import Target
from sluis.gateway.inway import Inway
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.planes.inprocess import InwayPlane, OutwayPlane
from sluis.gateway.services import Service, Services
from sluis.gateway.streams import Streams
from sluis.gateway.tokens import Tokens, issue
from sluis.gateway.transactions import TransactionLog, open_transactions
from sluis.kernel import utc_now
from sluis.store import open_store
from sluis.web import LoopbackListener, PeerListener, Server


async def main(folder: Path, role: str) -> None:
    given = json.loads((folder / "node.json").read_text())
    here = folder / ("asker" if role == "outway" else "owner")
    store = open_store(here / "node.db")
    contracts = open_contracts(store, ASKER if role == "outway" else OWNER, utc_now)
    read = read_content(given["content"].encode())
    for peer in (ASKER, OWNER):
        await contracts.add_signature(read, Signature(peer, "accept", "-", read.created_at, "-", 2**40))
    log = open_transactions(store, utc_now)
    await (_outway if role == "outway" else _inway)(folder, given, contracts, log)
    print("ready", flush=True)
    while os.getppid() == given["parent"]:  # noqa: ASYNC110 - not longer than the test, however that ends
        await asyncio.sleep(0.5)


def _identity(folder: Path, name: str) -> tuple[Identity, tuple[Path, Path]]:
    files = folder / name / "certificate.pem", folder / name / "key.pem"
    return Identity.load(*files), files


async def _inway(folder: Path, given: dict[str, Any], contracts: Contracts, log: TransactionLog) -> None:
    identity, files = _identity(folder, "owner")
    host, port = given["service"]
    services = Services([Service(SERVICE, Target(False, host, port, f"{host}:{port}"))])
    keys = {certificate_thumbprint(identity.certificate): identity.certificate}
    inway = Inway(OWNER, GROUP, [given["aud"]], lambda: keys, services, contracts.in_force, log, utc_now)
    context = server_context(*files, [folder / "authority" / "authority.pem"])
    await Server(InwayPlane(inway, Streams(), Meter()), streaming=True).listen(
        PeerListener(*given["inway"], context)
    )


async def _outway(folder: Path, given: dict[str, Any], contracts: Contracts, log: TransactionLog) -> None:
    identity, files = _identity(folder, "asker")
    owner, _ = _identity(folder, "owner")
    thumbprint = certificate_thumbprint(identity.certificate)

    async def fetch(grant: Any) -> str:
        return issue(grant, owner, GROUP, given["aud"], thumbprint, int(utc_now().timestamp()))

    shown, shown_as = (identity.certificate,), {thumbprint}
    tokens = Tokens(fetch, GROUP, lambda: shown_as, lambda: utc_now().timestamp())
    outway = Outway(ASKER, lambda: shown, contracts, given["links"], tokens, log, utc_now)
    context = client_context(*files, [folder / "authority" / "authority.pem"])
    await Server(OutwayPlane(outway, Streams(context), Meter()), streaming=True).listen(
        LoopbackListener(*given["outway"])
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
