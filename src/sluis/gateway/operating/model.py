"""What an operator sees of the group: written for people, and as JSON for programs."""

from typing import Any, Literal

import msgspec

from sluis.gateway.applying import Outcome
from sluis.gateway.contracts import Action, State


class GroupView(msgspec.Struct, frozen=True):
    """This node in its group.

    Attributes:
        group: its id.
        peer: this node's Peer ID.
        name: of this organisation.
        directory: Peer ID and address of the directory's Manager.
        manager: address of this node's Manager.
        inway: address of this node's inway.
        waiting: contracts that wait for this node's signature.
        undelivered: messages to other Managers that did not arrive yet.
        differences: transactions on which this node's log and a peer's do not agree.
        failed: transactions that one side alone has a line of, with the note that they failed on the way.
    """

    group: str
    peer: str
    name: str
    directory: str
    manager: str
    inway: str
    waiting: int
    undelivered: int
    differences: int
    failed: int


class PeerView(msgspec.Struct, frozen=True):
    """A peer of the group."""

    id: str
    name: str
    manager: str


class ExternalView(msgspec.Struct, frozen=True):
    """A contract outside FSC by which somebody delegated; whoever signs must have seen it."""

    reference: str
    delegator: str
    delegator_name: str


class AlternativeView(msgspec.Struct, frozen=True):
    """The service to use when this one cannot be reached."""

    peer: str
    service: str


class ServiceView(msgspec.Struct, frozen=True):
    """A service that the directory lists, or that this node offers."""

    peer: str
    peer_name: str
    name: str
    protocol: str
    delegator: str | None = None
    external_contract: ExternalView | None = None
    alternative: AlternativeView | None = None


class DisclosureView(msgspec.Struct, frozen=True):
    """A disclosure in a contract, as far as this node knows it.

    Attributes:
        id: of the disclosure.
        known: whether this node holds exactly these rules; when not, it cannot say what it opens.
        dataset: that it opens.
        columns: and with which role.
        articles: that it rests on.
    """

    id: str
    known: bool
    dataset: str = ""
    columns: dict[str, str] = {}
    articles: tuple[str, ...] = ()


class NoticeView(msgspec.Struct, frozen=True):
    """A notice as this node's own files have it; `known` is false when none of them is this one.

    Attributes:
        id: of the notice.
        known: whether it is this node's, with these rules.
        event: type of the events.
        data: what of them leaves.
        articles: that it rests on.
    """

    id: str
    known: bool
    event: str = ""
    data: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()


class PurposeView(msgspec.Struct, frozen=True):
    """Why data may move under a grant."""

    activity: str
    disclosures: tuple[DisclosureView, ...]
    notices: tuple[NoticeView, ...] = ()


class GrantView(msgspec.Struct, frozen=True):
    """A grant, with names where they are known."""

    type: str
    hash: str
    service_peer: str
    service: str
    outway_peer: str | None = None
    directory: str | None = None
    delegator: str | None = None
    service_delegator: str | None = None
    purpose: PurposeView | None = None
    properties: dict[str, Any] | None = None
    external_contract: ExternalView | None = None
    alternative: AlternativeView | None = None


class ContractView(msgspec.Struct, frozen=True):
    """A contract. Times in seconds since the epoch; peers by name where that is known.

    Attributes:
        hash: names it.
        state: that follows from signatures and time.
        grants: what it allows.
        not_before: from when.
        not_after: until when.
        created_at: when it was made.
        accepted: who has.
        rejected: who has.
        revoked: who has.
        waiting_for: who has not accepted yet.
        yours: whether it waits for this node.
        reason: why this node rejected or revoked it, as it was written down here.
    """

    hash: str
    state: State
    grants: tuple[GrantView, ...]
    not_before: int
    not_after: int
    created_at: int
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    revoked: tuple[str, ...]
    waiting_for: tuple[str, ...]
    yours: bool
    reason: str = ""


class Granted(msgspec.Struct, frozen=True):
    """What a contract in force lets another peer reach here. Times in seconds since the epoch.

    Attributes:
        contract: its hash.
        recipient: who may, by name and Peer ID; on whose behalf, where it is on another's.
        service: of this peer.
        purpose: URI of the processing activity it is for; None for a service that asks for none.
        disclosures: ids of this node's own that it covers, each with its rules as they are now.
        notices: the same of its notices.
        since: from when.
        until: until when.
    """

    contract: str
    recipient: str
    service: str
    purpose: str | None
    disclosures: tuple[str, ...]
    notices: tuple[str, ...]
    since: int
    until: int


class ContractsView(msgspec.Struct, frozen=True):
    """A page of contracts, newest first, and the cursor of the next; empty at the end."""

    contracts: tuple[ContractView, ...]
    next_cursor: str = ""


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator does with a contract."""

    action: Action
    reason: str = ""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Data that this organisation wants: whose (a name of `[peers]`, or its own alias), and for which activity."""

    organisation: str
    activity: str


class Documents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """YAML to apply. `name` is what messages call it; with `check` nothing is done."""

    text: str
    name: str = "-"
    check: bool = False


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declaration, by what it is known by."""

    kind: str
    name: str


class Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is still declared; all else that documents declared is taken back. With `check` nothing is done."""

    keep: tuple[Named, ...]
    check: bool = False


class AppliedView(msgspec.Struct, frozen=True):
    """What applying did, document by document."""

    outcomes: tuple[Outcome, ...]


class LineView(msgspec.Struct, frozen=True):
    """A line of the transaction log; `created_at` in milliseconds since the epoch.

    `outcome` is what the outway noted: `no-answer`, or `refused` by the inway; empty when it noted nothing.
    """

    transaction_id: str
    direction: str
    grant_hash: str
    service: str
    outway_peer: str
    service_peer: str
    created_at: int
    outcome: str = ""


class LinesView(msgspec.Struct, frozen=True):
    """A page of the transaction log, newest first."""

    lines: tuple[LineView, ...]
    next_cursor: str = ""


class DifferenceView(msgspec.Struct, frozen=True):
    """A transaction that only one side knows, or that the two know differently.

    `kind` is `only-here`, `only-there` or `differs`: alarms; or `failed-here`, `failed-there`: only the outway has a line,
    and it noted that nothing came back or that the inway refused.
    """

    peer: str
    kind: str
    transaction_id: str
    direction: str
    service: str
    found_at: int


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which way the doctor walks: to a service of a peer."""

    peer: str
    service: str


class Step(msgspec.Struct, frozen=True):
    """One step of the doctor.

    Attributes:
        name: of the step.
        result: `ok`; `wrong`, with what helps in `next`; or `skipped`, because an earlier one is wrong or
            there is nothing to look at.
        nl: what was seen, in Dutch.
        en: the same in English.
        next_nl: the step that helps, in Dutch.
        next_en: the same in English.
    """

    name: str
    result: Literal["ok", "wrong", "skipped"]
    nl: str = ""
    en: str = ""
    next_nl: str = ""
    next_en: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """All steps, in the order in which they were taken."""

    well: bool
    steps: tuple[Step, ...]
