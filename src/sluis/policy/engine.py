"""Deciding: policies, a request and a moment in; a decision out. No clock, no storage: the same three give the same
decision years later, which is what replaying a record is.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sluis.crypto import canonical
from sluis.kernel import Level, plain
from sluis.policy.cedar import Outcome, Policy, Slice, named_entities, read_generated, read_policies
from sluis.policy.disclosures import day_number
from sluis.policy.model import CONSULT, Decided, Evaluation, Facts, Policies, Ruling
from sluis.policy.rules import applies, facts_of, why_not
from sluis.policy.values import Uid, references, uid_of, values_of

_SLICES = 1024
_Entity = dict[str, Any]
_Pair = tuple[str, str]


class Engine:
    """Decides by one version of the policies.

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
        self.own = {
            one.id: one for file, text in sorted(policies.own.items()) for one in read_policies(text, file)
        }
        self.entities: dict[Uid, _Entity] = {_uid(one): one for one in policies.entities}
        self._rulings = {one.policy: one for one in policies.rulings}
        self._pairs: dict[_Pair, list[Ruling]] = {}
        for one in policies.rulings:
            self._pairs.setdefault((one.recipient, one.activity), []).append(one)
        self._opening = {one.id: one for one in read_generated(one.text for one in policies.rulings)}
        self._named = named_entities(list(self.own.values()))
        self._actions = {one.action for one in self.own.values()} - {None}
        self._ids: dict[str, list[str]] | None = None
        self._slices: OrderedDict[tuple[str | None, _Pair | None], Slice] = OrderedDict()

    def decide(self, evaluation: Evaluation, moment: datetime) -> Decided:
        """Decide on a request.

        Args:
            evaluation: the request.
            moment: aware UTC; policies see its day and its time, not those that a request claims.

        Raises:
            Invalid: a value in the request has no meaning for policies.
        """
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
        return sorted(named | listed | ({CONSULT} if self._rulings else set()))

    def known(self, type: str) -> list[str]:
        """The ids of all that is known of a type, sorted."""
        if self._ids is None:
            self._ids = {}
            for kind, id in sorted(self.entities):
                named, _, rest = id.partition(" ") if kind == "Linked" else (kind, "", id)
                self._ids.setdefault(named, []).append(rest)
        return self._ids.get(type, [])

    def _evaluate(self, evaluation: Evaluation, facts: Facts, moment: datetime) -> Outcome:
        principal = uid_of(evaluation.subject.type, evaluation.subject.id)
        resource = uid_of(evaluation.resource.type, evaluation.resource.id)
        given: dict[Uid, dict[str, Any]] = {}
        for uid, one in ((principal, evaluation.subject), (resource, evaluation.resource)):
            attributes = values_of(one.properties)
            if uid[0] == "Linked":
                attributes |= {"type": one.type, "id": one.id}
            given[uid] = {**given.get(uid, {}), **attributes}
        context = {
            **values_of(evaluation.context),
            "action": values_of(evaluation.action.properties),
            "activity": facts.activity,
            "acr": facts.acr,
            "level": facts.level,
            "day": day_number(facts.day),
            "minute": moment.hour * 60 + moment.minute,
            "agreed": sorted(facts.agreed or ()),
        }
        action = evaluation.action.name
        entities = self._reachable(given, ("Action", action))
        return self._slice(facts, action).evaluate(principal, action, resource, context, entities)

    def _slice(self, facts: Facts, action: str) -> Slice:
        """The policies that can have to do with it. For a consultation: the disclosures to that peer for that activity,
        and what forbids; nothing but a disclosure can permit one."""
        pair = (facts.peer, facts.activity) if (facts.peer, facts.activity) in self._pairs else None
        key = (action if action in self._actions or action == CONSULT else None, pair)
        found = self._slices.get(key)
        if found is None:
            chosen = [one for one in self.own.values() if one.action in (None, action)]
            if action == CONSULT:
                chosen = [one for one in chosen if one.effect == "forbid"]
                chosen += [self._opening[one.policy] for one in self._pairs.get(pair or ("", ""), ())]
            found = self._slices[key] = Slice(chosen)
            if len(self._slices) > _SLICES:
                self._slices.popitem(last=False)
        self._slices.move_to_end(key)
        return found

    def _reachable(self, given: dict[Uid, dict[str, Any]], action: Uid) -> list[_Entity]:
        """What policies can look at: the parties, with what the request says of them, and all that these and the policies
        point at. What the request says goes before what was known: who may say who it is may say what it is."""
        found: dict[Uid, _Entity] = {}
        waiting: list[Uid] = [*given, action, *self._named]
        while waiting:
            uid = waiting.pop()
            known = self.entities.get(uid)
            if uid in found or (known is None and uid not in given):
                continue
            attributes = {**(known or {}).get("attrs", {}), **given.get(uid, {})}
            parents = (known or {}).get("parents", [])
            found[uid] = {"uid": {"type": uid[0], "id": uid[1]}, "attrs": attributes, "parents": parents}
            if known is not None:
                waiting += [_uid_of(one) for one in parents]
                waiting += references(attributes)
        return list(found.values())

    def _permitted(self, outcome: Outcome) -> Decided:
        opened = [self._rulings[id] for id in outcome.determining if id in self._rulings]
        if opened:
            chosen = applies(opened)
            return Decided(
                True, "disclosed", chosen.disclosure, chosen.article, outcome.determining, self.version
            )
        return self._by_own(True, outcome.determining)

    def _denied(self, evaluation: Evaluation, facts: Facts, outcome: Outcome) -> Decided:
        if evaluation.action.name == CONSULT:
            refusal = why_not(facts, self._pairs.get((facts.peer, facts.activity), ()))
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


def _uid(entity: _Entity) -> Uid:
    return _uid_of(entity["uid"])


def _uid_of(reference: dict[str, Any]) -> Uid:
    inner = reference.get("__entity", reference)
    return str(inner["type"]), str(inner["id"])
