"""What an owner of data sees and does here: its datasets and disclosures, who used them, how sources are, and what a recipient
would see of somebody.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from sluis.catalogue import Measurement, kept_measurements
from sluis.disclose import Discloser, Looking, Name, Shown, Total, Use
from sluis.grounds import Dataset, Disclosure, Grounds, Purpose
from sluis.kernel import ACR, Clock, Invalid, NotFound, PeerId, Place, Refused, Text, Trace
from sluis.ledger import Ledger
from sluis.owning.health import Sources
from sluis.owning.history import History, Version
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
    consultation,
    explained,
    person,
    takes_role,
)
from sluis.web import SignedIn

PREVIEWS_AN_HOUR = 30
"""Of one official."""

LONGEST_REASON = 300

_NUMBERS = re.compile(r"\d[\d.\s-]{6,}\d")  # what could be somebody's number


class Covered(msgspec.Struct, frozen=True):
    """A contract in force that covers disclosures: its hash, their ids, and its period in seconds since the epoch."""

    contract: str
    disclosures: tuple[str, ...]
    since: int
    until: int


class Contracts(Protocol):
    """The contracts of this node, as `serve` fills them in."""

    def covering(self) -> Awaitable[Sequence[Covered]]:
        """Those in force under which others reach data here."""

    def purposes(self, peer: PeerId) -> Iterable[Purpose]:
        """The purposes of those in force with a peer, from memory."""

    def waiting(self) -> Awaitable[int]:
        """How many ask for this organisation's signature."""


class SourceSettings(msgspec.Struct, frozen=True):
    """What the settings say of a source, without where it is: its kind, and what one question may cost."""

    kind: str
    seconds: float
    rows: int
    pool: int


class Holding(msgspec.Struct, frozen=True):
    """What the node is told of its own data.

    Args:
        own: this node.
        alias: its name before the dot.
        grounds: as loaded.
        places: per disclosure and dataset (folder, id) the file and line where it stands.
        activity: URI of the processing activity for previews; None where there are none.
        secrecy: (dataset, column) that say whether data are secret.
        directory: of the node.
        sources: by name.
    """

    own: PeerId
    alias: str
    grounds: Grounds
    places: Mapping[tuple[str, str], Place]
    activity: str | None
    secrecy: tuple[tuple[str, str], ...]
    directory: Path
    sources: Mapping[str, SourceSettings] = {}


class Ruled(msgspec.Struct, frozen=True):
    """What would be decided about a disclosure now, and by which policies: ids, with the place of those in files."""

    decided: Decided
    policies: tuple[tuple[str, Place | None], ...]


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


class Holdings:
    """The data of one node.

    Args:
        holding: what there is.
        use: who used it.
        sources: how they are.
        history: earlier versions of disclosures.
        discloser: answers what others ask.
        point: decides.
        ledger: the log.
        contracts: None for a node in no group.
        name: what an organisation is called.
        clock: aware UTC.
    """

    def __init__(
        self,
        holding: Holding,
        use: Use,
        sources: Sources,
        history: History,
        discloser: Discloser,
        point: DecisionPoint,
        ledger: Ledger,
        contracts: Contracts | None,
        name: Callable[[PeerId], str],
        clock: Clock,
    ) -> None:
        self.of, self.use, self.sources, self._history = holding, use, sources, history
        self._discloser, self._point, self._ledger = discloser, point, ledger
        self._contracts, self.name, self._clock = contracts, name, clock
        self._lookers = Lookers(clock)
        self._disclosures = {one.id: one for one in holding.grounds.disclosures}
        self._datasets = {one.name: one for one in holding.grounds.datasets}
        self._activities = {one.id: one for one in holding.grounds.activities}
        self._by_dataset: dict[str, list[Disclosure]] = {}
        for one in holding.grounds.disclosures:
            self._by_dataset.setdefault(one.dataset, []).append(one)
        self._measured: tuple[float, Mapping[str, Measurement]] = (-1.0, {})

    # What there is

    def has(self, *, dataset: str = "", disclosure: str = "") -> bool:
        """Whether there is such a dataset or disclosure."""
        return dataset in self._datasets or disclosure in self._disclosures

    def dataset(self, name: str) -> Dataset:
        """Raises `NotFound`."""
        found = self._datasets.get(name)
        if found is None:
            raise _no_dataset()
        return found

    def disclosure(self, id: str) -> Disclosure:
        """Raises `NotFound`."""
        found = self._disclosures.get(id)
        if found is None:
            raise _no_disclosure()
        return found

    def disclosures_of(self, dataset: str) -> Sequence[Disclosure]:
        """Those of one dataset, as their files are read."""
        return self._by_dataset.get(dataset, [])

    def activity_name(self, id: str) -> Text:
        """What an activity is called; its URI where it is not known here."""
        found = self._activities.get(id)
        return found.name if found is not None else Text(id, id)

    def purpose(self, id: str) -> Text | None:
        """What an activity is for; None where it is not known here."""
        found = self._activities.get(id)
        return found.purpose if found is not None else None

    def place(self, folder: str, id: str) -> Place | None:
        """Where something is written."""
        return self.of.places.get((folder, id))

    def today(self) -> date:
        """The day that is being counted (UTC)."""
        return self._clock().astimezone(UTC).date()

    def in_force(self, one: Disclosure) -> bool:
        """Whether a disclosure and its activity hold today."""
        activity, day = self._activities.get(one.activity), self._clock().date()
        return one.valid.holds(day) and activity is not None and activity.valid.holds(day)

    async def covered(self) -> Mapping[str, tuple[Covered, ...]] | None:
        """Per disclosure the contracts in force that cover it; None where none are needed."""
        if self._contracts is None:
            return None
        found: dict[str, tuple[Covered, ...]] = {}
        for one in await self._contracts.covering():
            for id in one.disclosures:
                found[id] = (*found.get(id, ()), one)
        return found

    async def waiting(self) -> int:
        """How many contracts wait for this organisation's signature."""
        return 0 if self._contracts is None else await self._contracts.waiting()

    def measured(self) -> Mapping[str, Measurement]:
        """What was measured of datasets, by name. Blocks; the file is read when it is another."""
        try:
            changed = (self.of.directory / "var" / "measurements.json").stat().st_mtime
        except OSError:
            return {}
        if changed != self._measured[0]:
            self._measured = (changed, kept_measurements(self.of.directory))
        return self._measured[1]

    def before(self, one: Disclosure) -> tuple[datetime | None, Version | None]:
        """As `History.before`. Blocks."""
        return self._history.before(one)

    def ruled(self, one: Disclosure, covered: bool) -> Ruled:
        """What the decision point would say to the recipient now, of who signed in at the highest level."""
        asked = consultation(
            one.recipient, "-", ACR["high"], one.activity, f"{self.of.alias}.{one.dataset}",
            agreed=[one.id] if covered else [], level="high",
        )  # fmt: skip
        why = explained(self._point.engine, asked, self._clock())
        return Ruled(why.decided, tuple(why.policies.items()))

    async def used(
        self, days: int, by: tuple[Name, ...] = (), only: Mapping[Name, str] | None = None
    ) -> list[Total]:
        """Sums over the last so many days, today included; the newest records are counted first, as far as they are few."""
        await self.use.freshen()
        last = self.today() + timedelta(1)
        return await asyncio.to_thread(self.use.totals, last - timedelta(days), last, by, only or {})

    # A preview

    def may_preview(self) -> tuple[Disclosure, ...]:
        """Those of which something can be shown of one person."""
        return tuple(
            one
            for one in self.of.grounds.disclosures
            if one.aggregate is None and self._datasets[one.dataset].subject is not None
        )

    async def preview(self, who: SignedIn, id: str, key: str, reason: str) -> Seen:
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
        if self.of.activity is None:
            raise _no_activity()
        one = self.disclosure(id)
        dataset = self._datasets[one.dataset]
        key, reason = _key(dataset, key), _reason(reason)
        now, trace = self._clock(), Trace.begin()
        subject = person(who.acting, who.acr, audience="staff", level=who.level, roles=who.roles)
        context = {
            "reason": reason, "disclosure": one.id, "recipient": str.__str__(one.recipient), "traceparent": trace.traceparent,
        }  # fmt: skip
        asked = Evaluation(
            subject,
            Action(PREVIEW_DATA, {ACTIVITY_ID: self.of.activity}),
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
        looking = Looking(trace, self.of.activity, tuple(records), name)
        purposes = () if self._contracts is None else tuple(self._contracts.purposes(one.recipient))
        secrecy = () if opens.permit else self.of.secrecy
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


def _no_dataset() -> NotFound:
    return NotFound(
        "unknown-dataset",
        Text("Deze dataset is er niet.", "There is no such dataset."),
        Text("Zij staat niet in de bestanden van dit knooppunt.", "It is not in the files of this node."),
        Text("Kies een dataset uit de lijst.", "Choose a dataset from the list."),
    )


def _no_disclosure() -> NotFound:
    return NotFound(
        "unknown-disclosure",
        Text("Deze verstrekking is er niet.", "There is no such disclosure."),
        Text("Zij staat niet in de bestanden van dit knooppunt.", "It is not in the files of this node."),
        Text("Kies een verstrekking uit de lijst.", "Choose a disclosure from the list."),
    )


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
