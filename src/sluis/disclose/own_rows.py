"""What is at the owner's own sources about one person, for the owner itself: whether there is anything, and whether it is under
secrecy. Never for anybody else."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sluis.disclose.model import Bounds, Opened
from sluis.disclose.preview import owners_question, unbounded
from sluis.disclose.readers import Pulled, Readers
from sluis.disclose.understand import understand
from sluis.disclose.views import OWN_DAY
from sluis.grounds import Dataset, Disclosure
from sluis.kernel import PeerId
from sluis.sources import Limits, Source
from sluis.statement import Combiner, bind


class OwnRows:
    """Reads the owner's own rows.

    Args:
        own: this node.
        datasets: by name.
        sources: by the name that datasets use.
        combiner: computes what sources cannot.
        readers: read sources.
        bounds: what one reading may cost.
    """

    def __init__(
        self,
        own: PeerId,
        datasets: Mapping[str, Dataset],
        sources: Mapping[str, Source],
        combiner: Combiner,
        readers: Readers,
        bounds: Bounds,
    ) -> None:
        self._own, self._datasets, self._sources = own, datasets, sources
        self._combiner, self._readers, self._bounds = combiner, readers, bounds

    async def under_secrecy(
        self, one: Opened, key: str, secrecy: Iterable[tuple[str, str]], day: date
    ) -> bool:
        """Whether one of these columns (dataset, column) says so, of those about the same kind of person. Raises `SourceFailure`."""
        about = one.dataset.subject
        for name, column in secrecy:
            dataset = self._datasets.get(name)
            subject = dataset.subject if dataset is not None else None
            if dataset is None or about is None or subject is None or subject.type != about.type:
                continue
            found = await self.of(dataset, one.disclosure, (subject.column, column), key, day)
            if any(row[column] for row in found):
                return True
        return False

    async def of(
        self, dataset: Dataset, like: Disclosure, columns: tuple[str, ...], key: str, day: date
    ) -> list[dict[str, Any]]:
        """What there is about one person, whatever is disclosed. Raises `SourceFailure`.

        Args:
            dataset: that is read.
            like: the disclosure whose recipient and activity the reading is held to.
            columns: that are read.
            key: of the person, as the dataset has it.
            day: today.
        """
        question, values = owners_question(dataset, columns, key)
        opened = {dataset.name: unbounded(dataset, like, columns)}
        # Not kept: what is kept is for questions of others.
        statement = await asyncio.to_thread(
            understand, question, self._own, opened, self._sources, self._combiner
        )
        limits = Limits(self._bounds.seconds, self._bounds.scanned_rows, self._bounds.batch_rows)
        bound = bind(statement.lists, statement.types, values)
        source = await statement.reading.start({**bound, OWN_DAY: day}, limits)
        rows: list[dict[str, Any]] = []
        pulled = Pulled([], ended=False)
        while not pulled.ended:
            pulled = await self._readers.pull(source, limits)
            rows += [row for batch in pulled.batches for row in batch.select(list(columns)).to_pylist()]
        return rows
