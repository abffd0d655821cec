"""The contracts of the demo: the municipality requests one of each owner for each purpose, and the owner signs it.

Both do so at their own node, as `sluis fsc request` and `sluis fsc sign` do. Nodes find each other through the
directory after they have started, so whoever is early asks again a moment later.
"""

import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from sluis.kernel import Problem
from sluis_demo.federation import Place

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that nodes get to find each other."""

_AGAIN = 0.1  # seconds between two tries
_NOT_YET = ("not-connected", "unknown-contract")


class Opened(msgspec.Struct, frozen=True):
    """What a contract opens of a dataset: columns with their role, on which articles."""

    dataset: str
    columns: dict[str, str]
    articles: tuple[str, ...]


class Agreed(msgspec.Struct, frozen=True):
    """A contract as its owner sees it: for which activity, what it opens, and the names of who signed."""

    owner: str
    activity: str
    contract: str
    grant: str
    state: str
    signed: tuple[str, ...]
    opens: tuple[Opened, ...]


class Crossed(msgspec.Struct, frozen=True):
    """A request under a contract: its number, and in whose transaction logs it stands."""

    owner: str
    grant: str
    transaction: str
    logs: tuple[str, ...]


def agree(asker: Place, owners: Iterable[Place]) -> tuple[Agreed, ...]:
    """A contract with every owner for each activity for which it opens something to the asker.

    Args:
        asker: whose node runs.
        owners: whose nodes run.
    Raises: Problem: what a node answered, also when it was asked again for a while.
    """
    wishes = [(owner, _activities(asker, owner)) for owner in owners if _activities(asker, owner)]
    with ThreadPoolExecutor(max(len(wishes), 1)) as at_once:
        made = at_once.map(lambda wish: agree_for(asker, *wish), wishes)
        return tuple(one for each in made for one in each)


def agree_with_itself(place: Place) -> None:
    """A contract of a node with itself for what it opens to its own organisation, and what it tells its own systems. Nobody else signs it. Raises as `agree`."""
    for activity in _activities(place, place):
        _requested(place, place, activity)


def crossed(asker: Place, owner: Place, agreed: Iterable[Agreed]) -> tuple[Crossed, ...]:
    """The requests under these contracts with one owner, newest first, as far as the asker's log knows them."""
    grants = {one.grant for one in agreed if one.owner == owner.alias}
    there = {line["transaction_id"] for line in _lines(owner, asker.alias)}
    return tuple(
        Crossed(
            owner.alias,
            line["grant_hash"],
            line["transaction_id"],
            (asker.alias, owner.alias) if line["transaction_id"] in there else (asker.alias,),
        )
        for line in _lines(asker, owner.alias)
        if line["grant_hash"] in grants
    )


def _activities(asker: Place, owner: Place) -> list[str]:
    of, own = owner.organisation, asker.organisation.oin
    opened = [one.activity for one in of.disclosures if one.recipient == own]
    told = [one.activity for one in of.notices if one.recipient == own]
    return list(dict.fromkeys([*opened, *told]))


def agree_for(asker: Place, owner: Place, activities: Iterable[str]) -> list[Agreed]:
    """A contract with one owner for each of these activities. Raises as `agree`."""
    return [_told(owner, contract) for contract in sign_for(asker, owner, activities)]


def sign_for(asker: Place, owner: Place, activities: Iterable[str]) -> list[dict[str, Any]]:
    """The same, as the owner's node shows them."""
    requested = [_requested(asker, owner, activity) for activity in activities]
    signed = [_signed(owner, contract) for contract in requested]
    for contract in requested:
        _valid(asker, contract)
    return signed


def _requested(asker: Place, owner: Place, activity: str) -> str:
    wish = {"organisation": owner.alias, "activity": activity}
    made = in_time(lambda: asker.call("POST", "/v1/group/requests", wish))
    return str(made["outcomes"][0]["contract"])


def _signed(owner: Place, contract: str) -> dict[str, Any]:
    path = f"{_path(contract)}/signatures"
    found: dict[str, Any] = in_time(lambda: owner.call("POST", path, {"action": "accept"}))
    return found


def _valid(asker: Place, contract: str) -> None:
    """Until the asker has the owner's signature too."""
    end = time.monotonic() + PATIENCE
    while asker.call("GET", _path(contract))["state"] != "valid":
        if time.monotonic() > end:
            return  # the first question says what is missing
        time.sleep(_AGAIN)


def _told(owner: Place, contract: dict[str, Any]) -> Agreed:
    [grant] = contract["grants"]
    opens = (msgspec.convert(one, Opened) for one in grant["purpose"]["disclosures"])
    return Agreed(
        owner.alias,
        grant["purpose"]["activity"],
        contract["hash"],
        grant["hash"],
        contract["state"],
        tuple(contract["accepted"]),
        tuple(opens),
    )


def _lines(place: Place, other: str) -> Iterable[dict[str, Any]]:
    cursor, path = "", f"/v1/group/transactions?organisation={other}"
    while True:
        page = place.call("GET", f"{path}&cursor={quote(cursor, safe='')}")
        yield from page["lines"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def in_time(ask: Callable[[], T], not_yet: Collection[str] = _NOT_YET) -> T:
    """The answer, asked for again while nodes have not found each other yet. `not_yet`: the codes that say so."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except Problem as problem:
            if problem.code not in not_yet or time.monotonic() > end:
                raise
        time.sleep(_AGAIN)


def _path(contract: str) -> str:
    return f"/v1/group/contracts/{quote(contract, safe='')}"
