"""The owner's rules about a question, as pure functions: sizes, roles, sealed columns, who is asked about.

Every refusal here reads the same whether or not the person asked about is in the data: it rests on the question and
the disclosures alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlglot import exp

from sluis.disclose.model import Bounds, Kind, Opened
from sluis.grounds import Disclosure, Role
from sluis.kernel import Conflict, Invalid, Level, Refused, Text
from sluis.policy import Decided
from sluis.statement import KeyList, SubQuestion, base_tables, dataset_of, is_base, source_of, uses

_TYPE = re.compile(r"VARCHAR|BIGINT|INTEGER|DOUBLE|BOOLEAN|DATE|TIMESTAMP|DECIMAL\(\d{1,2},\d{1,2}\)")
_TEXTS: dict[str, tuple[Text, Text]] = {
    "not-disclosed": (
        Text("Voor deze verwerkingsactiviteit is dit u niet geopend.", "This has not been opened to you for this activity."),
        Text("Vraag de bronhouder om een grondslag.", "Ask the owner for a ground."),
    ),
    "contract-missing": (
        Text("Geen geldig contract tussen u beiden opent dit voor deze verwerkingsactiviteit.",
             "No contract in force between you opens this for this activity."),
        Text("Vraag het contract aan, en wacht tot de bronhouder tekent.",
             "Request the contract, and wait until the owner signs."),
    ),
    "activity-ended": (
        Text("De verwerkingsactiviteit is niet van kracht.", "The processing activity is not in force."),
        Text("Gebruik een verwerkingsactiviteit die nu geldt.", "Use an activity that is in force now."),
    ),
    "not-valid-today": (
        Text("De verstrekking geldt vandaag niet.", "The disclosure is not in force today."),
        Text("Spreek met de bronhouder een nieuwe verstrekking af.", "Agree a new disclosure with the owner."),
    ),
    "sign-in-refused": (
        Text("De bronhouder aanvaardt deze manier van aanmelden niet.", "The owner does not accept this way of signing in."),
        Text("Meld u aan op een hoger niveau.", "Sign in at a higher level."),
    ),
    "sign-in-too-weak": (
        Text("De bronhouder vraagt een hoger betrouwbaarheidsniveau van wie handelt.",
             "The owner asks for a higher assurance level of the person who acts."),
        Text("Meld u aan op een hoger niveau, en stel de vraag opnieuw.", "Sign in at a higher level, and ask again."),
    ),
    "own-policy": (
        Text("Een eigen regel van de bronhouder staat dit niet toe.", "A policy of the owner's own does not allow this."),
        Text("Overleg met de bronhouder.", "Consult the owner."),
    ),
    "too-many-subjects": (
        Text("De vraag gaat over te veel mensen tegelijk.", "The question is about too many people at once."),
        Text("Verdeel de vraag in kleinere.", "Divide the question into smaller ones."),
    ),
    "too-many-rows": (
        Text("Het antwoord is groter dan de verstrekking toestaat.", "The answer is larger than the disclosure allows."),
        Text("Vraag minder tegelijk.", "Ask for less at once."),
    ),
    "consent-changed": (
        Text("Een betrokkene trok toestemming in terwijl het antwoord onderweg was.",
             "Somebody took consent back while the answer was under way."),
        Text("Stel de vraag opnieuw.", "Ask again."),
    ),
    "rate": (
        Text("Het aantal vragen per uur is op.", "The number of questions per hour is used up."),
        Text("Wacht een uur.", "Wait an hour."),
    ),
    "filter-budget": (
        Text("Het aantal vragen per dag op deze filterkolom is op.", "The daily number of questions on this filter is used up."),
        Text("Ga morgen verder.", "Go on tomorrow."),
    ),
    "aggregate-budget": (
        Text("Het aantal verschillende groepsvragen per dag is op.", "The daily number of different group questions is used up."),
        Text("Ga morgen verder, of herhaal een eerdere vraag.", "Go on tomorrow, or repeat an earlier question."),
    ),
    "differencing": (
        Text("Deze vraag lijkt te veel op een eerdere.", "This question is too close to an earlier one."),
        Text("Vraag met voorwaarden of groepen die meer verschillen.", "Ask with conditions or groups that differ more."),
    ),
    "standing-only": (
        Text("Voor deze verwerkingsactiviteit zijn alleen staande vragen toegestaan.",
             "For this activity only standing questions are allowed."),
        Text("Vraag voor de activiteit waarvoor u het antwoord nodig hebt.",
             "Ask for the activity that you need the answer for."),
    ),
    "no-standing-questions": (
        Text("De bronhouder staat hiervoor geen staande vragen toe.", "The owner allows no standing questions for this."),
        Text("Vraag de bronhouder om een verstrekking daarvoor, met een eigen verwerkingsactiviteit.",
             "Ask the owner for a disclosure for that, with an activity of its own."),
    ),
    "sealed-only": (
        Text("Deze kolom mag alleen verzegeld naar buiten.", "This column may only leave sealed."),
        Text("Vraag de kolom verzegeld.", "Ask for the column sealed."),
    ),
    "tokens-meet-columns": (
        Text("Verzegelde sleutels mogen alleen met een kolom van een dataset vergeleken worden.",
             "Sealed keys may only be compared with a column of a dataset."),
        Text("Vergelijk de kolom zelf.", "Compare the column itself."),
    ),
    "not-traceable": (
        Text("Van dit antwoord is niet te zeggen over wie elke rij gaat.", "Of this answer it cannot be told whom each row is about."),
        Text("Stel de delen van de vraag apart, of noem de personen.", "Ask the parts separately, or name the people."),
    ),
}  # fmt: skip
_WHAT = Text("De bronhouder geeft hierop geen antwoord.", "The owner gives no answer to this.")


def refused(rule: str, legal: str | None = None, *, retry: bool = False) -> Refused:
    """The refusal under one of the rules above; what it says depends on nothing but the rule."""
    why, after = _TEXTS[rule]
    return Refused(rule, _WHAT, why, after, rule=rule, legal=legal, retry=retry)


def refusal(decided: Decided, level: Level | None) -> Refused:
    """The refusal that the decision point gave, by a rule above or by one of the owner's own policies.

    Args:
        decided: which is no.
        level: of assurance with which it would have been another answer, where that is why.
    """
    why, after = _TEXTS.get(decided.rule, _TEXTS["own-policy"])
    return Refused(
        decided.rule, _WHAT, decided.reason or why, after, rule=decided.rule, legal=decided.legal, level=level
    )


def legal_of(opened: Iterable[Opened]) -> str | None:
    """The article to name in a refusal."""
    return next((str(article) for one in opened for article in one.disclosure.articles), None)


def require_bounds(question: SubQuestion, bounds: Bounds) -> None:
    """Refuse what is too large or misshapen to be a question. Raises `Invalid` (`question-does-not-fit`)."""
    texts = [question.activity, question.case, question.acting.person, question.acting.acr]
    keys = sum(len(keys.values) for keys in question.keys.values())
    sealed = question.seal.openers if question.seal else ()
    if (
        len(question.sql.encode()) > bounds.sql_bytes
        or keys > bounds.keys
        or len(sealed) > bounds.openers
        or any(len(one) > 2_000 for one in texts)
        or max(len(question.parameters), len(question.types), len(question.keys), len(question.disclosures))
        > 1_000
        or any(isinstance(value, str) and len(value) > 10_000 for value in question.parameters.values())
        or any(None in keys.values for keys in question.keys.values())
        or not all(map(_TYPE.fullmatch, question.types.values()))
    ):
        raise Invalid(
            "question-does-not-fit",
            Text("De deelvraag past niet.", "The sub-question does not fit."),
            Text(
                f"Er mag {bounds.sql_bytes} bytes SQL in en {bounds.keys} sleutels, geen ervan leeg.",
                f"It may hold {bounds.sql_bytes} bytes of SQL and {bounds.keys} keys, none of them empty.",
            ),
            Text("Verdeel de vraag.", "Divide the question."),
        )


def key_type(keys: KeyList) -> str:
    """The DuckDB type of keys that are compared with no column as it is: what the asker says, when that is a type it may say."""
    return keys.type if _TYPE.fullmatch(keys.type) and not keys.sealed else "VARCHAR"


def require_meant_for(opened: Iterable[Opened], standing: bool) -> None:
    """A disclosure is for standing questions, or for others: a signal about a yes or no is the answer, so one ground cannot
    be for both. Raises `Refused` (`standing-only`, `no-standing-questions`)."""
    for one in opened:
        if (one.disclosure.standing is not None) != standing:
            raise refused("no-standing-questions" if standing else "standing-only", legal_of([one]))


def require_one_dataset(question: SubQuestion) -> None:
    """A standing question is about one dataset of this owner, and nothing in it is sealed: tokens are others each time, so that
    every answer would seem another one. Raises `Invalid` (`not-one-dataset`)."""
    sealed = question.seal is not None or any(one.sealed for one in question.keys.values())
    if len(question.disclosures) != 1 or sealed or question.combining:
        raise Invalid(
            "not-one-dataset",
            Text("Deze vraag kan niet blijven staan.", "This question cannot be left standing."),
            Text("Een staande vraag gaat over één dataset van één bronhouder, zonder verzegelde kolommen.",
                 "A standing question is about one dataset of one owner, without sealed columns."),
            Text("Laat per dataset een eigen vraag staan.", "Leave a question of its own standing for each dataset."),
        )  # fmt: skip


def changed(dataset: str) -> Conflict:
    """The problem of an asker that relies on another offer than the present one."""
    return Conflict(
        "disclosure-changed",
        Text(f"De verstrekking van {dataset} is gewijzigd.", f"The disclosure of {dataset} has changed."),
        Text("U gaat uit van een andere versie.", "You rely on another version."),
        Text("Haal het aanbod opnieuw op en stel de vraag opnieuw.", "Fetch the offers again and ask again."),
        retry=True,
    )


def require_own_names(names: Sequence[tuple[str, str]], stated: Iterable[str]) -> None:
    """The SQL names exactly the datasets that the question states, and at least one: nothing is worked out without a
    disclosure. Raises `Invalid` (`datasets-differ`)."""
    if not names or any(alias for alias, _ in names) or {name for _, name in names} != set(stated):
        raise Invalid(
            "datasets-differ",
            Text("De deelvraag klopt niet.", "The sub-question is not consistent."),
            Text(
                "De SQL gebruikt andere datasets dan erbij genoemd zijn.",
                "The SQL uses other datasets than are named with it.",
            ),
            Text("Werk het vragende knooppunt bij.", "Update the node that asks."),
        )


def kind_of(opened: Mapping[str, Opened], asker: str, combining: bool, summarises: bool) -> Kind:
    """Which rules the answer falls under. Only the combiner that every such disclosure names gets rows of data that
    may leave as groups only, and only when it says that it combines.

    Args:
        opened: by dataset.
        asker: OIN of who asks.
        combining: whether it says that it combines.
        summarises: whether the question has aggregates, and no rows.
    """
    rules = [one.disclosure.aggregate for one in opened.values() if one.disclosure.aggregate is not None]
    if not rules:
        return "summary" if summarises else "rows"
    if combining and all(rule.combiner == asker for rule in rules):
        return "combining"
    return "groups"


def roles_for(
    tree: exp.Query, opened: Mapping[str, Opened], kind: Kind, sealed_parameters: Sequence[str]
) -> dict[tuple[str, str], Disclosure]:
    """The disclosures as they count for this question: a column that sealed tokens bind, every column set equal to
    such a one, and the subject of rows for a combiner, may only be joined and leave sealed, whatever it was opened for.

    Args:
        tree: the question, qualified.
        opened: by dataset.
        kind: which rules the answer falls under.
        sealed_parameters: names of those whose values come as tokens.

    Returns:
        by (schema, dataset), as `statement.columns` takes them; the schema is empty.

    Raises:
        Refused: `tokens-meet-columns`.
    """
    joined = _bound_by_tokens(tree, sealed_parameters)
    if kind == "combining":
        for name, one in opened.items():
            if one.disclosure.aggregate is not None and one.dataset.subject is not None:
                joined.add((name, one.dataset.subject.column))
    found = {}
    for name, one in opened.items():
        narrowed: dict[str, Role] = {
            column: "join" if role == "output" and (name, column) in joined else role
            for column, role in one.disclosure.columns.items()
        }
        found["", name] = msgspec.structs.replace(one.disclosure, columns=narrowed)
    return found


def _bound_by_tokens(tree: exp.Query, sealed: Sequence[str]) -> set[tuple[str, str]]:
    """(dataset, column) for every column that a list of tokens binds, or that equals one, over any number of steps."""
    if not sealed:
        return set()
    edges: list[tuple[tuple[str, str], tuple[str, str]]] = []
    bound: set[tuple[str, str]] = set()
    for node in tree.find_all(exp.EQ):
        one, other = _place(node.left), _place(node.right)
        if one and other:
            edges += [(one, other), (other, one)]
        for place, value in ((one, node.right.unnest()), (other, node.left.unnest())):
            if isinstance(value, exp.Any) and value.this.unnest().name in sealed:
                if place is None:  # behind an expression or a subquery: the column itself would stay open
                    raise refused("tokens-meet-columns")
                bound.add(place)
    for node in tree.find_all(exp.In):
        query = node.args.get("query")
        inner = query.unnest() if query is not None else None
        if isinstance(inner, exp.Select) and len(inner.expressions) == 1:
            one, other = _place(node.this), _place(inner.expressions[0].unalias())
            if one and other:
                edges += [(one, other), (other, one)]
    while more := {right for left, right in edges if left in bound} - bound:
        bound |= more
    return bound


def _place(node: exp.Expression) -> tuple[str, str] | None:
    node = node.unnest()
    table = source_of(node) if isinstance(node, exp.Column) and node.table else None
    if not isinstance(table, exp.Table) or not is_base(table):
        return None
    return dataset_of(table)[1], node.name.lower()


def require_sealed_outputs(
    tree: exp.Query, sealed: Sequence[str], types: Mapping[str, Mapping[str, str]]
) -> None:
    """What leaves as a token is a plain column of a dataset: a token of a constant would let the asker make its own.

    Raises:
        Invalid: `sealed-column`.
    """
    if not sealed:
        return
    outputs = {item.alias_or_name.lower(): item.unalias() for item in tree.selects}
    for name in sealed:
        node = outputs.get(name.lower())
        place = _place(node) if isinstance(node, exp.Column) else None
        if not isinstance(tree, exp.Select) or place is None or types[place[0]][place[1]] == "DOUBLE":
            raise Invalid(
                "sealed-column",
                Text("Deze uitkomst kan niet verzegeld worden.", "This output cannot be sealed."),
                Text("Alleen een kolom van een dataset kan dat.", "Only a column of a dataset can."),
                Text("Vraag de kolom zelf.", "Ask for the column itself."),
            )


def used_columns(tree: exp.Query) -> dict[str, tuple[str, ...]]:
    """Per dataset the columns a question uses, in order of name."""
    found: dict[str, set[str]] = {name: set() for _, name in map(dataset_of, base_tables(tree))}
    for use in uses(tree):
        found[use.dataset[1]].add(use.name)
    return {name: tuple(sorted(columns)) for name, columns in sorted(found.items())}
