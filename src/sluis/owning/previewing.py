"""Previews: what a recipient would see of one person, for an official who says why and may look; each is on record before anything is
shown, and nobody takes many."""

import re
from collections import deque
from datetime import datetime, timedelta

import msgspec

from sluis.disclose import Discloser, Looking, Shown
from sluis.grounds import Dataset, Disclosure
from sluis.kernel import Clock, Invalid, NotFound, Refused, Text, Trace
from sluis.ledger import Ledger
from sluis.owning.model import Contracts, Holding
from sluis.policy import (
    ACTIVITY_ID,
    ASK_FOR_ROLE,
    DATA,
    PREVIEW_DATA,
    PREVIEW_SECRET,
    Action,
    Decided,
    DecisionPoint,
    Evaluation,
    Occasion,
    Resource,
    person,
    takes_role,
)
from sluis.web import SignedIn

PREVIEWS_AN_HOUR = 30
"""Of one official."""

LONGEST_REASON = 300

_NUMBERS = re.compile(r"\d[\d.\s-]{6,}\d")  # what could be somebody's number


class Seen(msgspec.Struct, frozen=True):
    """What a recipient would see, or why it would get nothing."""

    disclosure: Disclosure
    dataset: Dataset
    shown: Shown | None
    refusal: Refused | None
    at: datetime


class Lookers:
    """How often officials looked, in the last hour. Starting again gives everybody a new hour.

    Args:
        clock: aware UTC.
        most: looks an hour.
    """

    def __init__(self, clock: Clock, most: int = PREVIEWS_AN_HOUR) -> None:
        self._clock, self._most = clock, most
        self._moments: dict[str, deque[datetime]] = {}

    def look(self, who: str) -> None:
        """Somebody looks. Raises `Refused` (`preview-too-often`)."""
        now = self._clock()
        for name in [
            name for name, moments in self._moments.items() if moments[-1] <= now - timedelta(hours=1)
        ]:
            del self._moments[name]
        moments = self._moments.setdefault(who, deque())
        while moments and moments[0] <= now - timedelta(hours=1):
            moments.popleft()
        if len(moments) >= self._most:
            raise _too_often(moments[0] + timedelta(hours=1) - now)
        moments.append(now)


class Previews:
    """The previews of one node's data.

    Args:
        holding: what there is.
        discloser: answers what others ask.
        point: decides.
        ledger: the log.
        contracts: None for a node in no group.
        clock: aware UTC.
    """

    def __init__(
        self,
        holding: Holding,
        discloser: Discloser,
        point: DecisionPoint,
        ledger: Ledger,
        contracts: Contracts | None,
        clock: Clock,
    ) -> None:
        self._of, self._discloser, self._point, self._ledger = holding, discloser, point, ledger
        self._contracts, self._clock, self._lookers = contracts, clock, Lookers(clock)
        self._disclosures = {one.id: one for one in holding.grounds.disclosures}
        self._datasets = {one.name: one for one in holding.grounds.datasets}

    def possible(self) -> tuple[Disclosure, ...]:
        """Those of which something can be shown of one person."""
        return tuple(
            one
            for one in self._of.grounds.disclosures
            if one.aggregate is None and self._datasets[one.dataset].subject is not None
        )

    async def take(self, who: SignedIn, id: str, key: str, reason: str) -> Seen:
        """What the recipient of a disclosure would see of one person. It is a consultation of its own: for the activity that the
        settings name, on record before anything is shown.

        Args:
            who: the official.
            id: of the disclosure.
            key: of the person.
            reason: why.

        Raises:
            NotFound: there is no such disclosure.
            Invalid: something that was filled in is missing or wrong, and which.
            Refused: the official may not, or looked too often, or the data are under secrecy.
            Upstream: the source does not answer.
            Unkept: it cannot be recorded; nothing is shown.
        """
        if self._of.activity is None:
            raise _no_activity()
        one = self._disclosures.get(id)
        if one is None:
            raise no_disclosure()
        dataset = self._datasets[one.dataset]
        key, reason = _key(dataset, key), _reason(reason)
        now, trace = self._clock(), Trace.begin()
        subject = person(who.acting, who.acr, audience="staff", level=who.level, roles=who.roles)
        context = {
            "reason": reason, "disclosure": one.id, "recipient": str.__str__(one.recipient), "traceparent": trace.traceparent,
        }  # fmt: skip
        asked = Evaluation(
            subject,
            Action(PREVIEW_DATA, {ACTIVITY_ID: self._of.activity}),
            Resource(DATA, dataset.name),
            context,
        )
        decided = self._point.decide(asked, now)
        whom = dataset.subject
        about = None if whom is None else self._ledger.subject(whom.type, key, now)
        record = self._point.record(asked, decided, Occasion(trace, now, began=True, data_subject=about))
        if not decided.permit:
            await self._ledger.append([record])
            raise _may_not(decided, self._point.level_asked(decided))
        self._lookers.look(who.acting.person)
        records = [record]
        secret = msgspec.structs.replace(asked, action=Action(PREVIEW_SECRET, asked.action.properties))
        opens = self._point.decide(secret, now)
        if opens.permit:
            records.append(self._point.record(secret, opens, Occasion(trace, now, data_subject=about)))
        name = f"Proefblik van de bronhouder: {dataset.title.nl}"
        looking = Looking(trace, self._of.activity, tuple(records), name)
        purposes = () if self._contracts is None else tuple(self._contracts.purposes(one.recipient))
        secrecy = () if opens.permit else self._of.secrecy
        try:
            shown = await self._discloser.preview(one.id, key, looking, purposes, secrecy)
        except Refused as refusal:
            if refusal.code == "preview-secret":
                raise
            return Seen(one, dataset, None, refusal, now)
        return Seen(one, dataset, shown, None, now)


def _key(dataset: Dataset, key: str) -> str:
    """A number as the data has it. Raises `Invalid`."""
    key = " ".join(key.split())
    if dataset.subject is not None and dataset.subject.type == "BSN":
        key = key.replace(".", "").replace(" ", "")
        if not (len(key) == 9 and key.isascii() and key.isdecimal()):
            raise _wrong(
                "key",
                Text("Dit is geen BSN.", "This is not a BSN."),
                Text("Een BSN heeft negen cijfers.", "A BSN has nine digits."),
                Text("Vul het BSN in.", "Fill in the BSN."),
            )
    if not 0 < len(key) <= 100:
        raise _wrong(
            "key",
            Text("Het nummer ontbreekt, of is te lang.", "The number is missing, or too long."),
            Text(
                "Zonder nummer is niet te zien over wie het gaat.",
                "Without a number nobody knows whom it is about.",
            ),
            Text("Vul het nummer in.", "Fill in the number."),
        )
    return key


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not 10 <= len(reason) <= LONGEST_REASON:
        raise _wrong(
            "reason",
            Text("De reden ontbreekt, of is te kort of te lang.", "The reason is missing, or too short or too long."),
            Text(f"Zij komt in het logboek, in 10 tot {LONGEST_REASON} tekens.",
                 f"It goes into the log, in 10 to {LONGEST_REASON} characters."),
            Text("Schrijf waarom u dit wilt zien.", "Write why you want to see this."),
        )  # fmt: skip
    if _NUMBERS.search(reason):
        raise _wrong(
            "reason",
            Text("In de reden staat een nummer.", "There is a number in the reason."),
            Text("Wat u hier schrijft, komt in het logboek; daar hoort geen nummer van een mens in.",
                 "What you write here goes into the log; no number of a person belongs there."),
            Text("Schrijf de reden zonder nummer.", "Write the reason without a number."),
        )  # fmt: skip
    return reason


def _wrong(field: str, what: Text, why: Text, after: Text) -> Invalid:
    return Invalid(f"preview-{field}", what, why, after, field=field)


def _no_activity() -> Refused:
    return Refused(
        "preview-without-ground",
        Text("Een proefblik kan hier niet.", "There are no previews here."),
        Text("Kijken in gegevens van een mens vraagt een eigen grond, en die noemen de instellingen niet.",
             "Looking into somebody's data takes a ground of its own, and the settings name none."),
        Text("Laat de beheerder `data.preview_activity` instellen.", "Have the operator set `data.preview_activity`."),
        rule="preview-without-ground",
    )  # fmt: skip


def _may_not(decided: Decided, level: object) -> Refused:
    return Refused(
        "preview-not-yours",
        Text("U mag geen proefblik doen.", "You may not take a preview."),
        decided.reason
        or takes_role("data-owner"),
        ASK_FOR_ROLE,
        rule=decided.rule, legal=decided.legal, level=level,  # type: ignore[arg-type]
    )  # fmt: skip


class _TooOften(Refused):
    """An official looked too often (RFC 6585 §4)."""

    status = 429


def _too_often(wait: timedelta) -> Refused:
    problem = _TooOften(
        "preview-too-often",
        Text("U deed veel proefblikken.", "You took many previews."),
        Text(f"Het zijn er hoogstens {PREVIEWS_AN_HOUR} per uur.", f"At most {PREVIEWS_AN_HOUR} an hour."),
        Text("Wacht, en probeer het later opnieuw.", "Wait, and try again later."),
        rule="preview-too-often",
        retry=True,
    )
    problem.seconds = max(1, int(wait.total_seconds()))
    return problem


def no_disclosure() -> NotFound:
    """There is no disclosure by an id."""
    return NotFound(
        "unknown-disclosure",
        Text("Deze verstrekking is er niet.", "There is no such disclosure."),
        Text("Zij staat niet in de bestanden van dit knooppunt.", "It is not in the files of this node."),
        Text("Kies een verstrekking uit de lijst.", "Choose a disclosure from the list."),
    )
