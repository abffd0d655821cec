"""How the peer of the tests and the product meet: agreements between them, in both directions, and what a refusal looks like.

Everything here goes over the interfaces of the standard; only `Product` knows how the product is told to sign.
"""

import json
from typing import Any

from tests.fsc.jcs import content_hash, grant_hash
from tests.fsc.papers import Contract, Json, connection, content
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import Response, until

MANAGER_CODES = {
    "ERROR_CODE_INCORRECT_GROUP_ID": 422,
    "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT": 422,
    "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT": 422,
    "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH": 422,
    "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED": 400,
    "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH": 422,
    "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED": 422,
    "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED": 422,
    "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH": 422,
    "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH": 422,
    "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE": 422,
    "ERROR_CODE_UNKNOWN_FSC_VERSION": 422,
    "ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT": 422,
}
"""Core 4.4.5.3; the last one stands only in the OpenAPI file."""


def body(answer: Response) -> Json:
    """The JSON of an answer."""
    found: Json = json.loads(answer.body)
    return found


def refused(
    answer: Response, code: str, status: int | None = None, domain: str = "ERROR_DOMAIN_MANAGER"
) -> None:
    """This refusal and no other: status, header, and error object (sections 4.1.7 and 4.4.5.2)."""
    seen = (answer.status, answer.header("Fsc-Error-Code"))
    assert seen == (MANAGER_CODES.get(code) if status is None else status, code), (seen, answer.body)
    found = body(answer)
    assert (found["code"], found["domain"]) == (code, domain)
    assert found["message"]


def turned_down(answer: Response) -> None:
    """A refusal for which the standard has no code of its own: the caller's fault, not a success and not a crash."""
    assert 400 <= answer.status < 500, (answer.status, answer.body)


def introduced(peer: Peer, product: Product) -> None:
    """Make the two known to each other."""
    product.meets(peer)
    assert peer.announce(product.manager_address).status == 200
    peer.known[product.id] = (product.name, product.manager_address)


def wanted(consumer: Peer, product: Product, service: str = "echo", **more: Any) -> Json:
    """A contract by which a peer wants a service of the product."""
    grant = connection(
        consumer.id, consumer.outway_identity.public_key_thumbprint, product.id, service, **more
    )
    return content(product.group, grant)


def held(asker: Peer, manager: str, hash_: str) -> Json | None:
    """A contract as a Manager shows it to a peer in it; None when it does not."""
    answer = asker.ask("GET", manager + "/v1/contracts?limit=1000")
    assert answer.status == 200, answer.body
    return next((one for one in body(answer)["contracts"] if content_hash(one["content"]) == hash_), None)


def consuming(consumer: Peer, product: Product, *others: Peer, **more: Any) -> tuple[Contract, str]:
    """A valid contract by which the peer uses a service of the product, offered by the peer; and the hash of its grant."""
    return settled(consumer, product, wanted(consumer, product, **more), *others)


def settled(consumer: Peer, product: Product, found: Json, *others: Peer) -> tuple[Contract, str]:
    """Offer a contract to the product and to `others`, and let all sign."""
    introduced(consumer, product)
    for other in others:
        introduced(other, product)
        consumer.known[other.id] = (other.name, other.manager_address)
        other.known[consumer.id] = (consumer.name, consumer.manager_address)
        other.accepts = lambda _: True
        for third in others:
            other.known[third.id] = (third.name, third.manager_address)
    contract = consumer.propose(found)
    product.accept(contract.hash)
    until(lambda: contract.state() == "valid", f"{contract.hash} signed by all: {contract.signatures}")
    hash_ = grant_hash(found, found["grants"][0])
    until(lambda: product.counts(hash_), "in force at the product")
    return contract, hash_


def providing(product: Product, provider: Peer, service: str = "echo", **more: Any) -> tuple[str, str]:
    """A valid contract by which the product uses a service of the peer, offered by the product: its hash, and the grant's."""
    introduced(provider, product)
    grant = connection(product.id, product.outway_thumbprint, provider.id, service, **more)
    provider.accepts = lambda _: True
    found = product.propose(content(product.group, grant))
    hash_ = content_hash(found)
    granted = grant_hash(found, found["grants"][0])
    until(lambda: product.counts(granted), "in force at the product")
    until(
        lambda: hash_ in provider.contracts and provider.contracts[hash_].state() == "valid",
        "valid at the peer",
    )
    return hash_, granted
