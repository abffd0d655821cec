"""What a question would do, told from plan and disclosures alone: text, never counts, and nobody is asked."""

from collections.abc import Iterator, Mapping

from sluis.grounds import Offer
from sluis.kernel import LEVELS, Level, Problem, Text
from sluis.query.model import ExplainedColumn, ExplainedPart, Explanation, Missing, Question
from sluis.query.plan import Part, Ready
from sluis.statement import Fetch


def explanation(question: Question, ready: Ready, missing: Mapping[str, Problem]) -> Explanation:
    """The parts of a ready question, per owner, in the order in which they would be asked; `missing` are owners that it was
    made ready without, and why."""
    return Explanation(
        question=question.sql,
        activity=ready.activity.id,
        purpose=ready.activity.purpose,
        parts=tuple(_part(ready, fetch) for fetch in ready.plan.fetches),
        provenance=ready.provenance,
        closed=ready.closed,
        missing=tuple(Missing(alias, problem.members()) for alias, problem in missing.items()),
    )


def _part(ready: Ready, fetch: Fetch) -> ExplainedPart:
    part = ready.part(fetch)
    return ExplainedPart(
        owner=part.alias,
        datasets=tuple(offer.dataset for offer in part.offers),
        sql=part.sql,
        columns={offer.dataset: _columns(offer) for offer in part.offers},
        rows=tuple(text for offer in part.offers for text in _rows(offer)),
        articles=tuple(
            dict.fromkeys(str(article) for offer in part.offers for article in offer.disclosure.articles)
        ),
        level=_level(part),
        keys_from=tuple(dict.fromkeys(_keys_from(ready, fetch, part))),
    )


def _level(part: Part) -> Level | None:
    """What all datasets of a part together ask."""
    asked = [one.disclosure.minimum_level for one in part.offers if one.disclosure.minimum_level is not None]
    return max(asked, key=LEVELS.index, default=None)


def _keys_from(ready: Ready, fetch: Fetch, part: Part) -> Iterator[str]:
    sites = {one.id: one.site for one in ready.plan.fetches}
    for use in fetch.keys:
        for source, _ in use.sources:
            yield sites[source] + (" (sealed)" if use.parameter in part.sealed_keys else "")


def _columns(offer: Offer) -> tuple[ExplainedColumn, ...]:
    masks = offer.disclosure.masks
    return tuple(
        ExplainedColumn(name, role, masks.get(name)) for name, role in offer.disclosure.columns.items()
    )


def _rows(offer: Offer) -> list[Text]:
    disclosure = offer.disclosure
    said = []
    if disclosure.rows:
        said.append(
            disclosure.rows_because
            or Text(
                f"Alleen rijen waarvoor geldt: {disclosure.rows}", f"Only rows for which: {disclosure.rows}"
            )
        )
    if disclosure.subject_required and offer.subject:
        said.append(Text(
            f"Alleen over mensen die de vraag noemt, hoogstens {disclosure.max_subjects}.",
            f"Only about people the question names, at most {disclosure.max_subjects}.",
        ))  # fmt: skip
    if disclosure.aggregate:
        least = disclosure.aggregate.minimum
        said.append(
            Text(f"Alleen groepen van ten minste {least} mensen.", f"Only groups of at least {least} people.")
        )
    return said
