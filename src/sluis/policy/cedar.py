"""Everything that touches Cedar (language version 4): texts to policies, policies to sets that are ready to be used, and
the evaluation itself. No files, no clock.

A policy set is parsed once and used many times: with a few policies an evaluation takes some 50 µs, with a thousand
1.5 ms. Hence sets of only those policies that can have to do with a request.
"""

import json
import re
from collections.abc import Collection, Iterable
from copy import copy
from typing import Any, Literal

import msgspec
from cedarpy import PolicySet, Schema, policies_to_json_str, validate_policies
from cedarpy._internal import is_authorized

from sluis.kernel import Invalid, Place, Text
from sluis.policy.values import Uid

_STATEMENT = re.compile(r'(?:[^;"/]|"(?:[^"\\]|\\.)*"|//[^\n]*|/)*;?', re.DOTALL)
_LEADING = re.compile(r"(?:\s+|//[^\n]*)*")
_FAILED = re.compile(r"error while evaluating policy `([^`]*)`")
_POLICY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CONTEXT = {"Var": "context"}
_NOTHING = "[]"
_encode = msgspec.json.Encoder().encode


class _Diagnostics(msgspec.Struct, gc=False):
    errors: list[str]
    reason: list[str] = []
    id_annotations_by_reason: dict[str, str] = {}


class _Answer(msgspec.Struct, gc=False):
    """What Cedar answers (the response of `is_authorized`, in JSON)."""

    decision: Literal["Allow", "Deny", "NoDecision"]
    diagnostics: _Diagnostics


_answer = msgspec.json.Decoder(_Answer).decode


class Policy(msgspec.Struct, frozen=True):
    """One Cedar policy.

    Args:
        id: its `@id`.
        effect: what it does where it applies.
        tree: the policy in Cedar's JSON form.
        annotations: all of them, by name.
        line: where it begins in its file, from 1.
    """

    id: str
    effect: Literal["permit", "forbid"]
    tree: dict[str, Any]
    annotations: dict[str, str]
    line: int

    @property
    def action(self) -> str | None:
        """The one action that it is about; None when it is not about just one."""
        scope = self.tree["action"]
        return scope["entity"]["id"] if scope["op"] == "==" else None

    @property
    def actions(self) -> list[str]:
        """The actions that it names."""
        scope = self.tree["action"]
        named = [scope["entity"]] if "entity" in scope else scope.get("entities", [])
        return [one["id"] for one in named]

    @property
    def reason(self) -> Text | None:
        """What its author says of it, in `@nl` and `@en`."""
        nl, en = self.annotations.get("nl"), self.annotations.get("en")
        return Text(nl or en or "", en or nl or "") if nl or en else None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What Cedar says: permit or not, the ids of the policies that determined it, and of those that failed. `undone` when
    the request itself could not be worked out."""

    permit: bool
    determining: tuple[str, ...]
    failed: tuple[str, ...] = ()
    undone: bool = False


class Slice:
    """Policies that are ready to decide.

    Args:
        policies: with ids that differ.
        known: all entities of which something is known.

    Attributes:
        looks_at: what of the context they look at; None when that is the whole of it.
        attributes: names of what they look at in any entity. Cedar takes as long to take in a value that nobody looks at
            as one that matters, and longer than to decide.
        named: every known entity that they name, and so may look at whatever the request is.
    """

    def __init__(self, policies: Iterable[Policy], known: Collection[Uid] = ()) -> None:
        trees = {one.id: one.tree for one in policies}
        self.looks_at, self.attributes = _looked_at(list(trees.values()))
        self.named = [one for one in _named(list(trees.values())) if one in known]
        document = {"staticPolicies": trees, "templates": {}, "templateLinks": []}
        self._set = PolicySet.from_json_str(json.dumps(document))

    def opening(self, text: str) -> "Slice":
        """These policies with generated ones beside them, which name nothing but the parties of the request.

        Every such slice shares these policies with this one, as they were parsed: so what all requests are held against stays
        in the processor's cache, and a slice costs a tenth to make.
        """
        made = copy(self)
        looks_at, attributes = _looked_at([one.tree for one in read_generated([text])])
        made.looks_at = None if self.looks_at is None or looks_at is None else self.looks_at | looks_at
        made.attributes = self.attributes | attributes
        made._set = self._set.with_added_str(text)
        return made

    def evaluate(
        self,
        principal: Uid,
        action: str,
        resource: Uid,
        context: dict[str, Any],
        entities: list[dict[str, Any]],
    ) -> Outcome:
        """Decide: denied unless a policy permits, and whenever one forbids.

        Args:
            principal: who.
            action: what.
            resource: to what.
            context: values as `values_of` makes them.
            entities: all that the policies may look at, in Cedar's JSON form.
        """
        request = {
            "principal": {"type": principal[0], "id": principal[1]},
            "action": {"type": "Action", "id": action},
            "resource": {"type": resource[0], "id": resource[1]},
            "context": _encode(context).decode(),
        }
        # The compiled part itself: what cedarpy puts around it takes a quarter of a decision (decision 044).
        answer = _answer(
            is_authorized(request, self._set, _encode(entities).decode() if entities else _NOTHING)
        )
        said, permit = answer.diagnostics, answer.decision == "Allow"
        names = said.id_annotations_by_reason  # generated policies have numbers for ids
        reasons = tuple(sorted([names.get(one, one) for one in said.reason]))
        if not said.errors:
            return Outcome(permit, reasons)
        failed = [match[1] for match in map(_FAILED.match, said.errors) if match]
        undone = answer.decision == "NoDecision" or len(failed) < len(said.errors)
        return Outcome(permit, reasons, tuple(sorted(failed)), undone)


def read_policies(text: str, file: str) -> tuple[Policy, ...]:
    """The policies in a text, in their order.

    Args:
        text: Cedar.
        file: what messages call it.

    Raises:
        Invalid: with the line, when it is no Cedar, a policy has no `@id` that is fit, two have the same, or one is a
            template, which permits nothing by itself.
    """
    lines = [text.count("\n", 0, at) + 1 for at, _ in _statements(text)]
    trees = _trees(text, file)
    found = tuple(_policy(tree, line, file) for tree, line in zip(trees, lines, strict=True))
    seen: set[str] = set()
    for one in found:
        if one.id in seen:
            raise twice(one.id, Place(file, one.line))
        seen.add(one.id)
    return found


def read_generated(texts: Iterable[str]) -> tuple[Policy, ...]:
    """The policies of disclosures, whose ids are made here and are of a form that no own policy can have."""
    whole = "".join(texts)
    document = json.loads(policies_to_json_str(whole)) if whole else {"staticPolicies": {}}
    trees = document["staticPolicies"]
    return tuple(_as_policy(trees[f"policy{at}"], 0) for at in range(len(trees)))


def read_schema(text: str, file: str) -> str:
    """The text of a schema, when it is one. Raises Invalid when it is not."""
    try:
        Schema.from_str(text)
    except ValueError as problem:
        raise Invalid(
            "cedar-schema",
            Text("Het schema is geen geldig Cedar-schema.", "The schema is not a valid Cedar schema."),
            Text(f"De lezer meldt: {problem}.", f"The parser says: {problem}."),
            Text("Verbeter het schema.", "Correct the schema."),
            place=Place(file),
        ) from None
    return text


def schema_faults(text: str, schema: str, file: str) -> list[Invalid]:
    """What policies, read before without a problem, say that the schema does not know of."""
    lines = [text.count("\n", 0, at) + 1 for at, _ in _statements(text)]
    errors = validate_policies(text, schema).errors
    return [
        _against_schema(one.error, Place(file, lines[int(one.policy_id.removeprefix("policy"))]))
        for one in errors
    ]


def _trees(text: str, file: str) -> list[dict[str, Any]]:
    if not text.strip():
        return []
    try:
        document = json.loads(policies_to_json_str(text))
    except ValueError as problem:
        raise _located(text, file, str(problem)) from None
    trees = document["staticPolicies"]
    if document["templates"]:
        at = next(at for at, one in _statements(text) if json.loads(policies_to_json_str(one))["templates"])
        raise _template(Place(file, text.count("\n", 0, at) + 1))
    return [trees[f"policy{at}"] for at in range(len(trees))]


def _statements(text: str) -> list[tuple[int, str]]:
    """Where each policy begins, and its text: up to the next `;` that is in no string and no comment."""
    found: list[tuple[int, str]] = []
    at = _end(_LEADING, text, 0)
    while at < len(text):
        end = _end(_STATEMENT, text, at)
        end = len(text) if end == at else end  # a string without an end: the rest is one
        found.append((at, text[at:end]))
        at = _end(_LEADING, text, end)
    return found


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _located(text: str, file: str, reason: str) -> Invalid:
    """The problem with a text, at the first policy in it that is no Cedar by itself."""
    for at, one in _statements(text):
        try:
            policies_to_json_str(one)
        except ValueError as problem:
            return _syntax(str(problem), Place(file, text.count("\n", 0, at) + 1))
    return _syntax(reason, Place(file))


def _policy(tree: dict[str, Any], line: int, file: str) -> Policy:
    if not _POLICY_ID.fullmatch(tree.get("annotations", {}).get("id") or ""):
        raise _without_id(Place(file, line))
    return _as_policy(tree, line)


def _as_policy(tree: dict[str, Any], line: int) -> Policy:
    annotations = {name: value or "" for name, value in tree["annotations"].items()}
    return Policy(annotations["id"], tree["effect"], tree, annotations, line)


def _named(tree: Any) -> frozenset[Uid]:
    found: set[Uid] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.keys() == {"type", "id"}:
                found.add((str(value["type"]), str(value["id"])))
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(tree)
    return frozenset(found)


def _looked_at(tree: Any) -> tuple[frozenset[str] | None, frozenset[str]]:
    """What policies look up: in the context (None when one takes it as a whole), and in anything else."""
    context: set[str] = set()
    others: set[str] = set()
    whole = False

    def walk(value: Any) -> None:
        nonlocal whole
        if isinstance(value, list):
            for one in value:
                walk(one)
        elif value == _CONTEXT:
            whole = True
        elif isinstance(value, dict):
            for operator, inner in value.items():
                looks = operator in (".", "has") and isinstance(inner, dict) and "attr" in inner
                if looks and inner.get("left") == _CONTEXT:
                    context.add(inner["attr"])
                    continue
                if looks:
                    others.add(inner["attr"])
                walk(inner)

    walk(tree)
    return None if whole else frozenset(context), frozenset(others)


def twice(id: str, place: Place) -> Invalid:
    """The problem of two own policies with one id."""
    return Invalid(
        "policy-twice",
        Text(f"De regel `{id}` staat er twee keer.", f"The policy `{id}` is there twice."),
        Text("Elke regel heeft een eigen `@id`.", "Each policy has an `@id` of its own."),
        Text("Geef een van de twee een andere naam.", "Give one of the two another name."),
        place=place,
    )


def _syntax(reason: str, place: Place) -> Invalid:
    return Invalid(
        "cedar-syntax",
        Text("Deze regel is geen geldige Cedar.", "This policy is not valid Cedar."),
        Text(f"De lezer meldt: {reason}.", f"The parser says: {reason}."),
        Text(
            "Kijk vanaf deze regel tot de eerstvolgende puntkomma.",
            "Look from this line to the next semicolon.",
        ),
        place=place,
    )


def _template(place: Place) -> Invalid:
    return Invalid(
        "policy-template",
        Text("Deze regel is een sjabloon.", "This policy is a template."),
        Text("`?principal` en `?resource` worden hier nooit ingevuld.", "`?principal` and `?resource` are never filled in."),
        Text("Noem zelf over wie of wat de regel gaat.", "Name yourself whom or what the policy is about."),
        place=place,
    )  # fmt: skip


def _without_id(place: Place) -> Invalid:
    return Invalid(
        "policy-without-id",
        Text("Deze regel heeft geen bruikbare naam.", "This policy has no name that is fit."),
        Text("Het logboek noemt de regel die besliste: daarvoor is `@id(\"…\")`, met letters, cijfers, `.`, `_` en `-`.",
             "The log names the policy that decided: that is what `@id(\"…\")` is for, of letters, digits, `.`, `_`, `-`."),
        Text("Zet `@id(\"korte-naam\")` boven de regel.", "Put `@id(\"short-name\")` above the policy."),
        place=place,
    )  # fmt: skip


def _against_schema(reason: str, place: Place) -> Invalid:
    return Invalid(
        "policy-against-schema",
        Text("Deze regel past niet bij het schema.", "This policy does not fit the schema."),
        Text(f"De lezer meldt: {reason}.", f"The parser says: {reason}."),
        Text("Verander de regel, of vul het schema aan.", "Change the policy, or add to the schema."),
        place=place,
    )
