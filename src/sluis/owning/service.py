"""What an owner of data sees and does here: its datasets and disclosures, who used them, how sources are, and what a recipient
would see of somebody.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from sluis.catalogue import Measurement, kept_measurements
from sluis.disclose import Discloser, Name, Total, Use
from sluis.grounds import Dataset, Disclosure
from sluis.kernel import ACR, Clock, NotFound, PeerId, Place, Text
from sluis.ledger import Ledger
from sluis.owning.health import Sources
from sluis.owning.history import History, Version
from sluis.owning.model import Contracts, Covered, Holding, Ruled
from sluis.owning.previewing import Previews, no_disclosure
from sluis.policy import DecisionPoint, consultation, explained


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

    Attributes:
        previews: what recipients would see.
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
        self._point, self._contracts, self.name, self._clock = point, contracts, name, clock
        self.previews = Previews(holding, discloser, point, ledger, contracts, clock)
        self._disclosures = {one.id: one for one in holding.grounds.disclosures}
        self._datasets = {one.name: one for one in holding.grounds.datasets}
        self._activities = {one.id: one for one in holding.grounds.activities}
        self._by_dataset: dict[str, list[Disclosure]] = {}
        for one in holding.grounds.disclosures:
            self._by_dataset.setdefault(one.dataset, []).append(one)
        self._measured: tuple[float, Mapping[str, Measurement]] = (-1.0, {})

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
            raise no_disclosure()
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


def _no_dataset() -> NotFound:
    return NotFound(
        "unknown-dataset",
        Text("Deze dataset is er niet.", "There is no such dataset."),
        Text("Zij staat niet in de bestanden van dit knooppunt.", "It is not in the files of this node."),
        Text("Kies een dataset uit de lijst.", "Choose a dataset from the list."),
    )
