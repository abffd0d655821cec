"""Signatures on contracts (FSC Core 2.0.0, Signatures): a JWS over the content hash, what is done, and when.

Who signed is who the certificate says, and that must be the peer that sent it; the certificate is found by its
thumbprint in the key set of the signer's own Manager. Fetching that is for others: these are pure.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from cryptography import x509

from sluis.crypto import (
    ALGORITHMS,
    Chain,
    Identity,
    Jws,
    Peer,
    algorithm_for,
    canonical,
    certificate_thumbprint,
    read_json,
    read_jws,
    sign_jws,
    thumbprint_in,
    verify_chain,
    verify_jws,
)
from sluis.gateway.contracts.hashes import plain_hash
from sluis.gateway.contracts.model import Action, Content, Signature
from sluis.gateway.contracts.reading import Moment
from sluis.gateway.contracts.rules import SKEW, not_a_party, signers
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.kernel import Invalid, PeerId, Refused, Text, convert


class _Payload(msgspec.Struct):
    contract_content_hash: str
    type: str
    signed_at: Moment


def sign(identity: Identity, content_hash: str, action: Action, signed_at: int) -> str:
    """This peer's signature on a contract, compact JWS.

    Args:
        identity: the certificate and key to sign with.
        content_hash: of the contract.
        action: what for.
        signed_at: seconds since the epoch.
    """
    payload = {"contract_content_hash": content_hash, "type": action, "signed_at": signed_at}
    header = {"x5t#S256": certificate_thumbprint(identity.certificate)}
    return sign_jws(identity.key, algorithm_for(identity.certificate), header, canonical(payload))


def certificate_named(jws: str) -> str:
    """The thumbprint of the certificate that a signature says it was made with, to find its chain by.

    Raises:
        FscProblem: ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE, or ERROR_CODE_SIGNATURE_VERIFICATION_FAILED when it is no
            JWS or names no certificate.
    """
    return _named(_read(jws))


def check_signature(
    jws: str,
    content: Content,
    action: Action,
    submitter: PeerId,
    chain: Chain,
    anchors: Iterable[x509.Certificate],
    moment: datetime,
    crls: Iterable[x509.CertificateRevocationList] = (),
) -> Signature:
    """Believe a signature, or say why not.

    Args:
        jws: as it was received.
        content: what it should be over.
        action: what it should be for: the endpoint that it was sent to.
        submitter: the peer that sent it, by its TLS certificate.
        chain: of the certificate that `certificate_named` gave, from the key set of the submitter's Manager; empty
            when that has none.
        anchors: the roots that the group trusts.
        moment: the time to judge at, aware UTC.
        crls: revocation lists of the group.

    Raises:
        FscProblem: which rule it breaks.
    """
    if submitter not in signers(content):
        raise not_a_party(submitter)
    read = _read(jws)
    thumbprint = _named(read)
    if not chain or certificate_thumbprint(chain[0]) != thumbprint:
        raise _failed(Text(
            f"De Manager van de indiener heeft geen certificaat {thumbprint}.",
            f"The submitter's Manager has no certificate {thumbprint}.",
        ), "signature-certificate-unknown")  # fmt: skip
    signer = _signer(chain, anchors, moment, crls)
    if signer.id != submitter:
        raise manager_fault("ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH", Text(
            f"De handtekening is van {signer.id}, de indiener is {submitter}.",
            f"The signature is {signer.id}'s, the submitter is {submitter}.",
        ))  # fmt: skip
    if not verify_jws(read, chain[0]):
        raise _failed(Text(
            "Zij is niet met de sleutel van dat certificaat gemaakt, of niet over deze tekst.",
            "It was not made with the key of that certificate, or not over this text.",
        ), "signature-not-genuine")  # fmt: skip
    payload = _payload(read)
    _check_payload(payload, content, action, int(moment.timestamp()))
    ends = int(chain[0].not_valid_after_utc.timestamp())
    return Signature(submitter, action, jws, payload.signed_at, thumbprint, ends)


def _read(jws: str) -> Jws:
    try:
        read = read_jws(jws)
    except Invalid as problem:
        raise _failed(problem.why, problem.code) from None
    if read.algorithm not in ALGORITHMS:
        raise manager_fault("ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE", Text(
            f"FSC tekent met {', '.join(sorted(ALGORITHMS))}.", f"FSC signs with {', '.join(sorted(ALGORITHMS))}."
        ))  # fmt: skip
    return read


def _named(read: Jws) -> str:
    try:
        return thumbprint_in(read.header)
    except Invalid as problem:
        raise _failed(problem.why, problem.code) from None


def _signer(
    chain: Chain,
    anchors: Iterable[x509.Certificate],
    moment: datetime,
    crls: Iterable[x509.CertificateRevocationList],
) -> Peer:
    try:
        return verify_chain(chain[0], chain[1:], anchors, moment, crls)
    except Refused as problem:
        if problem.code == "certificate-without-peer":
            raise manager_fault("ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED", problem.why) from None
        raise _failed(problem.why, problem.code) from None
    except (ValueError, x509.InvalidVersion):  # parses as a whole, and not in its parts
        raise _failed(Text("Het certificaat is niet te lezen.", "The certificate cannot be read.")) from None


def _payload(read: Jws) -> _Payload:
    try:
        return convert(read_json(read.payload), _Payload)
    except (Invalid, msgspec.ValidationError):
        raise _failed(Text(
            "De inhoud hoort contract_content_hash, type en signed_at te hebben.",
            "The payload should have contract_content_hash, type and signed_at.",
        ), "signature-payload-wrong") from None  # fmt: skip


def _check_payload(payload: _Payload, content: Content, action: Action, now: int) -> None:
    if plain_hash(payload.contract_content_hash) != content.hash:
        raise manager_fault("ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH", Text(
            f"Zij is over een andere inhoud dan deze: {content.hash}.",
            f"It is over another content than this one: {content.hash}.",
        ))  # fmt: skip
    if payload.type != action:
        raise _failed(Text(
            f"Zij is niet voor '{action}' gemaakt.", f"It was not made for '{action}'."
        ), "signature-of-another-type")  # fmt: skip
    if payload.signed_at > now + SKEW:
        raise _failed(Text(
            f"signed_at ({payload.signed_at}) ligt na onze klok ({now}). Loopt een van de klokken verkeerd?",
            f"signed_at ({payload.signed_at}) is later than our clock ({now}). Is one of the clocks wrong?",
        ), "signature-from-the-future")  # fmt: skip


def check_path(path_hash: str, content: Content) -> None:
    """Whether the hash in a request's path is that of the content in its body; `$` may be percent-encoded.

    Raises:
        FscProblem: ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH.
    """
    if plain_hash(path_hash) != content.hash:
        raise manager_fault("ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH", Text(
            f"De inhoud heeft hash {content.hash}.", f"The content has hash {content.hash}."
        ))  # fmt: skip


def _failed(why: Text, code: str | None = None) -> FscProblem:
    return manager_fault("ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", why, code=code)
