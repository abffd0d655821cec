"""Which contracts are taken, who must sign them, and what state they are in (FSC Core 2.0.0, Contract Validation).

Pure: whoever asks says who it is and what time it is. Signatures are in `signatures`.
"""

from collections.abc import Callable, Iterator

from cryptography import x509

from sluis.crypto import public_key_thumbprint
from sluis.gateway.contracts.model import (
    DELEGATED,
    PUBLICATIONS,
    SPOKEN,
    STATES,
    Action,
    Content,
    Contract,
    Event,
    Grant,
    OutwayId,
    Signature,
    State,
)
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.grounds import PROPERTY
from sluis.kernel import Conflict, PeerId, Refused, Text

SKEW = 60
"""Seconds that clocks of peers may differ."""


def check_content(
    content: Content,
    own: PeerId,
    submitter: PeerId,
    group: str,
    now: int,
    *,
    proposes: bool = True,
    new: bool = True,
    offers: Callable[[str], bool] | None = None,
) -> None:
    """Whether a contract may be taken.

    Args:
        content: as it was read.
        own: the peer that receives it.
        submitter: the peer that sent it.
        group: the group of this Manager.
        now: seconds since the epoch.
        proposes: whether the submitter offers it; not so when it signs what another offered.
        new: whether it is not known here yet. What is may still be signed, rejected and revoked as it is.
        offers: whether this peer offers a service of this name; left out, that is not looked at.

    Raises:
        FscProblem: which rule it breaks.
    """
    for problem in _doubts(content, own, submitter, group, now):
        raise problem
    if proposes and not may_propose(content, own, submitter):
        raise _broken("contract-of-another", Text(
            "Deze organisatie mag deze grant niet voorstellen: dat doet wie verbindt, publiceert of delegeert.",
            "This peer may not propose this grant: whoever connects, publishes or delegates does.",
        ))  # fmt: skip
    for grant in content.grants:
        if new and grant.type in PUBLICATIONS:
            _check_publication(grant, own)
        wanted = grant.type not in PUBLICATIONS and grant.service_peer == own
        if offers and wanted and not offers(grant.service_name):
            raise _broken("service-not-offered", Text(
                f"De dienst '{grant.service_name}' wordt hier niet aangeboden.",
                f"The service '{grant.service_name}' is not offered here.",
            ))  # fmt: skip


def _check_publication(grant: Grant, own: PeerId) -> None:
    """It must be fit to be read by everyone in the group, and true of the inway of this peer."""
    if PROPERTY in (grant.properties or {}):
        raise _broken("purpose-in-publication", Text(
            f"Een publicatie is voor iedereen; een doel ({PROPERTY}) hoort in een verbinding.",
            f"A publication is for everyone; a purpose ({PROPERTY}) belongs into a connection.",
        ))  # fmt: skip
    if grant.service_peer == own and grant.protocol != SPOKEN:
        raise _broken("protocol-not-spoken", Text(
            "De inway van deze organisatie spreekt HTTP/1.1, en geen HTTP/2.",
            "The inway of this organisation speaks HTTP/1.1, and no HTTP/2.",
        ))  # fmt: skip


def may_propose(content: Content, own: PeerId, peer: PeerId) -> bool:
    """Whether a peer may offer a contract to this one: of the grants that ask something of this one, one must be its own."""
    asked = [grant for grant in content.grants if own in _asked_of(grant)]
    return not asked or any(peer in proposers(grant) for grant in asked)


def _asked_of(grant: Grant) -> set[PeerId | None]:
    """Of whom a grant asks something: who offers the service, or keeps the directory. The text says who may offer them a
    contract (Core 2.0.0, Contract Validation, per grant); of the other parties it says nothing, so a provider may offer
    a connection to whom it is for."""
    return {grant.directory} if grant.type in PUBLICATIONS else {grant.service_peer}


def _doubts(content: Content, own: PeerId, submitter: PeerId, group: str, now: int) -> Iterator[FscProblem]:
    parties, publications = content.parties, [grant.type in PUBLICATIONS for grant in content.grants]
    if content.group_id != group:
        yield manager_fault("ERROR_CODE_INCORRECT_GROUP_ID", Text(
            "Het contract geldt in een andere groep.", "The contract holds in another group."
        ))  # fmt: skip
    if submitter not in parties:
        yield not_a_party(submitter)
    if own not in parties:
        yield manager_fault("ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT", Text(
            f"Deze organisatie ({own}) staat in geen enkele grant.", f"This peer ({own}) is in none of the grants."
        ))  # fmt: skip
    if any(publications) and not all(publications):
        yield manager_fault("ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED", Text(
            "Publicaties staan in een contract van zichzelf.", "Publications stand in a contract of their own."
        ))  # fmt: skip
    if content.created_at > now + SKEW:
        yield _broken("contract-from-the-future", Text(
            f"created_at ({content.created_at}) ligt na onze klok ({now}). Loopt een van de klokken verkeerd?",
            f"created_at ({content.created_at}) is later than our clock ({now}). Is one of the clocks wrong?",
        ))  # fmt: skip
    if content.not_after <= content.not_before:
        yield _broken("contract-ends-before-it-begins", Text(
            "validity.not_after moet na validity.not_before liggen.",
            "validity.not_after must be later than validity.not_before.",
        ))  # fmt: skip
    if content.not_after <= now:
        yield _broken("contract-over", Text(
            f"validity.not_after ({content.not_after}) is voorbij; onze klok staat op {now}.",
            f"validity.not_after ({content.not_after}) has passed; our clock says {now}.",
        ))  # fmt: skip


def proposers(grant: Grant) -> set[PeerId]:
    """Who may offer a contract with this grant: whoever publishes or connects; and who has another do that."""
    acts = grant.outway.peer_id if grant.outway else grant.service_peer
    return {acts, grant.delegator} - {None} if grant.type in DELEGATED else {acts}  # type: ignore[return-value]


def signers(content: Content) -> frozenset[PeerId]:
    """Who must accept before it holds, and whose signatures count: everyone in the grants (Core 2.0.0, Signatures)."""
    return content.parties


def all_accepted(contract: Contract) -> bool:
    """Whether everyone signed, whatever became of their certificates since."""
    return signers(contract.content) <= contract.signed("accept").keys()


def waiting_for(contract: Contract, now: int) -> frozenset[PeerId]:
    """Who has not accepted yet, or with a certificate that is not valid any more: without a valid certificate nobody can
    verify a signature (Core 2.0.0, Certificate renewal). `now` in seconds since the epoch."""
    accepted = contract.signed("accept").values()
    return signers(contract.content) - {one.peer for one in accepted if one.until >= now}


def holds_until(contract: Contract) -> int:
    """Until when what all have accepted holds, in seconds since the epoch; that moment included."""
    return min(contract.content.not_after, *(one.until for one in contract.signed("accept").values()))


def state(contract: Contract, now: int) -> State:
    """The state that follows from the signatures and the time.

    Args:
        contract: with the signatures that are known here.
        now: seconds since the epoch.
    """
    found: State = "proposed"
    for event in _events(contract, now):
        found = STATES[found][event]
    return found


def _events(contract: Contract, now: int) -> Iterator[Event]:
    if not waiting_for(contract, now) and now >= contract.content.not_before:
        yield "agree"
    if contract.signed("reject"):
        yield "reject"
    if contract.signed("revoke"):
        yield "revoke"
    if now > contract.content.not_after:
        yield "end"


def counts_instead(new: Signature, known: Signature | None) -> bool:
    """Whether a signature takes the place of the one that a peer gave before for the same action.

    The later one counts, and of two of the same second always the same one, in whatever order they come: so all
    peers end up with the same. What says the same is the same signature, however the key's part of it is written:
    of one with an elliptic curve anybody can make a second that is as good.
    """
    return known is None or (new.signed_at, said(new.jws)) > (known.signed_at, said(known.jws))


def said(jws: str) -> str:
    """What a signature is over: header and payload as they were sent. Two with the same say the same."""
    return jws.rpartition(".")[0]


_MAY: dict[State, frozenset[Action]] = {
    "proposed": frozenset({"accept", "reject", "revoke"}),
    "valid": frozenset({"accept", "revoke"}),
    "rejected": frozenset(),
    "revoked": frozenset(),
    "expired": frozenset(),
}
"""What a peer does itself in each state. In `valid`, to accept is to sign again with a renewed certificate. What other
peers do is always kept: their signatures may arrive late, and change nothing that is over."""


def check_own_act(contract: Contract, own: PeerId, action: Action, now: int) -> None:
    """Whether this peer may sign for `action` itself.

    Raises:
        Refused: it is no party.
        Conflict: the state of the contract does not allow it.
    """
    if own not in signers(contract.content):
        raise Refused(
            "no-party-to-contract",
            Text("Dit contract is niet van deze organisatie.", "This contract is not this organisation's."),
            Text("Zij staat in geen enkele grant.", "It is in none of the grants."),
            Text("Teken alleen eigen contracten.", "Sign only contracts of your own."),
            rule="signed-by-parties",
        )
    found = state(contract, now)
    if action not in _MAY[found]:
        raise Conflict(
            "contract-is-over" if not _MAY[found] else "contract-is-valid",
            Text("Dit kan met dit contract niet meer.", "This can no longer be done with this contract."),
            Text(f"Het is {_DUTCH[found]}.", f"It is {found}."),
            Text("Maak een nieuw contract, of trek dit in als het geldt.",
                 "Make a new contract, or revoke this one when it is valid."),
        )  # fmt: skip


_DUTCH: dict[State, str] = {
    "proposed": "voorgesteld",
    "valid": "geldig",
    "rejected": "afgewezen",
    "revoked": "ingetrokken",
    "expired": "verlopen",
}


def fits_outway(outway: OutwayId, certificate: x509.Certificate) -> bool:
    """Whether a certificate is that of the outway in a grant: the same public key, or the domain name among its
    names (Core 2.0.0, Tokens). Whether it is that peer's is looked at elsewhere."""
    if outway.thumbprint is not None:
        return public_key_thumbprint(certificate) == outway.thumbprint
    return outway.domain_name is not None and outway.domain_name.lower() in _names(certificate)


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return set()
    return {name.lower() for name in names.get_values_for_type(x509.DNSName)}


def not_a_party(peer: PeerId) -> FscProblem:
    """The problem of a peer that submits or signs what it is not in."""
    return manager_fault(
        "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT",
        Text(
            f"De indiener ({peer}) staat in geen enkele grant.",
            f"The submitter ({peer}) is in none of the grants.",
        ),
    )


def _broken(code: str, why: Text) -> FscProblem:
    return manager_fault("ERROR_CODE_CONTRACT_INVALID", why, code=code)
