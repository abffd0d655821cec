"""`kill -9` of the product while contracts travel and while bodies stream: what it acknowledged is kept, nothing is doubled,
and what a service saw has its line."""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fsc.authority import Authority
from tests.fsc.conftest import next_oin
from tests.fsc.jcs import content_hash
from tests.fsc.meeting import body, consuming, introduced, providing
from tests.fsc.papers import Json, connection, content, uuid7
from tests.fsc.peer import Peer
from tests.fsc.product_process import ProductProcess
from tests.fsc.wire import BadMessage, Request, Response, until

pytestmark = [pytest.mark.fsc, pytest.mark.prove]
CHANCE = random.Random(20260101)  # the same moments in every run


@pytest.fixture
def mortal(authority: Authority, tmp_path: Path) -> Iterator[ProductProcess]:
    """The product in a process that may be killed."""
    with ProductProcess(authority, tmp_path / "product", next_oin(), "Ministerie van Verzinsels") as mortal:
        yield mortal


def listing(peer: Peer, product: ProductProcess) -> dict[str, Json]:
    """All contracts the product shows this peer, by hash; none may come twice."""
    rows = body(peer.ask("GET", product.manager_address + "/v1/contracts?limit=1000"))["contracts"]
    hashes = [content_hash(row["content"]) for row in rows]
    assert max(Counter(hashes).values(), default=1) == 1
    return dict(zip(hashes, rows, strict=True))


def test_no_contract_is_lost_or_doubled_when_the_proposer_is_killed(
    peer: Peer, mortal: ProductProcess
) -> None:
    introduced(peer, mortal)  # type: ignore[arg-type]
    peer.accepts = lambda _: True
    grant = connection(mortal.id, mortal.outway_thumbprint, peer.id, "echo")
    acknowledged: list[str] = []
    for _ in range(4):
        proposer = threading.Thread(target=_propose, args=(mortal, grant, acknowledged))
        proposer.start()
        time.sleep(0.1 + CHANCE.random() * 0.4)
        mortal.kill()
        proposer.join()
        mortal.start()
    assert len(acknowledged) > 4
    known = until(
        lambda: _all_valid(peer, mortal, acknowledged), "all that was acknowledged is valid at both", 60
    )
    assert known.keys() == peer.contracts.keys()
    assert len({row["content"]["iv"] for row in known.values()}) == len(known)


def _propose(product: ProductProcess, grant: Json, acknowledged: list[str]) -> None:
    """Propose until it is dead."""
    with contextlib.suppress(EOFError):
        while True:
            acknowledged.append(content_hash(product.propose(content(product.group, grant))))


def _all_valid(peer: Peer, product: ProductProcess, wanted: list[str]) -> dict[str, Json] | None:
    known = listing(peer, product)
    here = {hash_ for hash_, one in list(peer.contracts.items()) if one.state() == "valid"}
    there = {hash_ for hash_, row in known.items() if len(row["signatures"]["accept"]) == 2}
    if not set(wanted) <= here or here != there or there != known.keys():
        product.reconcile()
        return None
    return known


def test_a_contract_the_product_took_in_survives_its_death(peer: Peer, mortal: ProductProcess) -> None:
    """201 means kept: whatever the moment of death, what was answered 201 is there afterwards."""
    introduced(peer, mortal)  # type: ignore[arg-type]
    taken: list[str] = []
    for _ in range(3):
        offering = threading.Thread(target=_offer, args=(peer, mortal, taken))
        offering.start()
        time.sleep(0.15 + CHANCE.random() * 0.3)
        mortal.kill()
        offering.join()
        mortal.start()
    assert len(taken) > 3
    assert set(taken) <= listing(peer, mortal).keys()


def _offer(peer: Peer, product: ProductProcess, taken: list[str]) -> None:
    """Offer contracts until nobody answers."""
    grant = connection(peer.id, peer.outway_identity.public_key_thumbprint, product.id, "echo")
    with contextlib.suppress(OSError, EOFError, BadMessage):
        while True:
            found = content(product.group, grant)
            assert peer.submit(found, product.manager_address).status == 201
            taken.append(content_hash(found))


def lines(peer: Peer, product: ProductProcess) -> Counter[tuple[str, str]]:
    """Transaction and direction of every line in which the peer occurs."""
    found: Counter[tuple[str, str]] = Counter()
    cursor = ""
    while True:
        page = body(peer.ask("GET", f"{product.manager_address}/v1/logs?limit=1000&cursor={cursor}"))
        found.update((one["transaction_id"], one["direction"]) for one in page["records"])
        cursor = page["pagination"]["next_cursor"]
        if not cursor:
            return found


def test_what_left_the_outway_before_it_died_has_its_line(peer: Peer, mortal: ProductProcess) -> None:
    _, grant = providing(mortal, peer)  # type: ignore[arg-type]
    for _ in range(3):
        callers = [threading.Thread(target=_call, args=(mortal, grant)) for _ in range(4)]
        for caller in callers:
            caller.start()
        time.sleep(0.3 + CHANCE.random() * 0.3)
        mortal.kill()
        for caller in callers:
            caller.join()
        mortal.start()
    arrived = [str(request.header("Fsc-Transaction-Id")) for request in peer.inway.script.seen]
    assert len(arrived) > 10
    kept = lines(peer, mortal)
    assert [one for one in arrived if kept[one, "DIRECTION_OUTGOING"] != 1] == []


def _call(product: ProductProcess, grant: str) -> None:
    """Call until nobody answers."""
    with contextlib.suppress(OSError, EOFError, BadMessage):
        while True:
            product.app("GET", "/", [("Fsc-Grant-Hash", grant)], None)


def test_what_an_inway_answered_before_it_died_has_its_line(peer: Peer, mortal: ProductProcess) -> None:
    _, grant = consuming(peer, mortal)  # type: ignore[arg-type]
    answered: list[str] = []
    for _ in range(3):
        token = peer.outway.access(grant, mortal.manager_address)
        callers = [threading.Thread(target=_send, args=(peer, token, answered)) for _ in range(4)]
        for caller in callers:
            caller.start()
        time.sleep(0.3 + CHANCE.random() * 0.3)
        mortal.kill()
        for caller in callers:
            caller.join()
        mortal.start()
    assert len(answered) > 10
    kept = lines(peer, mortal)
    assert [one for one in answered if kept[one, "DIRECTION_INCOMING"] != 1] == []


def _send(peer: Peer, token: str, answered: list[str]) -> None:
    with contextlib.suppress(OSError, EOFError, BadMessage):
        while True:
            id_ = uuid7()
            assert peer.outway.send(token, transaction=id_).status == 200
            answered.append(id_)


def test_a_body_that_streams_through_a_dying_outway_is_seen_to_be_cut(
    peer: Peer, mortal: ProductProcess
) -> None:
    _, grant = providing(mortal, peer)  # type: ignore[arg-type]
    began = threading.Event()

    def long(request: Request) -> Response:
        began.set()
        return Response(200, [], b"x" * 20_000_000)

    peer.services["echo"] = long
    outcome: list[object] = []

    def read() -> None:
        try:
            outcome.append(len(mortal.app("GET", "/", [("Fsc-Grant-Hash", grant)], None).body))
        except (OSError, EOFError) as error:
            outcome.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert began.wait(10)
    mortal.kill()
    reader.join()
    assert outcome[0] == 20_000_000 or isinstance(outcome[0], Exception), outcome
    mortal.start()
    peer.services["echo"] = lambda _: Response(200, [], b"weer")
    assert mortal.app("GET", "/", [("Fsc-Grant-Hash", grant)], None).body == b"weer"
    (line,) = [
        one for one in lines(peer, mortal) if one[0] == peer.inway.script.seen[0].header("Fsc-Transaction-Id")
    ]
    assert json.dumps(line)
