"""Core 2.0.0 sections 4.2.1.1, 4.2.1.2, 4.4.1.8 and 4.5: the product as directory, and as one that publishes."""

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.fsc.authority import Authority
from tests.fsc.conftest import next_oin
from tests.fsc.meeting import body, introduced, refused, turned_down, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import Json, content, publication
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import until

pytestmark = pytest.mark.fsc


def services(peer: Peer, directory: Product, query: str = "") -> list[Json]:
    """What the directory lists."""
    answer = peer.ask("GET", f"{directory.manager_address}/v1/services{query}")
    assert answer.status == 200, answer.body
    return [one["data"] for one in body(answer)["services"]]


def published(peer: Peer, directory: Product, name: str, *others: Peer, **more: object) -> str:
    """Publish a service of the peer; the directory signs by itself. The hash of the contract."""
    introduced(peer, directory)
    for other in others:
        introduced(other, directory)
        other.accepts = lambda _: True
        peer.known[other.id] = (other.name, other.manager_address)
        other.known[peer.id] = (peer.name, peer.manager_address)
    contract = peer.propose(content(directory.group, publication(directory.id, peer.id, name, **more)))  # type: ignore[arg-type]
    until(lambda: contract.state() == "valid", "the directory signs")
    until(lambda: any(one["name"] == name for one in services(peer, directory)), "the directory lists")
    return contract.hash


@holds("core-4.5.1.1-signs", "core-4.4.1.8-listed", "core-4.2.1.1-signatures", "core-4.4.1.2-support")
def test_4_4_1_8_a_service_is_listed_once_the_directory_signed(peer: Peer, directory: Product) -> None:
    published(peer, directory, "dienst-a")
    (found,) = [one for one in services(peer, directory) if one["peer"]["id"] == peer.id]
    assert found["type"] == "SERVICE_TYPE_SERVICE"
    assert (found["name"], found["protocol"]) == ("dienst-a", "PROTOCOL_TCP_HTTP_1.1")
    assert found["peer"] == {"id": peer.id, "name": peer.name, "manager_address": peer.manager_address}


@holds("core-4.2.1.2-signatures", "core-4.2.1.2-peers", "core-4.5.1.1-signs")
def test_4_2_1_2_a_delegated_service_is_listed_once_three_signed(
    peer: Peer, other_peer: Peer, directory: Product
) -> None:
    introduced(peer, directory)
    introduced(other_peer, directory)
    peer.known[other_peer.id] = (other_peer.name, other_peer.manager_address)
    other_peer.known[peer.id] = (peer.name, peer.manager_address)
    other_peer.known[directory.id] = (directory.name, directory.manager_address)
    grant = publication(directory.id, peer.id, "gedelegeerd", delegator=other_peer.id)
    contract = peer.propose(content(directory.group, grant))
    until(lambda: directory.id in contract.signatures["accept"], "the directory signs")
    assert not [one for one in services(peer, directory) if one["name"] == "gedelegeerd"]
    other_peer.say(contract.hash, "accept")
    (found,) = until(
        lambda: [one for one in services(peer, directory) if one["name"] == "gedelegeerd"], "listed"
    )
    assert found["type"] == "SERVICE_TYPE_DELEGATED_SERVICE"
    assert found["delegator"] == {"peer_id": other_peer.id, "peer_name": other_peer.name}
    assert found["peer"]["id"] == peer.id


@holds("core-4.2.1.2-peers")
def test_4_2_1_2_the_delegator_may_offer_the_publication(
    peer: Peer, other_peer: Peer, directory: Product
) -> None:
    introduced(other_peer, directory)
    introduced(peer, directory)
    grant = publication(directory.id, peer.id, "namens", delegator=other_peer.id)
    assert other_peer.submit(content(directory.group, grant), directory.manager_address).status == 201


@holds("core-4.5.1.1-validates", "core-4.2.1.1-directory")
def test_4_2_1_1_a_publication_in_another_directory_is_not_taken(
    peer: Peer, other_peer: Peer, directory: Product
) -> None:
    introduced(peer, directory)
    answer = peer.submit(
        content(directory.group, publication(other_peer.id, peer.id, "dienst")), directory.manager_address
    )
    refused(answer, "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT")


@holds("core-4.5.1.1-validates", "core-4.2.1.1-provider")
def test_4_2_1_1_a_publication_comes_from_who_provides(
    peer: Peer, other_peer: Peer, directory: Product
) -> None:
    introduced(peer, directory)
    answer = peer.submit(
        content(directory.group, publication(directory.id, other_peer.id, "dienst")),
        directory.manager_address,
    )
    refused(answer, "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT")


@holds("core-4.2.1.1-directory")
def test_4_2_1_1_a_directory_does_not_publish_for_another(
    peer: Peer, directory: Product, other_peer: Peer
) -> None:
    """The product is in the contract as provider, the peer names itself directory: the product did not offer it, and does
    not sign it by itself."""
    introduced(peer, directory)
    found = content(directory.group, publication(peer.id, directory.id, "gestolen"))
    answer = peer.submit(found, directory.manager_address)
    assert answer.status in (201, 422), answer.status
    time.sleep(0.5)
    assert not any(directory.id in one.signatures["accept"] for one in peer.contracts.values())


@holds("core-4.2.1.1-name", "core-4.5.1.1-validates")
@pytest.mark.parametrize("name", ["a b", "", "x" * 101, "é"])
def test_4_2_1_1_the_name_of_a_service_is_checked(peer: Peer, directory: Product, name: str) -> None:
    introduced(peer, directory)
    turned_down(
        peer.submit(
            content(directory.group, publication(directory.id, peer.id, name)), directory.manager_address
        )
    )


@holds("core-4.2.1.1-name")
@pytest.mark.parametrize("name", ["a", "A-b_c.9", "x" * 100])
def test_4_2_1_1_every_name_that_is_allowed_is_published(peer: Peer, directory: Product, name: str) -> None:
    published(peer, directory, name)


@pytest.mark.parametrize("protocol", [None, "", "PROTOCOL_TCP_HTTP_3", "HTTP"])
@holds("core-4.5.1.1-validates")
def test_a_publication_has_a_protocol_that_exists(
    peer: Peer, directory: Product, protocol: str | None
) -> None:
    introduced(peer, directory)
    grant = publication(directory.id, peer.id, "dienst")
    grant["service"] = {
        name: value for name, value in {**grant["service"], "protocol": protocol}.items() if value is not None
    }
    turned_down(peer.submit(content(directory.group, grant), directory.manager_address))


@holds("core-4.4.1.8-listed")
@pytest.mark.parametrize("action", ["revoke", "reject"])
def test_4_4_1_8_a_service_leaves_the_list_with_its_contract(
    peer: Peer, directory: Product, action: str
) -> None:
    hash_ = published(peer, directory, "weg-ermee")
    assert peer.put(action, peer.contracts[hash_].content, directory.manager_address).status in (201, 422)
    if action == "revoke":
        assert not [one for one in services(peer, directory) if one["peer"]["id"] == peer.id]


@holds("core-4.4.1.8-listed")
def test_4_4_1_8_a_service_leaves_the_list_with_the_validity(peer: Peer, directory: Product) -> None:
    introduced(peer, directory)
    now = int(time.time())
    found = content(
        directory.group,
        publication(directory.id, peer.id, "kort"),
        validity={"not_before": now - 5, "not_after": now + 3},
    )
    contract = peer.propose(found)
    until(lambda: contract.state() == "valid", "the directory signs")
    assert [one for one in services(peer, directory) if one["name"] == "kort"]
    time.sleep(max(0.0, now + 4.1 - time.time()))
    assert not [one for one in services(peer, directory) if one["name"] == "kort"]


def test_properties_of_a_publication_are_listed(peer: Peer, directory: Product) -> None:
    published(peer, directory, "met-eigenschappen", properties={"url": "https://fictief.test"})
    (found,) = [one for one in services(peer, directory) if one["name"] == "met-eigenschappen"]
    assert found["properties"] == {"url": "https://fictief.test"}


def test_services_are_found_by_peer_or_name(peer: Peer, other_peer: Peer, directory: Product) -> None:
    published(peer, directory, "Alfa-dienst")
    published(other_peer, directory, "Beta-dienst")
    mine = {one["name"] for one in services(peer, directory, f"?peer_id={peer.id}")}
    assert mine == {"Alfa-dienst"}
    assert {one["name"] for one in services(peer, directory, "?service_name=BETA")} >= {"Beta-dienst"}
    either = {one["name"] for one in services(peer, directory, f"?peer_id={peer.id}&service_name=beta")}
    assert either >= {"Alfa-dienst", "Beta-dienst"}


def test_services_come_in_pages(peer: Peer, directory: Product) -> None:
    for number in range(3):
        published(peer, directory, f"pagina-{number}")
    names: list[str] = []
    cursor = ""
    while True:
        found = body(
            peer.ask(
                "GET",
                f"{directory.manager_address}/v1/services?limit=1&peer_id={peer.id}&cursor={quote(cursor)}",
            )
        )
        names += [one["data"]["name"] for one in found["services"]]
        cursor = found["pagination"]["next_cursor"]
        if not cursor:
            break
    assert sorted(names) == ["pagina-0", "pagina-1", "pagina-2"]


@holds("core-4.4.1.7-unique")
def test_4_4_1_7_a_name_is_listed_once_per_peer(peer: Peer, directory: Product) -> None:
    """Two valid contracts for the same service are one service in the list."""
    published(peer, directory, "dubbel")
    contract = peer.propose(content(directory.group, publication(directory.id, peer.id, "dubbel")))
    time.sleep(0.5)
    assert contract.hash
    assert (
        sum(one["peer"]["id"] == peer.id and one["name"] == "dubbel" for one in services(peer, directory))
        == 1
    )


@holds("core-4.4.2-announce", "core-4.4.4-address")
def test_4_4_2_the_product_announces_itself_to_its_directory(
    authority: Authority, tmp_path: Path, peer: Peer
) -> None:
    with Product(authority, tmp_path, next_oin(), "Nieuwkomer", joins=peer) as newcomer:
        until(lambda: newcomer.id in peer.announced, "announced")
        assert peer.known[newcomer.id] == (newcomer.name, newcomer.manager_address)


def test_a_connection_is_never_signed_by_itself(peer: Peer, directory: Product) -> None:
    """The directory signs publications by rule, nothing else."""
    introduced(peer, directory)
    contract = peer.propose(wanted(peer, directory))
    time.sleep(0.7)
    assert directory.id not in contract.signatures["accept"]
