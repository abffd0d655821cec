"""The doctor looks at the register of processing: whether an article of law that it rests on has changed since the last review, and
whether the node knows of versions of laws at all.

The register's own pages say the same for each activity; here it is for who runs the node, who places the list of laws.
"""

import asyncio
from collections.abc import Mapping, Sequence

from litestar import get
from litestar.handlers import HTTPRouteHandler

from sluis.gateway import Diagnosis, Step
from sluis.kernel import Problem, Text, written_day
from sluis.oversight.desk import not_yours
from sluis.oversight.laws import LAWS_FILE
from sluis.oversight.model import Entry, Standing, Version
from sluis.oversight.service import Oversight
from sluis.policy import OVERSIGHT, READ_OVERSIGHT, Resource
from sluis.web import Gate, Person

LAWS = "laws"
"""Name of the step."""

_NAMED = 5  # places in the law that are named in one step


async def examine(oversight: Oversight) -> tuple[Step, ...]:
    """What is well and what is not. Raises `Unkept`."""
    entries = await oversight.entries()
    standings = await asyncio.to_thread(oversight.reviews.standings, entries)
    return (laws_step(entries, standings, oversight.reviews.versions(), oversight.reviews.problem),)


def laws_step(
    entries: Sequence[Entry],
    standings: Mapping[str, Standing],
    versions: Sequence[Version],
    problem: Problem | None,
) -> Step:
    """Whether articles changed.

    Args:
        entries: the register.
        standings: how each entry stands, by the URI of its activity.
        versions: of laws, as far as they are known.
        problem: what is wrong with the list of those.
    """
    if problem is not None:
        return _wrong(problem.why, problem.next)
    if not versions:
        return Step(
            LAWS, "skipped",
            f"Er is geen lijst van wetten ({LAWS_FILE}): dat een artikel verandert, merkt dit knooppunt niet.",
            f"There is no list of laws ({LAWS_FILE}): this node does not notice that an article changes.",
            _READ.nl, _READ.en,
        )  # fmt: skip
    touched = [one for one in entries if standings[one.activity.id].changed]
    if not touched:
        laws = len({one.bwb for one in versions})
        return Step(
            LAWS, "ok",
            f"Geen artikel veranderde sinds het werd getoetst. Bekende wetten: {laws}.",
            f"No article changed since it was reviewed. Laws that are known: {laws}.",
        )  # fmt: skip
    changed = list(dict.fromkeys(each for one in touched for each in standings[one.activity.id].changed))
    days = [(one.place, written_day(one.since)) for one in changed[:_NAMED]]
    nl = ", ".join(f"{place} ({day.nl})" for place, day in days)
    en = ", ".join(f"{place} ({day.en})" for place, day in days)
    if more := len(changed) - len(days):
        nl, en = f"{nl} en nog {more}", f"{en} and {more} more"
    return _wrong(
        Text(f"Gewijzigd sinds de laatste toets: {nl}. Verwerkingen die daarop rusten: {len(touched)}.",
             f"Changed since the last review: {en}. Activities that rest on it: {len(touched)}."),
        _REVIEW,
    )  # fmt: skip


def diagnosis_routes(oversight: Oversight, gate: Gate) -> list[HTTPRouteHandler]:
    """The route for operators, on the node's own socket.

    Args:
        oversight: of this node.
        gate: asks who may.
    """

    @get("/register/diagnosis", summary="Of het register van verwerkingen nog klopt met de wet", tags=["toezicht"],
         response_description="Per punt wat er is, en wat helpt.")  # fmt: skip
    async def diagnosis(person: Person) -> Diagnosis:
        resource = Resource(OVERSIGHT, str.__str__(oversight.of.oin))
        await gate.require(person, READ_OVERSIGHT, resource, not_yours())
        steps = await examine(oversight)
        return Diagnosis(all(step.result != "wrong" for step in steps), steps)

    return [diagnosis]


def _wrong(saw: Text, helps: Text) -> Step:
    return Step(LAWS, "wrong", saw.nl, saw.en, helps.nl, helps.en)


_READ = Text(
    "Lees de versies van de wetten in die het register noemt: sluis register laws manifest.xml.",
    "Read in the versions of the laws that the register names: sluis register laws manifest.xml.",
)
_REVIEW = Text(
    "Laat de privacyfunctionaris deze verwerkingen opnieuw toetsen, onder Register van verwerkingen.",
    "Have the privacy officer review these activities again, under Register of processing.",
)
