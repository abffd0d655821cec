"""People and organisations, and representation: who may act for whom, and on what that rests.

The nouns. A person is known by this node's pseudonym; a company by its numbers, never by its name. The key of whoever acts
is always person, entity and intermediary together (`kernel.Acting`): a pseudonym of eHerkenning stays the same when somebody
acts through another company. Moments are seconds since the epoch, a period runs from `since` up to but without `until`, and
amounts are in cents.
"""

import hashlib
from typing import Literal, Protocol

import msgspec

from sluis.crypto import canonical
from sluis.identity.register import Held, Officer
from sluis.kernel import Acting, Text, Vestiging, plain


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom to reach at a company, and how they want that.

    Args:
        id: of this contact person.
        entity: the company, as a URN.
        name: of the person.
        roles: what about, in the company's own words: finance, permits.
        preferred: what to use first; it must be filled in.
        email: address.
        phone: number.
        person: pseudonym, when the person signs in here.
    """

    id: str
    entity: str
    name: str
    roles: tuple[str, ...]
    preferred: Literal["email", "phone"]
    email: str = ""
    phone: str = ""
    person: str = ""

    def __repr__(self) -> str:
        return "Contact(•)"


# Acts, and what is signed

ANY = "*"
"""Every service, or every action."""

OWN_DATA = "urn:sluis:service:own-data"
"""The service under which somebody sees for another who looked at their data, and gives and takes back access to it."""

MANDATES = "urn:sluis:service:mandates"
"""The service under which mandates themselves are given, accepted and revoked. No mandate opens it."""


class Act(msgspec.Struct, frozen=True):
    """One thing that is done for somebody: what two who are jointly authorised both sign.

    Args:
        entity: for whom.
        intermediary: through which company.
        service: URI or name of the service.
        action: what is done there.
        amount: in cents; None when no money is concerned.
        document: SHA-256 (hex) of what else belongs to it, such as an application; empty when there is nothing.
    """

    entity: str
    intermediary: str | None
    service: str
    action: str
    amount: int | None = None
    document: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its canonical JSON: the same for exactly the same act, and for no other."""
        return hashlib.sha256(canonical(plain(self))).hexdigest()


class Signature(msgspec.Struct, frozen=True):
    """What one of two signed: the digest of an act, by whom, and between which moments it counts (seconds)."""

    digest: str
    person: str
    at: int
    until: int


# Acts of two

ActState = Literal["waiting", "done", "refused", "withdrawn", "ended"]
ActEvent = Literal["sign", "refuse", "withdraw", "end"]

ACT_TRANSITIONS: dict[tuple[ActState, ActEvent], ActState] = {
    ("waiting", "sign"): "done",
    ("waiting", "refuse"): "refused",
    ("waiting", "withdraw"): "withdrawn",
    ("waiting", "end"): "ended",
}
"""What can happen to an act that waits for its second signature. `end` comes with the time, the others by somebody's hand."""


class AskedAct(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act that a portal or program asked for, and what became of it.

    Args:
        id: also the trace under which the ledger has all that happened to it, 32 hex digits.
        act: what is to be done.
        title: the same in words, by the portal; what the second director reads.
        person: pseudonym of who asked to do it; the first signature is theirs.
        client: `client_id` of the portal.
        portal: its title, for people to read.
        at: when, seconds since the epoch.
        until: an act that was not signed by then is over.
        state: as it was left by somebody's hand; `states.act_state_at` adds what time does.
        kind: how who did it represents the other; empty until it is done.
        other: pseudonym of who signed or refused.
        closed: when that was.
    """

    id: str
    act: Act
    title: str
    person: str
    client: str
    portal: str
    at: int
    until: int
    state: ActState = "waiting"
    kind: str = ""
    other: str = ""
    closed: int | None = None

    @property
    def signature(self) -> Signature:
        """That of who asked for it."""
        return Signature(self.act.digest, self.person, self.at, self.until)

    def __repr__(self) -> str:
        return "AskedAct(•)"


# Mandates

State = Literal["proposed", "offered", "accepted", "active", "declined", "revoked", "ended"]
Event = Literal["sign", "accept", "begin", "decline", "revoke", "end"]

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("proposed", "sign"): "offered",
    ("proposed", "revoke"): "revoked",
    ("proposed", "end"): "ended",
    ("offered", "accept"): "accepted",
    ("offered", "decline"): "declined",
    ("offered", "revoke"): "revoked",
    ("offered", "end"): "ended",
    ("accepted", "begin"): "active",
    ("accepted", "revoke"): "revoked",
    ("accepted", "end"): "ended",
    ("active", "revoke"): "revoked",
    ("active", "end"): "ended",
}
"""What can happen to a mandate. `proposed` waits for the second signature of its giver; what is not here is refused.
`begin` and `end` come with the time, the others by somebody's hand."""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a mandate says.

    Args:
        giver: who is represented, as a URN.
        holder: who may act, as a URN: a person or a company. Empty: whoever accepts with the code of the invitation.
        services: for which; `ANY` stands for all.
        actions: for what there; `ANY` stands for all.
        since: from when.
        until: up to when.
        cap: the largest amount of one act, in cents; None for no bound.
        establishments: only for these of the giver; empty for the whole company.
        onward: the holder may act with it also for those whom the giver itself represents.
    """

    giver: str
    holder: str
    services: tuple[str, ...]
    actions: tuple[str, ...]
    since: int
    until: int
    cap: int | None = None
    establishments: tuple[Vestiging, ...] = ()
    onward: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON: what is signed when a mandate is given or accepted."""
        return hashlib.sha256(canonical(plain(self))).hexdigest()


class Mandate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A mandate (machtiging), with what was done with it last.

    Args:
        id: also the trace under which the ledger has all that happened to it, 32 hex digits.
        terms: what it says.
        state: as it was left by somebody's hand; `rules.state_at` adds what time does.
        given_by: pseudonym of who gave it for the giver.
        offer_until: an offer that was not accepted by then is over.
        invitation: SHA-256 (hex) of the code of the invitation; empty when the holder was named.
        holder: who may act with it, as a URN; empty until an invitation was accepted.
        accepted_by: pseudonym of the director of the holder who accepted first, while a second is to do so too.
        accepted_at: when.
        giver_name, holder_name: for people to read.
    """

    id: str
    terms: Terms
    state: State
    given_by: str
    offer_until: int
    invitation: str = ""
    holder: str = ""
    giver_name: str = ""
    holder_name: str = ""
    accepted_by: str = ""
    accepted_at: int = 0

    @property
    def urn(self) -> str:
        return f"urn:sluis:mandate:{self.id}"


GuardianKind = Literal["curator", "administrator", "parent"]


class Guardianship(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acts for somebody by law, and not by their wish.

    Args:
        id: also the trace in the ledger, 32 hex digits.
        kind: `curator` (BW 1:381) and `parent` (1:245) for everything, `administrator` (bewindvoerder, 1:441) for what the
            goods are that they administer; `parent` always ends when the child is eighteen.
        guardian: pseudonym.
        ward: pseudonym.
        since: from when.
        until: up to when; None: until it is ended.
        evidence: the judgment or the extract that it rests on, by its reference.
        services: for which; `ANY` stands for all.
        ward_name, guardian_name: for people to read.
        number: the BSN of the ward, by which their log lines and consents are found; it is sealed with the rest, and on no page.
    """

    id: str
    kind: GuardianKind
    guardian: str
    ward: str
    since: int
    until: int | None
    evidence: str
    services: tuple[str, ...] = (ANY,)
    ward_name: str = ""
    guardian_name: str = ""
    number: str = ""

    def __repr__(self) -> str:
        return "Guardianship(•)"


# What a decision rests on

Kind = Literal["self", "director", "mandate", "chain", "guardian"]


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """On what a representation rests, without personal data.

    Args:
        kind: the trade register, a mandate, a guardianship, or the way of signing in.
        reference: a URN, or the issuer.
        at: when the register was read, seconds.
        age: seconds since then.
        digest: SHA-256 (hex) of the answer, or of the terms.
        notes: what of the answer was not understood.
    """

    kind: Literal["register", "mandate", "guardian", "sign-in"]
    reference: str
    at: int | None = None
    age: int | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()


class Vouched(msgspec.Struct, frozen=True):
    """What the way of signing in said about representation when somebody signed in, as eHerkenning does.

    Args:
        entity: who is represented, as a URN; None: nobody.
        name: its name.
        intermediary: through which company, as a URN.
        services: for which; empty when it does not say: then for those it is used for.
        issuer: who says so.
        number: the BSN of a person who is represented.
    """

    entity: str | None = None
    name: str = ""
    intermediary: str | None = None
    services: tuple[str, ...] = ()
    issuer: str = ""
    number: str = ""

    def __repr__(self) -> str:
        return "Vouched(•)"


class Choice(msgspec.Struct, frozen=True):
    """For whom somebody may choose to act.

    Args:
        entity: a company or person as a URN; None: for themselves.
        name: for people to read.
        intermediary: through which company, as a URN.
        why: on what this rests, such as a mandate or the trade register.
        kind: how they represent.
    """

    entity: str | None
    name: str
    intermediary: str | None = None
    why: Text | None = None
    kind: Kind = "self"

    @property
    def key(self) -> str:
        """What names it in a form: not its place in a list that others can lengthen meanwhile."""
        return f"{self.entity or 'self'} {self.intermediary or ''}".strip()

    def __repr__(self) -> str:
        return "Choice(•)"


class Office(msgspec.Struct, frozen=True):
    """That a person who signs in here is this officer of a company (a URN)."""

    person: str
    company: str
    officer: Officer


class Facts(msgspec.Struct, frozen=True):
    """All that a decision about representation may know.

    Args:
        companies: by URN: what was read of those concerned.
        offices: of whoever acts, and of who signed with them.
        mandates: of whoever acts, and of the intermediary.
        guardianships: of whoever acts.
        signatures: under acts for those concerned.
        wholes: by URN of an establishment, the URN of its company.
        vouched: what the way of signing in says.
        oldest: what the register said before this (seconds) is too old.
        register: whether this node reads the trade register at all.
    """

    companies: dict[str, Held] = {}
    offices: tuple[Office, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    guardianships: tuple[Guardianship, ...] = ()
    signatures: tuple[Signature, ...] = ()
    wholes: dict[str, str] = {}
    vouched: Vouched | None = None
    oldest: int = 0
    register: bool = True

    def __repr__(self) -> str:
        return "Facts(•)"


class FactsOf(Protocol):
    """Gathers all that is known of whoever acts, with what their way of signing in said, and what another signed with them."""

    def __call__(
        self, acting: Acting, vouched: Vouched | None = None, signed: Signature | None = None
    ) -> Facts: ...


class Representation(msgspec.Struct, frozen=True):
    """One reason why a person may act for an entity at a moment, or could not: `obstacle` is a key of `reasons.REASONS`.
    `themselves` are services that the other does without anybody, whatever `services` says."""

    kind: Kind
    services: tuple[str, ...] = (ANY,)
    actions: tuple[str, ...] = (ANY,)
    cap: int | None = None
    establishments: tuple[str, ...] = ()
    joint: bool = False
    onward: bool = False
    evidence: tuple[Evidence, ...] = ()
    obstacle: str = ""
    themselves: tuple[str, ...] = ()


class Allowed(msgspec.Struct, frozen=True):
    """Someone may.

    Args:
        kind: how they represent.
        needs_second: not before another authorised person has signed `digest` too.
        digest: of the act.
        evidence: on what it rests.
    """

    kind: Kind
    needs_second: bool = False
    digest: str = ""
    evidence: tuple[Evidence, ...] = ()


class Denied(msgspec.Struct, frozen=True):
    """Someone may not: the rule that stood in the way of what came nearest, and the reason for people."""

    rule: str
    reason: Text
