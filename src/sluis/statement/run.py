"""Run a plan: ask each site as soon as its keys are there, restrict it by them, and combine what came back.

A site whose key side is empty is not asked at all. Long key lists go in chunks; a list so long that reading everything
is less is left out only where the caller allows `bulk`.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sluis.kernel import Invalid, Text, Upstream
from sluis.statement import shapes
from sluis.statement.combine import Combiner
from sluis.statement.split import Fetch, FetchColumn, KeyUse, Plan

Keys = Mapping[str, pa.Array]
"""Distinct keys, no NULLs, per key parameter that is to be used; a parameter that is absent does not restrict."""

Asking = Callable[[Fetch, Keys], Awaitable[pa.Table]]
"""Asks a site for `fetch.select(frozenset(keys))`. The answer's columns have the fetch's names."""


class Pace(msgspec.Struct, frozen=True):
    """How keys are sent. A list longer than `chunk` goes in chunks, `at_once` of them at a time per fetch.

    Where a fetch may go without keys (`bulk`), it does so when they restrict little: more than `many`; more than
    `share` of the fetch's declared rows, and than one chunk; or more than `half` of the declared rows they come from.
    What nothing restricts is not even waited for.
    """

    chunk: int = 1000
    at_once: int = 4
    many: int = 10_000
    share: float = 0.2
    half: float = 0.5


_FEW = 100
"""Values that Python tells apart before Arrow has begun."""


def _no_bulk(_: Fetch) -> bool:
    return False


def _permit_all(_: Fetch, __: Keys) -> None:
    pass


def _nothing_more() -> None:
    pass


async def run(
    plan: Plan,
    ask: Asking,
    values: Mapping[str, Any],
    combiner: Combiner,
    *,
    bulk: Callable[[Fetch], bool] = _no_bulk,
    permit: Callable[[Fetch, Keys], None] = _permit_all,
    asked: Callable[[], None] = _nothing_more,
    arrived: Callable[[], None] = _nothing_more,
    pace: Pace = Pace(),  # noqa: B008 (frozen)
) -> pa.Table:
    """Answer a question.

    Args:
        plan: from `split`; may be run many times, with other values.
        ask: asks one site; called concurrently. What it raises ends the run, and the other requests with it.
        values: the question's parameters.
        combiner: computes the residual.
        bulk: whether a fetch may be sent without a key list that is too long.
        permit: called with the whole key lists of a fetch before any of it is sent; what it raises ends the run.
        asked: called when the last site is about to be asked.
        arrived: called when all answers are there, before they are combined.
        pace: how keys are sent.

    Raises:
        Invalid: `needs-everything` when an answer cannot be had by keys and `bulk` is not allowed; or what the
            combiner raises.
        Upstream: `wrong-answer` when a site's answer has other columns than asked.
    """
    tasks: dict[str, asyncio.Task[pa.Table]] = {}
    declared = {fetch.id: fetch.rows for fetch in plan.fetches}
    unasked = set(declared)

    async def one(fetch: Fetch) -> pa.Table:
        free = bulk(fetch)
        uses = [use for use in fetch.keys if use.share < 1.0 or not free]
        before = {source: await tasks[source] for use in uses for source, _ in use.sources}
        given = _keys(fetch, uses, before, declared, free, pace)
        permit(fetch, given)
        unasked.discard(fetch.id)
        if not unasked:
            asked()
        return await _ask(fetch, ask, given, pace)

    for fetch in plan.fetches:
        tasks[fetch.id] = asyncio.create_task(one(fetch))
    try:
        answers = dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))
    finally:
        await _ended(list(tasks.values()))
    arrived()
    await asyncio.sleep(0)  # what that set going goes on while this combines
    return answers["f0"] if plan.identity else await combiner.combine(plan, answers, values)


async def _ask(fetch: Fetch, ask: Asking, given: Keys, pace: Pace) -> pa.Table:
    if any(len(keys) == 0 for keys in given.values()):
        return _nothing(fetch)
    pieces = list(_pieces(given, pace.chunk))
    if len(pieces) == 1:
        return checked(fetch, await ask(fetch, pieces[0]))
    gate = asyncio.Semaphore(pace.at_once)

    async def piece(keys: Keys) -> pa.Table:
        async with gate:
            return checked(fetch, await ask(fetch, keys))

    return pa.concat_tables(await _together([piece(keys) for keys in pieces]))


async def _together(asked: list[Awaitable[pa.Table]]) -> list[pa.Table]:
    """All answers; when one fails the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel what is still under way, and wait until it is over: what it did belongs to this run."""
    under_way = [task for task in tasks if not task.done()]
    for task in under_way:
        task.cancel()
    if under_way:
        await asyncio.gather(*under_way, return_exceptions=True)


def _keys(
    fetch: Fetch,
    uses: list[KeyUse],
    before: Mapping[str, pa.Table],
    declared: Mapping[str, int | None],
    free: bool,
    pace: Pace,
) -> dict[str, pa.Array]:
    """The key lists to send. `free`: the fetch may go without."""
    given: dict[str, pa.Array] = {}
    for use in uses:
        columns = [before[source].column(name) for source, name in use.sources]
        if use.nulls and any(column.null_count for column in columns):
            if not free:
                raise _needs_everything(use)
            continue
        keys = _distinct(columns, use.type)
        if not (free and _much(len(keys), fetch, [declared[source] for source, _ in use.sources], pace)):
            given[use.parameter] = keys
    return given


def _much(count: int, fetch: Fetch, sources: list[int | None], pace: Pace) -> bool:
    """Whether so many keys restrict so little that a fetch may as well do without."""
    if count > pace.many or (
        count > pace.chunk and fetch.rows is not None and count > fetch.rows * pace.share
    ):
        return True
    known = [rows for rows in sources if rows is not None]
    return len(known) == len(sources) and count > 1 and count > sum(known) * pace.half


def _distinct(columns: list[pa.ChunkedArray], type_name: str) -> pa.Array:
    kind = shapes.arrow_type(type_name)
    if all(column.type == kind for column in columns) and sum(map(len, columns)) <= _FEW and _simple(kind):
        values = dict.fromkeys(value for column in columns for value in column.to_pylist())
        return pa.array([value for value in values if value is not None], kind)
    cast = [column if column.type == kind else column.cast(kind) for column in columns]
    chunks = [chunk for column in cast for chunk in column.chunks]
    keys = pc.unique(pa.chunked_array(chunks, type=kind)).drop_null()
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _simple(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_integer(kind))


def _pieces(given: Mapping[str, pa.Array], chunk: int) -> Iterator[Keys]:
    """The combinations of chunks: together they ask for every pair of keys once."""
    cut = [[keys.slice(start, chunk) for start in range(0, len(keys), chunk)] for keys in given.values()]
    for combination in itertools.product(*cut):
        yield dict(zip(given, combination, strict=True))


def _nothing(fetch: Fetch) -> pa.Table:
    return _schema(fetch.columns).empty_table()


@lru_cache(maxsize=1024)
def _schema(columns: tuple[FetchColumn, ...]) -> pa.Schema:
    return pa.schema([(column.name, shapes.arrow_type(column.type)) for column in columns])


def checked(fetch: Fetch, answer: pa.Table) -> pa.Table:
    """The answer with exactly the columns asked, in the types that carry theirs.

    Raises:
        Upstream: `wrong-answer` when it has others.
    """
    expected = _schema(fetch.columns)
    if answer.schema.equals(expected):
        return answer
    try:
        if len(answer.schema) != len(expected):
            raise KeyError
        return answer.select(expected.names).cast(expected)
    except (KeyError, ValueError, pa.ArrowException):
        raise Upstream(
            "wrong-answer",
            Text("Een bron gaf een onbruikbaar antwoord.", "A source gave an answer that cannot be used."),
            Text(
                "Kolommen of typen zijn anders dan gevraagd.", "Its columns or types are not those asked for."
            ),
            Text("Meld het bij wie de bron beheert.", "Report it to whoever keeps the source."),
            peer=fetch.site,
        ) from None


def _needs_everything(use: KeyUse) -> Invalid:
    return Invalid(
        "needs-everything",
        Text("Deze vraag zou een hele dataset vragen.", "This question would ask for a whole dataset."),
        Text(
            f"Links van NOT IN staat een lege waarde; dan telt elke rij van {use.table or 'de subvraag'} mee.",
            f"A NULL stands on the left of NOT IN; then every row of {use.table or 'the subquery'} matters.",
        ),
        Text("Sluit lege waarden uit met IS NOT NULL.", "Leave NULLs out with IS NOT NULL."),
    )
