"""Deciding: policies, a request and a moment in; a decision out. No clock, no storage: the same three give the same
decision years later, which is what replaying a record is.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from sluis.crypto import canonical
from sluis.kernel import Level, Place, plain
from sluis.policy.cedar import Outcome, Policy, Slice, read_policies, twice
from sluis.policy.disclosures import day_number
from sluis.policy.model import (
    CONSULT,
    OPENED,
    Decided,
    Evaluation,
    Facts,
    Policies,
    Resource,
    Ruling,
    Subject,
)
from sluis.policy.rules import applies, facts_of, why_not
from sluis.policy.values import Uid, references, uid_of, values_of

_SLICES = 2048
_OWN = frozenset({"activity", "acr", "level", "day", "minute", "agreed", "action"})
"""What policies find in the context whatever the request says."""
_UNKNOWN: "_Entity" = {"attrs": {}, "parents": []}
_Entity = dict[str, Any]
_Pair = tuple[str, str, str]
_Opened = tuple[str, str, str, str]
"""An action, a peer, an activity, and a dataset or type of event."""


class Engine:
    """Decides by one version of the policies. May be used from any thread.

    Args:
        policies: texts that were read before without a problem.

    Attributes:
        version: the digest of the policies: `sha256:` and 64 hex digits over their canonical JSON.
        policies: as given.
        own: the organisation's own policies, by id.
        entities: what is known, by type and id.
    """

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.version = digest_of(policies)
        self.own: dict[str, Policy] = {}
        for file, text in sorted(policies.own.items()):
            for one in read_policies(text, file):
                if one.id in self.own:
                    raise twice(one.id, Place(file, one.line))
                self.own[one.id] = one
        self.entities: dict[Uid, _Entity] = {_uid(one): one for one in policies.entities}
        self._placed = {uid for uid, one in self.entities.items() if one["parents"] or one.get("tags")}
        self._rulings = {one.policy: one for one in policies.rulings}
        self._pairs: dict[_Pair, list[Ruling]] = {}
        for ruling in policies.rulings:
            pair = ruling.action, ruling.recipient, ruling.activity
            self._pairs.setdefault(pair, []).append(ruling)
        self._opening: dict[_Opened, str] = {}
        for ruling in policies.rulings:
            opened = ruling.action, ruling.recipient, ruling.activity, ruling.dataset
            self._opening[opened] = self._opening.get(opened, "") + ruling.text
        self._actions = {one.action for one in self.own.values()} - {None} | OPENED.keys()
        self._choosing = Lock()
        self._ids: dict[str, list[str]] | None = None
        self._own_slices: dict[str | None, Slice] = {}
        self._slices: OrderedDict[_Opened, Slice] = OrderedDict()

    def decide(self, evaluation: Evaluation, moment: datetime) -> Decided:
        """Decide on a request.

        Args:
            evaluation: the request.
            moment: aware; policies see its day and its time in UTC, not those that a request claims.

        Raises:
            Invalid: a value in the request has no meaning for policies.
        """
        moment = moment.astimezone(UTC)
        facts = facts_of(evaluation, moment, self.policies.contracts)
        outcome = self._evaluate(evaluation, facts, moment)
        failed = [id for id in outcome.failed if id in self.own and self.own[id].effect == "forbid"]
        if failed or outcome.undone:
            return Decided(False, "policy-failed", policies=tuple(failed), version=self.version, failed=True)
        if outcome.permit:
            return self._permitted(outcome)
        return self._denied(evaluation, facts, outcome)

    def minimum_level(self, disclosure: str | None) -> Level | None:
        """The level that a disclosure asks."""
        return next(
            (one.minimum_level for one in self.policies.rulings if one.disclosure == disclosure), None
        )

    def actions(self) -> list[str]:
        """Every action that a policy names, sorted."""
        named = {name for one in self.own.values() for name in one.actions}
        listed = {id for kind, id in self.entities if kind == "Action"}
        return sorted(named | listed | {one.action for one in self._rulings.values()})

    def known(self, type: str) -> list[str]:
        """The ids of all that is known of a type, sorted."""
        if self._ids is None:
            ids: dict[str, list[str]] = {}
            for kind, id in sorted(self.entities):
                named, _, rest = id.partition(" ") if kind == "Linked" else (kind, "", id)
                ids.setdefault(named, []).append(rest)
            self._ids = ids
        return self._ids.get(type, [])

    def _evaluate(self, evaluation: Evaluation, facts: Facts, moment: datetime) -> Outcome:
        """Ask Cedar, with those values alone that a policy looks at."""
        subject, resource, action = evaluation.subject, evaluation.resource, evaluation.action.name
        policies = self._slice(facts, action)
        principal, thing = uid_of(subject.type, subject.id), uid_of(resource.type, resource.id)
        context = _context(evaluation, facts, moment, policies.looks_at)
        entities: list[_Entity] = []
        seen = principal, thing, ("Action", action), *policies.named
        if policies.attributes or not self._placed.isdisjoint(seen):
            given = {principal: _given(subject, policies)}
            given[thing] = {**given.get(thing, {}), **_given(resource, policies)}
            entities = self._reachable(given, ("Action", action), policies)
        return policies.evaluate(principal, action, thing, context, entities)

    def _slice(self, facts: Facts, action: str) -> Slice:
        """The policies that can have to do with it. For a consultation: what opens that dataset to that peer for that
        activity, and what forbids; nothing but a disclosure can permit one. So for a notice."""
        opened = action, facts.peer, facts.activity, facts.dataset
        with self._choosing:
            found = self._slices.get(opened)
            if found is not None:
                self._slices.move_to_end(opened)
                return found
            own, text = self._own_slice(action), self._opening.get(opened)
            if text is None:
                return own
            self._slices[opened] = own.opening(text)
            if len(self._slices) > _SLICES:
                self._slices.popitem(last=False)
            return self._slices[opened]

    def _own_slice(self, action: str) -> Slice:
        """The organisation's own policies for an action."""
        key = action if action in self._actions else None
        found = self._own_slices.get(key)
        if found is None:
            chosen = [one for one in self.own.values() if one.action in (None, action)]
            if action in OPENED:
                chosen = [one for one in chosen if one.effect == "forbid"]
            found = self._own_slices[key] = Slice(chosen, self.entities.keys())
        return found

    def _reachable(self, given: dict[Uid, dict[str, Any]], action: Uid, policies: Slice) -> list[_Entity]:
        """What policies can look at: the parties, with what the request says of them, and all that these and the policies
        point at. What the request says goes before what was known: who may say who it is may say what it is."""
        found: dict[Uid, _Entity | None] = {}
        waiting: list[Uid] = [*given, action, *policies.named]
        while waiting:
            uid = waiting.pop()
            known = self.entities.get(uid)
            if uid in found or (known is None and uid not in given):
                continue
            attributes = given.get(uid, {})
            if known is not None:
                attributes = _looked_at(known["attrs"], policies) | attributes
                waiting += map(_uid_of, known["parents"])
                waiting += references([attributes, known.get("tags")])
            found[uid] = _entity(uid, attributes, known or _UNKNOWN)
        return [one for one in found.values() if one is not None]

    def _permitted(self, outcome: Outcome) -> Decided:
        opened = [self._rulings[id] for id in outcome.determining if id in self._rulings]
        if opened:
            chosen = applies(opened)
            rule = "disclosed" if chosen.action == CONSULT else "notified"
            return Decided(True, rule, chosen.disclosure, chosen.article, outcome.determining, self.version)
        return self._by_own(True, outcome.determining)

    def _denied(self, evaluation: Evaluation, facts: Facts, outcome: Outcome) -> Decided:
        if facts.action in OPENED:
            refusal = why_not(facts, self._pairs.get((facts.action, facts.peer, facts.activity), ()))
            if refusal is not None:
                closest = refusal.closest
                return Decided(
                    False, refusal.rule, closest.disclosure if closest else None,
                    closest.article if closest else None, outcome.determining, self.version,
                )  # fmt: skip
        return self._by_own(False, outcome.determining)

    def _by_own(self, permit: bool, determining: Sequence[str]) -> Decided:
        """Decided by the organisation's own policies: the first by name gives the reason."""
        first: Policy | None = self.own[determining[0]] if determining else None
        if first is None:
            return Decided(False, "no-policy", version=self.version)
        return Decided(
            permit,
            first.id,
            None,
            first.annotations.get("article"),
            tuple(determining),
            self.version,
            first.reason,
        )


def digest_of(policies: Policies) -> str:
    """The digest by which records name a version of the policies."""
    return f"sha256:{sha256(canonical(plain(policies))).hexdigest()}"


def _given(one: Subject | Resource, policies: Slice) -> dict[str, Any]:
    """What a request says of a party, as attributes."""
    linked = (
        {"type": one.type, "id": one.id}
        if policies.attributes and uid_of(one.type, "")[0] == "Linked"
        else {}
    )
    return _looked_at(values_of(_looked_at(one.properties, policies)) | linked, policies)


def _looked_at(attributes: dict[str, Any], policies: Slice) -> dict[str, Any]:
    wanted = policies.attributes
    return {name: value for name, value in attributes.items() if name in wanted} if wanted else {}


def _context(
    evaluation: Evaluation, facts: Facts, moment: datetime, wanted: frozenset[str] | None
) -> dict[str, Any]:
    """The context: what the node knows itself stands above what the request claims."""
    told = evaluation.context
    names = (told.keys() | _OWN) if wanted is None else wanted
    context: dict[str, Any] = {}
    if not names <= _OWN:
        context = values_of({name: told[name] for name in names if name in told and name not in _OWN})
    for name in names:
        match name:
            case "activity":
                context[name] = facts.activity
            case "acr":
                context[name] = facts.acr
            case "level":
                context[name] = facts.level
            case "day":
                context[name] = day_number(facts.day)
            case "minute":
                context[name] = moment.hour * 60 + moment.minute
            case "agreed":
                context[name] = sorted(facts.agreed or ())
            case "action":
                context[name] = values_of(evaluation.action.properties)
    return context


def _entity(uid: Uid, attributes: dict[str, Any], known: _Entity) -> _Entity | None:
    """An entity as Cedar takes it; None when there is nothing to see of it."""
    parents, tags = known["parents"], known.get("tags")
    if not (attributes or parents or tags):
        return None
    made = {"uid": {"type": uid[0], "id": uid[1]}, "attrs": attributes, "parents": parents}
    return {**made, "tags": tags} if tags else made


def _uid(entity: _Entity) -> Uid:
    return _uid_of(entity["uid"])


def _uid_of(reference: dict[str, Any]) -> Uid:
    inner = reference.get("__entity", reference)
    return str(inner["type"]), str(inner["id"])
