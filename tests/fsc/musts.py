"""What FSC asks: every MUST of Core 2.0.0 and Logging 1.0.0, by section, in our own words, and the mark for its test.

A key is the document, the section, and a word. `holds` marks the test; `tests/fsc/test_musts.py` sees to it that every
demand has one. Core is the published definitive version 2.0.0; what its validation lists demand without the capital word
(4.2.1, 4.4.1.6, 4.4.4) counts as well.
"""

from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])

MUSTS: dict[str, str] = {
    # Core 1.3.2, 3: the group
    "core-1.3.2-decisions": "a group decides on anchors, Group ID, Peer ID, Peer name, directory, management ports, TLS and network",
    "core-3.2.1-accepted": "a contract is valid once every peer in it has accepted",
    "core-3.2.1-revoked": "a contract is invalid once one peer revokes it",
    "core-3.2.1-rejected": "a contract is invalid once one peer rejects it",
    "core-3.2.1-expired": "a contract is invalid when its validity ends",
    "core-3.2.1-immutable": "the content of a contract never changes",
    # Core 4.1: protocols
    "core-4.1-http11": "the Manager speaks HTTP/1.1",
    "core-4.1.1-ports": "components use port 443 or 8443",
    "core-4.1.2-group-id": "the Group ID is 1 to 100 of letters, digits, . / _ -",
    "core-4.1.3-peer-id": "the Peer ID comes from the element of the certificate's subject that the group chose",
    "core-4.1.4-peer-name": "the Peer name comes from the element of the certificate's subject that the group chose",
    "core-4.1.5-anchors": "every peer accepts all anchors of the group's list, and no other",
    "core-4.1.6-names": "names in certificates are checked as RFC 6125 says",
    "core-4.1.6.1-tls": "the TLS versions are those of the group's rules",
    "core-4.1.6.2-thumbprints": "thumbprints are SHA-256: of the certificate in base64url, of the public key in hex",
    "core-4.1.7-header": "an error of Inway or Outway bears its code in Fsc-Error-Code, and an error object in its body",
    "core-4.1.8-json": "contracts are I-JSON: no name twice, no half surrogates, no number beyond a double",
    # Core 4.2: contracts
    "core-4.2.1-iv": "iv is a UUID, and no two contracts of a peer have the same",
    "core-4.2.1-hash-algorithm": "the hash algorithm is named and known",
    "core-4.2.1-created-at": "created_at is not in the future",
    "core-4.2.1-group": "the Group ID of the contract is the Manager's",
    "core-4.2.1-not-before": "not_before is a date",
    "core-4.2.1-not-after": "not_after is a date, after not_before and in the future",
    "core-4.2.1-grants": "there is at least one grant",
    "core-4.2.1-mixed": "publication grants do not stand beside other grants",
    "core-4.2.1.1-directory": "a publication's directory is the Manager that receives it",
    "core-4.2.1.1-provider": "a publication is offered to the directory by the peer of the service",
    "core-4.2.1.1-name": "a service's name is 1 to 100 of letters, digits, - . _",
    "core-4.2.1.1-signatures": "directory and service sign a publication",
    "core-4.2.1.2-peers": "delegator, directory and service of a delegated publication are the peers of their certificates",
    "core-4.2.1.2-signatures": "directory, service and delegator sign a delegated publication",
    "core-4.2.1.3-provider": "the service's peer in a connection is the Manager that receives it",
    "core-4.2.1.3-consumer": "a connection is offered to the provider by the peer of the outway",
    "core-4.2.1.3-offered": "the service of a connection is offered by its peer",
    "core-4.2.1.3-thumbprint": "an outway identified by its key has a thumbprint of it in the grant",
    "core-4.2.1.3-domain": "an outway identified by a domain has one in the grant",
    "core-4.2.1.3-signatures": "outway and service sign a connection",
    "core-4.2.1.4-peers": "delegator, outway, service (and its delegator) of a delegated connection are the peers of their certificates",
    "core-4.2.1.4-signatures": "outway, delegator, service (and its delegator) sign a delegated connection",
    "core-4.2.2.1-object": "properties of a grant are a JSON object under the name `properties`",
    "core-4.2.2.1-token": "properties are in the access token",
    "core-4.2.2.1-hash": "properties are in the grant hash",
    "core-4.2.3-jws": "a signature is a JWS in compact serialisation",
    "core-4.2.3-thumbprint": "its header names the certificate in x5t#S256",
    "core-4.2.3-algorithms": "its algorithm is RS256, RS384, RS512, ES256, ES384 or ES512",
    "core-4.2.3-payload": "its payload has the content hash, the kind of signature and the moment",
    "core-4.2.3-peers": "only peers in the grants may sign",
    "core-4.2.4-hash": "the content hash is $1$1$ and SHA3-512 over canonical JSON in base64url",
    "core-4.2.4-compared": "with every signature that arrives the content hash is compared",
    "core-4.2.5-hash": "the grant hash is over the content hash and the grant's canonical JSON, with the type of hash in front",
    "core-4.2.7-verifiable": "without a valid certificate a signature cannot be verified, and the contract is invalid",
    "core-4.2.7-again": "a signature with a renewed certificate makes it valid again",
    # Core 4.3: token
    "core-4.3-thumbprint": "a token's header names the signing certificate in x5t#S256",
    "core-4.3-algorithms": "a token's algorithm is one of the six",
    "core-4.3.1-claims": "a token has gth, gid, sub, iss, svc, aud, exp, nbf, cnf",
    "core-4.3.1-aud": "aud is a URL of the Inway with scheme and port",
    # Core 4.4: Manager
    "core-4.4.1.1-mtls": "the Manager lets in only certificates under the group's anchors",
    "core-4.4.1.2-support": "the Manager takes contracts with publication and connection grants",
    "core-4.4.1.2-order": "the order of arrays in contracts is kept",
    "core-4.4.1.2-persist": "Peer ID, name and Manager address of contract peers are kept",
    "core-4.4.1.3-error": "a wrong signature gives an error answer",
    "core-4.4.1.3-propagate": "a signature goes to every peer in the contract",
    "core-4.4.1.4-certificates": "the Manager gives the certificates of the keys that sign contracts and tokens",
    "core-4.4.1.4-chain": "with their chain, without the root",
    "core-4.4.1.5-contracts": "the Manager gives a peer the contracts in which it occurs, and no others",
    "core-4.4.1.6-token": "a peer with a valid connection contract gets a token",
    "core-4.4.1.6-scope": "scope is the hash of a connection grant of a valid contract",
    "core-4.4.1.6-client": "client_id is the peer of the certificate",
    "core-4.4.1.6-provider": "the grant's service is of the Manager's own peer",
    "core-4.4.1.6-offered": "an Inway of the peer offers the service",
    "core-4.4.1.6-outway": "the peer of the certificate is the outway's peer in the grant",
    "core-4.4.1.6-key": "the key of the certificate is the one in the grant",
    "core-4.4.1.6-domain": "or the certificate has the domain in the grant",
    "core-4.4.1.6-cnf": "cnf has the thumbprint of the client's certificate",
    "core-4.4.1.6-act": "act is set for a delegated connection",
    "core-4.4.1.6-pdi": "pdi is set for a service offered on behalf of another peer",
    "core-4.4.1.6-prp": "prp is set when the grant has properties",
    "core-4.4.1.6-aud": "aud has the address of the Inway",
    "core-4.4.1.7-unique": "a service's name is unique within its peer",
    "core-4.4.1.8-listed": "a service is listed when a valid contract publishes it",
    "core-4.4.1.9-listed": "peers with contracts and peers that announced themselves are listed",
    "core-4.4.1.9-persist": "ID, name and address of those peers are kept",
    "core-4.4.2-announce": "a peer announces itself to the directory",
    "core-4.4.3-interface": "the Manager has the interface of the OpenAPI file",
    "core-4.4.4-address": "POST and PUT to another Manager bear Fsc-Manager-Address",
    "core-4.4.5.1-oauth": "the token endpoint's errors are those of RFC 6749 section 5.2",
    "core-4.4.5.2-error": "errors have the error object, the domain ERROR_DOMAIN_MANAGER and one of the Manager's codes",
    "core-4.4.5.3-codes": "every code has the status of the table",
    # Core 4.5: directory
    "core-4.5.1.1-signs": "the directory can sign publications, delegated ones too",
    "core-4.5.1.1-validates": "the directory checks publications",
    # Core 4.6: Outway
    "core-4.6.1.1-mtls": "the Outway shows a certificate under the group's anchor",
    "core-4.6.1.2-aud": "the Outway sends to the address in aud",
    "core-4.6.1.2-token": "its token is from the peer of the service",
    "core-4.6.1.2-header": "the token stands in Fsc-Authorization",
    "core-4.6.1.2-gid": "the Outway checks the Group ID in the token",
    "core-4.6.1.2-path": "the Outway does not change the path",
    "core-4.6.1.3-token": "tokens come from the token endpoint, with client credentials over mTLS",
    "core-4.6.1.4-unaltered": "errors of Inway and service pass the Outway unchanged",
    "core-4.6.1.4-own": "the Outway's own errors have the domain ERROR_DOMAIN_OUTWAY",
    "core-4.6.1.4.1-connect": "CONNECT is answered with 405 ERROR_CODE_METHOD_UNSUPPORTED",
    # Core 4.7: Inway
    "core-4.7.1.1-mtls": "the Inway lets in only certificates under the group's anchors",
    "core-4.7.1.2-signed": "a token is signed by the Inway's own peer",
    "core-4.7.1.2-bound": "a token is used with the certificate it is bound to",
    "core-4.7.1.2-service": "the token's service is known to the Inway",
    "core-4.7.1.2-group": "the token's group is the Inway's",
    "core-4.7.1.3-header": "a request has Fsc-Authorization",
    "core-4.7.1.3-routing": "the Inway sends the request to the service in svc",
    "core-4.7.1.3-kept": "Fsc-Authorization reaches the service",
    "core-4.7.2.1-endpoint": "the endpoint is /",
    "core-4.7.2.2-unaltered": "an error of the service passes unchanged",
    "core-4.7.2.2-own": "the Inway's own errors have the domain ERROR_DOMAIN_INWAY",
    "core-4.7.2.2.1-missing": "no token: 401 ERROR_CODE_ACCESS_TOKEN_MISSING, WWW-Authenticate: Bearer",
    "core-4.7.2.2.1-invalid": "a wrong token: 401 ERROR_CODE_ACCESS_TOKEN_INVALID, WWW-Authenticate: Bearer",
    "core-4.7.2.2.1-expired": "an old token: 401 ERROR_CODE_ACCESS_TOKEN_EXPIRED, WWW-Authenticate: Bearer",
    "core-4.7.2.2.1-group": "a token of another group: 403 ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN",
    "core-4.7.2.2.1-not-found": "a service that is not offered: 404 ERROR_CODE_SERVICE_NOT_FOUND",
    "core-4.7.2.2.1-unreachable": "a service that does not answer: 502 ERROR_CODE_SERVICE_UNREACHABLE",
    # Logging
    "logging-3.1-fields": "a record has transaction id, direction, grant hash, source, destination, service name and moment",
    "logging-3.1.1-token": "grant hash, outway, service and service name come from the token",
    "logging-3.1.1-delegator": "the delegator of the connection is in the source",
    "logging-3.1.1-publisher": "the delegator of the publication is in the destination",
    "logging-3.2.1.1-provides": "the Manager gives records to other peers",
    "logging-3.2.1.1-own": "only records in which the asking peer is outway, service or delegator",
    "logging-3.2.2-interface": "the Manager has the interface of the OpenAPI file",
    "logging-3.3.1.1-writes": "the Inway writes a record for every request",
    "logging-3.3.1.1-id": "with the transaction id the Outway gave",
    "logging-3.3.1.1-service": "and passes the id to the service",
    "logging-3.3.1.1-denies": "and denies the request when the record cannot be written",
    "logging-3.3.1.2-delegated": "the Inway's record names the delegators",
    "logging-3.3.1.3-codes": "TRANSACTION_LOG_WRITE_ERROR 500, INVALID_LOG_RECORD_ID 400, MISSING_LOG_RECORD_ID 400",
    "logging-3.4.1.1-writes": "the Outway writes a record for every request it sends",
    "logging-3.4.1.1-unique": "it makes a transaction id that is unique",
    "logging-3.4.1.1-inway": "and passes the id to the Inway",
    "logging-3.4.1.1-client": "and gives the id to the client",
    "logging-3.4.1.1-denies": "and denies the request when the record cannot be written",
    "logging-3.4.1.2-delegated": "the Outway's record names the delegators",
    "logging-3.4.1.3-codes": "TRANSACTION_LOG_WRITE_ERROR 500, INVALID_LOG_RECORD_ID 400",
}

OUTSIDE: dict[str, str] = {
    "core-4.1.5-organisation-validation": "the anchor validates organisations: work of people at the authority",
}
"""Demands on others than software."""


def holds(*keys: str) -> Callable[[Test], Test]:
    """Mark the test that holds these demands."""
    unknown = set(keys) - MUSTS.keys()
    assert not unknown, unknown

    def mark(test: Test) -> Test:
        return test

    return mark
