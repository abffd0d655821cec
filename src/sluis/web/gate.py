"""What a person wants to do at this node itself, put to the decision point before it is done. The answer is on record
before anything follows from it (Authorization Decision Log 0.0.1)."""

from sluis.kernel import Acting, Refused
from sluis.policy import Action, DecisionPoint, Evaluation, Resource, Subject, person
from sluis.web.access import Person
from sluis.web.visitors import SignedIn


class Gate:
    """Lets through what the decision point permits.

    Args:
        point: which decides.
    """

    def __init__(self, point: DecisionPoint) -> None:
        self._point = point

    async def require(
        self, who: Person | SignedIn, action: str, resource: Resource, otherwise: Refused
    ) -> None:
        """Ask whether this person may do this.

        Args:
            who: the person.
            action: what.
            resource: to what.
            otherwise: what to tell when the policies say no and do not say why.

        Raises:
            Refused: `otherwise`, with the rule, the law, the reason and the level that the policies name.
            Unkept: it could not be recorded: then nothing is permitted.
        """
        decided = await self._point.evaluate(Evaluation(_subject(who), Action(action), resource))
        if not decided.permit:
            raise Refused(
                otherwise.code, otherwise.what, decided.reason or otherwise.why, otherwise.next, rule=decided.rule,
                legal=decided.legal, level=self._point.level_asked(decided),
            )  # fmt: skip

    def offers(self, who: SignedIn, action: str, resource: Resource) -> bool:
        """Whether a page offers this person to do this: what the same policies say, on no record, since nothing is done yet.
        Arguments as `require`, which is still asked when they do it."""
        return self._point.decide(Evaluation(_subject(who), Action(action), resource)).permit


def _subject(who: Person | SignedIn) -> Subject:
    if isinstance(who, Person):
        return person(Acting(who.person), who.acr, audience="staff", level=who.level, roles=who.roles)
    represents = {} if who.represents is None else who.represents.properties
    return person(
        who.acting, who.acr, audience=who.audience, level=who.level, roles=who.roles, represents=represents
    )
