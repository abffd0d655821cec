"""What is told over HTTP of acts and guardianships, and what is asked for them."""

from datetime import date
from typing import Annotated

import msgspec

from sluis.identity.people.acts import LONGEST_TITLE
from sluis.identity.people.catalogue import Service
from sluis.identity.people.model import ANY, ActState, AskedAct, GuardianKind, Guardianship
from sluis.kernel import Text

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class NewAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a portal asks to be done on behalf of who is signed in there.

    Attributes:
        service: URI or name.
        action: what is done there.
        title: the same in words, as a second director reads it.
        amount: in cents; absent when no money is concerned.
        document: SHA-256 (hex) of what else belongs to it.
    """

    service: Words
    action: Words
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TITLE)]
    amount: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] | None = None
    document: str = ""


class ActView(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act, and what became of it. Times in seconds since the epoch.

    Attributes:
        id: by which to ask for the outcome; also the trace of its records.
        state: `waiting` for the second signature, `done`, `refused`, `withdrawn`, or `ended` unsigned.
        digest: SHA-256 (hex) of the act: what was signed.
        at: when it was asked for.
        until: it waits until then.
        needs_second: whether a second signature is still needed.
        sign_at: where another director signs.
        kind: how whoever did it represents the other; absent until it is done.
        closed: when it was done, refused or withdrawn.
    """

    id: str
    state: ActState
    digest: str
    at: int
    until: int
    needs_second: bool
    sign_at: str
    kind: str = ""
    closed: int | None = None


def act_view(one: AskedAct, state: ActState, sign_at: str) -> ActView:
    """An act as its portal sees it: without who did it."""
    return ActView(
        one.id, state, one.act.digest, one.at, one.until, state == "waiting", sign_at, one.kind, one.closed
    )


class NewGuardian(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guardianship that an official found.

    Attributes:
        kind: `curator`, `administrator` (bewindvoerder) or `parent`.
        guardian: BSN of who acts.
        guardian_name: as the ward reads it.
        ward: BSN of for whom.
        ward_name: as the guardian reads it.
        evidence: reference of the judgment, or of the extract of the BRP.
        services: for which an administrator acts.
        until: the last day, when the judgment names one.
        born: date of birth of the child of a parent; not kept.
    """

    kind: GuardianKind
    guardian: str
    guardian_name: str
    ward: str
    ward_name: str
    evidence: str
    services: tuple[Words, ...] = (ANY,)
    until: date | None = None
    born: date | None = None

    def __repr__(self) -> str:
        return "NewGuardian(•)"


class GuardianView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A guardianship, for officials. Times in seconds since the epoch.

    Attributes:
        id: by which to end it; also the trace of its records.
        kind: as `NewGuardian`.
        guardian_name: of who acts.
        ward_name: of for whom.
        evidence: that it rests on.
        services: for which; `*` stands for all.
        since: from when.
        holds: whether it is in force now.
        until: up to when; absent: until it is ended.
    """

    id: str
    kind: GuardianKind
    guardian_name: str
    ward_name: str
    evidence: str
    services: tuple[str, ...]
    since: int
    holds: bool
    until: int | None = None

    def __repr__(self) -> str:
        return "GuardianView(•)"


def guardian_view(one: Guardianship, holds: bool) -> GuardianView:
    """A guardianship as officials see it: without the pseudonyms."""
    return GuardianView(
        one.id,
        one.kind,
        one.guardian_name,
        one.ward_name,
        one.evidence,
        one.services,
        one.since,
        holds,
        one.until,
    )


class MandateService(msgspec.Struct, frozen=True):
    """A service for which one may be mandated."""

    id: str
    title: Text
    about: Text


def service_view(one: Service) -> MandateService:
    """A service as officials see it."""
    return MandateService(one.id, one.title, one.about)
