"""Who may represent whom: pure decisions on facts that somebody else gathered.

Every reason to represent somebody, whatever it is (an office, a mandate, a guardianship, what the way of signing in says),
becomes a `Representation` with its bounds and, when something stands in its way, the name of that obstacle. A chain is two
of these, laid over each other. One function holds all of them against an act.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from sluis.identity.people.model import (
    ANY,
    OWN_DATA,
    Act,
    Allowed,
    Denied,
    Evidence,
    Facts,
    Guardianship,
    Office,
    Representation,
)
from sluis.identity.people.reasons import REASONS
from sluis.identity.people.states import state_at
from sluis.identity.register import KVK, PERSON, Held, person_urn, urn_of
from sluis.kernel import Acting, Invalid, Text

ADULT = 18
"""Years: from then on nobody has authority over somebody as their parent (BW 1:233, 1:245)."""

OWN_RIGHTS = 16
"""Years: from then on a child exercises the rights of the GDPR themselves (UAVG article 5(4))."""

_NEARNESS = {rule: place for place, rule in enumerate(REASONS)}


# The decision


def may_represent(acting: Acting, act: Act, moment: datetime, facts: Facts) -> Allowed | Denied:
    """Whether whoever acts may do this for whom they act.

    Args:
        acting: person, entity and intermediary.
        act: for the same entity and intermediary: service, action, amount in cents.
        moment: aware UTC.
        facts: all that is known of those concerned.

    Raises `Invalid` when the act is for somebody else, or its amount is below zero.
    """
    if (act.entity, act.intermediary) != (entity_of(acting), acting.intermediary):
        raise _other_act()
    if act.amount is not None and act.amount < 0:
        raise _below_zero()
    if is_self(acting):
        return Allowed("self", digest=act.digest)
    for company in (act.entity, act.intermediary):
        if company is not None and (rule := standing_rule(company, facts)):
            return Denied(rule, REASONS[rule])
    found = [(one, _obstacle(one, act)) for one in representations(acting, moment, facts)]
    return _best(found, acting, act, moment, facts)


def may_arrange(acting: Acting, act: Act, moment: datetime, facts: Facts) -> Allowed | Denied:
    """The same for giving and accepting mandates: for that only oneself and the officers of a company will do, so that a
    mandate is never given on by who holds one."""
    own = Facts(
        companies=facts.companies, offices=tuple(one for one in facts.offices if one.officer.kind == "director"),
        signatures=facts.signatures, wholes=facts.wholes, oldest=facts.oldest, register=facts.register,
    )  # fmt: skip
    return may_represent(acting, act, moment, own)


def entity_of(acting: Acting) -> str:
    """For whom somebody acts, as a URN; for themselves, that of the person."""
    return acting.entity if acting.entity is not None else person_urn(acting.person)


def is_self(acting: Acting) -> bool:
    """Whether somebody acts for themselves, and through nobody."""
    return entity_of(acting) == person_urn(acting.person) and acting.intermediary is None


def may_sign(person: str, act: Act, moment: datetime, facts: Facts) -> bool:
    """Whether a person may put the second signature under an act of somebody else: a director, within their own cap, of the
    company that acts. Alone they may do it anyway.

    Args:
        person: who would sign, as acts name people.
        act: what is signed.
        moment: aware UTC.
        facts: what is known of companies and their officers.
    """
    company = _company_of(act, facts)
    return any(_signs(one, person, company, act, moment.date(), facts) for one in facts.offices)


def is_side(acting: Acting, moment: datetime, facts: Facts) -> bool:
    """Whether somebody is the person, or a director of the company, for whom they act: who may see what was agreed for it, and
    end that. That takes less than to agree: one director of several will do, and of a company that can no longer act."""
    entity = entity_of(acting)
    return is_self(acting) or (
        acting.intermediary is None
        and any(
            (one.person, one.company, one.officer.kind) == (acting.person, entity, "director")
            and not _office_obstacle(one, facts.companies.get(entity), moment.date())
            for one in facts.offices
        )
    )


def standing_rule(urn: str, facts: Facts) -> str:
    """The rule by which a company cannot act now; empty when it can, or is none that the trade register knows."""
    whole = facts.wholes.get(urn, urn)
    if urn.startswith("urn:nl:vestiging:") and whole == urn:
        return "unknown-entity"
    if not facts.register or not whole.startswith(KVK):
        return ""
    held = facts.companies.get(whole)
    if held is None:
        return "register-unavailable"
    if held.at < facts.oldest:
        return "register-too-old"
    return "" if held.company.standing == "active" else f"company-{held.company.standing}"


def no_longer(acting: Acting, moment: datetime, facts: Facts) -> Denied | None:
    """Why somebody can do nothing at all for whom they chose to act, whatever the act; None when there is something. A choice
    vouches for nothing: it is held against the facts whenever somebody relies on it."""
    if is_self(acting):
        return None
    entity = entity_of(acting)
    rules = [standing_rule(one, facts) for one in (entity, acting.intermediary) if one is not None]
    rule = next(filter(None, rules), "") or _nearest(
        one.obstacle or _elsewhere(one, entity) for one in representations(acting, moment, facts)
    )
    return Denied(rule, REASONS[rule]) if rule else None


def representations(acting: Acting, moment: datetime, facts: Facts) -> list[Representation]:
    """Every reason why somebody may act for an entity, with what stands in its way; bounds are for an act to meet.

    Args:
        acting: the entity is not the person.
        moment: aware UTC.
        facts: all that is known.
    """
    now, day = int(moment.timestamp()), moment.date()
    entity, whole = entity_of(acting), facts.wholes.get(entity_of(acting), entity_of(acting))
    if acting.intermediary is None:
        found = [*_offices(acting.person, whole, now, day, facts)]
        found += _mandates(whole, person_urn(acting.person), now, facts)
        found += _guardianships(acting.person, entity, now, facts)
    else:
        uppers = [*_mandates(whole, acting.intermediary, now, facts)]
        lowers = [*_offices(acting.person, acting.intermediary, now, day, facts)]
        lowers += _mandates(acting.intermediary, person_urn(acting.person), now, facts)
        found = [_chain(upper, lower) for upper in uppers for lower in lowers]
    return [*found, *_vouched(entity, acting.intermediary, facts)]


def _offices(person: str, company: str, now: int, day: date, facts: Facts) -> Iterator[Representation]:
    held = facts.companies.get(company)
    for office in facts.offices:
        if (office.person, office.company) == (person, company):
            yield Representation(
                office.officer.kind,
                cap=office.officer.cap,
                joint=office.officer.authority == "joint",
                onward=True,
                evidence=(_register(company, held, now),) if held is not None else (),
                obstacle=_office_obstacle(office, held, day),
            )


def _office_obstacle(office: Office, held: Held | None, day: date) -> str:
    officer = office.officer
    if held is None or officer not in held.company.officers:
        return "office-without-authority"
    if officer.adult is not None and day < officer.adult:
        return "officer-minor"
    return officer.why or ("office-without-authority" if officer.authority == "none" else "")


def _mandates(giver: str, holder: str, now: int, facts: Facts) -> Iterator[Representation]:
    for mandate in facts.mandates:
        terms = mandate.terms
        if (terms.giver, mandate.holder) == (giver, holder):
            state = state_at(mandate, now)
            stands = {"active": "", "accepted": "mandate-not-begun"}.get(state, f"mandate-{state}")
            yield Representation(
                "mandate", terms.services, terms.actions, terms.cap,
                tuple(map(urn_of, terms.establishments)),
                onward=terms.onward,
                evidence=(Evidence("mandate", mandate.urn, digest=terms.digest),),
                obstacle=stands,
            )  # fmt: skip


def _guardianships(person: str, entity: str, now: int, facts: Facts) -> Iterator[Representation]:
    for one in facts.guardianships:
        if one.guardian == person and entity == PERSON + one.ward:
            yield Representation(
                "guardian",
                one.services,
                evidence=(Evidence("guardian", f"urn:sluis:guardianship:{one.id}"),),
                obstacle=_guardian_obstacle(one, now),
                themselves=(OWN_DATA,) if is_sixteen(one, now) else (),
            )


def is_sixteen(one: Guardianship, now: int) -> bool:
    """Whether the child of a parent is sixteen or older: from then on they exercise their rights of the GDPR themselves, and give
    consent themselves (UAVG article 5(1) and (4)). The day is two years before authority ends (BW 1:233, 1:245).
    """
    if one.kind != "parent" or one.until is None:
        return False
    ends = datetime.fromtimestamp(one.until, UTC)
    day = min(ends.day, 28) if ends.month == 2 else ends.day
    return now >= ends.replace(year=ends.year - (ADULT - OWN_RIGHTS), day=day).timestamp()


def _guardian_obstacle(one: Guardianship, now: int) -> str:
    if one.until is not None and now >= one.until:
        return "guardian-ended"
    return "guardian-not-begun" if now < one.since else ""


def _vouched(entity: str, intermediary: str | None, facts: Facts) -> Iterator[Representation]:
    """What the way of signing in says holds for exactly the entity and the intermediary that it names."""
    said = facts.vouched
    if said is not None and said.entity is not None:
        same = (said.entity, said.intermediary) == (entity, intermediary)
        yield Representation(
            "mandate" if intermediary is None else "chain",
            said.services or (ANY,),
            evidence=(Evidence("sign-in", said.issuer),),
            obstacle="" if same else "signed-in-for-another",
        )


def _chain(upper: Representation, lower: Representation) -> Representation:
    """What is left of both: the mandate of the intermediary, and what the person may do there for its clients."""
    caps = [one.cap for one in (upper, lower) if one.cap is not None]
    obstacle = upper.obstacle or lower.obstacle
    if not obstacle and not lower.onward:
        obstacle = "chain-not-onward"
    if not obstacle and lower.establishments:
        obstacle = "other-establishment"
    return Representation(
        "chain",
        _both(upper.services, lower.services),
        _both(upper.actions, lower.actions),
        min(caps, default=None),
        upper.establishments,
        lower.joint,
        evidence=(*upper.evidence, *lower.evidence),
        obstacle=obstacle,
    )


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if ANY in one:
        return other
    return one if ANY in other else tuple(name for name in one if name in other)


def _obstacle(one: Representation, act: Act) -> str:
    """What stands between a representation and an act; empty when nothing does."""
    if one.obstacle:
        return one.obstacle
    checks = {
        "other-establishment": bool(_elsewhere(one, act.entity)),
        "ward-of-sixteen": act.service in one.themselves,
        "other-service": not {ANY, act.service} & {*one.services},
        "other-action": not {ANY, act.action} & {*one.actions},
        "above-cap": one.cap is not None and act.amount is not None and act.amount > one.cap,
    }
    return next((rule for rule, stands in checks.items() if stands), "")


def _elsewhere(one: Representation, entity: str) -> str:
    return "other-establishment" if one.establishments and entity not in one.establishments else ""


def _nearest(obstacles: Iterable[str]) -> str:
    """What stands in the way of what came nearest; empty when nothing does."""
    found = [*obstacles]
    return "" if "" in found else max(found, key=_NEARNESS.__getitem__, default="no-representation")


def _best(
    found: list[tuple[Representation, str]], acting: Acting, act: Act, moment: datetime, facts: Facts
) -> Allowed | Denied:
    free = [one for one, obstacle in found if not obstacle]
    if not free:
        nearest = _nearest(obstacle for _, obstacle in found)
        return Denied(nearest, REASONS[nearest])
    alone = [one for one in free if not one.joint]
    if alone:
        return Allowed(alone[0].kind, False, act.digest, alone[0].evidence)
    signed = _is_signed(acting, act, moment, facts)
    return Allowed(free[0].kind, not signed, act.digest, free[0].evidence)


def _is_signed(acting: Acting, act: Act, moment: datetime, facts: Facts) -> bool:
    """Whether another director of the same company signed exactly this act, and may still do so."""
    company, now = _company_of(act, facts), int(moment.timestamp())
    own = {one.officer.key for one in facts.offices if (one.person, one.company) == (acting.person, company)}
    others = [one for one in facts.offices if one.officer.key not in own]
    return any(
        signature.digest == act.digest
        and signature.at <= now < signature.until
        and any(_signs(one, signature.person, company, act, moment.date(), facts) for one in others)
        for signature in facts.signatures
    )


def _company_of(act: Act, facts: Facts) -> str:
    """The company whose directors act: that for which it is done, or the intermediary."""
    return facts.wholes.get(act.entity, act.entity) if act.intermediary is None else act.intermediary


def _signs(office: Office, person: str, company: str, act: Act, day: date, facts: Facts) -> bool:
    cap = office.officer.cap
    return (
        (office.person, office.company, office.officer.kind) == (person, company, "director")
        and not _office_obstacle(office, facts.companies.get(company), day)
        and (cap is None or act.amount is None or act.amount <= cap)
    )


def _register(company: str, held: Held, now: int) -> Evidence:
    return Evidence("register", company, held.at, max(0, now - held.at), held.digest, held.company.notes)


# For the decision point


def properties(acting: Acting, moment: datetime, facts: Facts) -> dict[str, object]:
    """What a decision point gets to know of a representation: plain values, for AuthZEN and Cedar. No member is null;
    `grants` are those in force now, each with `kind`, `services`, `actions`, `joint`, and `cap` where there is one; `kinds`
    and `services` are of all of them together, since Cedar looks into no list of records.

    Args:
        acting: person, entity and intermediary.
        moment: aware UTC.
        facts: all that is known.
    """
    known: dict[str, object] = {"entity": entity_of(acting)}
    if acting.intermediary is not None:
        known["intermediary"] = acting.intermediary
    rule = ""
    found = [Representation("self")]
    if not is_self(acting):
        concerned = [one for one in (entity_of(acting), acting.intermediary) if one is not None]
        rule = next((rule for one in concerned if (rule := standing_rule(one, facts))), "")
        found = [] if rule else representations(acting, moment, facts)
    grants = [one for one in found if not one.obstacle and not _elsewhere(one, entity_of(acting))]
    return {
        **known,
        "standing": rule or "active",
        "kinds": sorted({one.kind for one in grants}),
        "services": sorted({service for one in grants for service in one.services}),
        "grants": [_plain(one) for one in grants],
    }


def _plain(one: Representation) -> dict[str, object]:
    made: dict[str, object] = {
        "kind": one.kind, "services": [*one.services], "actions": [*one.actions], "joint": one.joint,
    }  # fmt: skip
    return made if one.cap is None else {**made, "cap": one.cap}


# Problems


def _other_act() -> Invalid:
    return Invalid(
        "other-act",
        Text("Deze handeling is voor een ander.", "This act is for somebody else."),
        Text("Het bedrijf of de tussenpersoon is een ander dan waarvoor u handelt.",
             "The company or the intermediary is another than the one you act for."),
        Text("Kies eerst voor wie u handelt.", "Choose for whom you act first."),
    )  # fmt: skip


def _below_zero() -> Invalid:
    return Invalid(
        "amount-below-zero",
        Text("Dit bedrag kan niet.", "This amount is not possible."),
        Text("Een bedrag is nul of meer, in centen.", "An amount is zero or more, in cents."),
        Text("Verbeter het bedrag.", "Correct the amount."),
    )
