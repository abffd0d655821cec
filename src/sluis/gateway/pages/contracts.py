"""Contracts in a browser: the list, one in plain words, deciding on it, and requesting one. Whatever is done here is the same as
with `sluis fsc sign`, `reject`, `revoke` and `request`.

Nothing changes before a page said what will, and that page asks again when the contract became another meanwhile. Sent twice, a
form does its work once.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, cast, get_args
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.gateway.contracts import Action
from sluis.gateway.membership import Membership
from sluis.gateway.operating import Act, Operator
from sluis.gateway.pages import words
from sluis.gateway.pages.agreements import MOST, Agreements, acts_of, row_of
from sluis.gateway.pages.model import SECTIONS, Agreement, Section, Shown, Signed
from sluis.gateway.pages.rights import May
from sluis.kernel import HERE, Clock, Conflict, Invalid, NotFound, Problem, Text
from sluis.policy import CHANGE_GROUP, DECIDE_CONTRACT, READ_CONTRACTS, REQUEST_CONTRACT
from sluis.web import (
    STAFF,
    Cell,
    Column,
    Form,
    Row,
    SignedIn,
    arranged,
    asked_in,
    export,
    page,
    redirect,
    setting_of,
)

LONGEST = 2000
"""Characters of a reason."""

Activities = Mapping[str, Text]
"""What the processing activities of this organisation are called, by their URI."""


class Desk:
    """What the pages about contracts need of a node.

    Args:
        membership: of the node.
        operator: its operator's side.
        activities: what its activities are called.
        clock: aware UTC.
    """

    def __init__(
        self, membership: Membership, operator: Operator, activities: Activities, clock: Clock
    ) -> None:
        self.membership, self.operator, self.activities, self.clock = membership, operator, activities, clock
        self.own = membership.running.manager.own.id
        self.deciding = asyncio.Lock()  # so that what is sent twice at once is done once
        self._agreements = Agreements(membership.contracts, self.own)

    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self.clock().timestamp())

    async def rows(self) -> list[Agreement]:
        """The contracts of this node, newest first."""
        return await self._agreements.rows(self.now())

    async def shown(self, content_hash: str) -> Shown:
        """One contract. Raises `NotFound`."""
        contract = await asyncio.to_thread(self.membership.contracts.get, content_hash)
        if contract is None or self.own not in contract.content.parties:
            raise _no_contract()
        view = await self.operator.contract(content_hash)
        row = row_of(contract, self.own, self.now())
        signed = sorted(contract.signatures, key=lambda one: (one.signed_at, one.peer))
        told = (Signed(self.operator.named(one.peer), one.action, one.signed_at, one.until) for one in signed)
        return Shown(view, row, tuple(told), acts_of(view, row.soon))

    def name(self, peer: Any) -> str:
        """What a peer is called."""
        own = self.membership.running.manager.own
        return own.name if peer == own.id else self.membership.running.peers.name(peer)


def contract_routes(desk: Desk, may: May) -> list[HTTPRouteHandler]:
    """The pages about contracts there are.

    Args:
        desk: what they need.
        may: asks who may.
    """

    @get("/contracts", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Alle contracten van deze organisatie."""
        await may(person, READ_CONTRACTS)
        found, language = await desk.rows(), setting_of(request).language
        section = section_in(request.query_params.get("section"))
        asked = asked_in(request, COLUMNS, keep=("section",), sort="-made")
        rows = [listed_row(desk, one) for one in found if section in (None, one.section)]
        listing = arranged(
            words.SECTION_TITLES[section] if section else _ALL, COLUMNS, rows, asked, language,
            exports=True, nothing=words.NOTHING[section],
        )  # fmt: skip
        if asked.form:
            return await export(listing, "contracten", language)
        counts = {one: sum(row.section == one for row in found) for one in SECTIONS}
        return page(
            request, "gateway/pages/contracts.html", listing=listing, counts=counts, section=section,
            full=len(found) >= MOST, most=MOST, words=words, decides=may.offers(person, DECIDE_CONTRACT),
            requests=may.offers(person, REQUEST_CONTRACT),
        )  # fmt: skip

    @get("/contracts/{hash:str}", opt=STAFF)
    async def one(person: SignedIn, request: Request[Any, Any, Any], hash: str) -> Response[bytes]:
        """Eén contract, in gewone woorden."""
        await may(person, READ_CONTRACTS)
        shown = await desk.shown(hash)
        can = {each for each in shown.acts if may.offers(person, right_for(each))}
        return shown_page(request, desk, shown, can)

    @get("/contracts/{hash:str}/{act:str}", opt=STAFF)
    async def ask(person: SignedIn, request: Request[Any, Any, Any], hash: str, act: str) -> Response[bytes]:
        """Wat er gebeurt als dit contract wordt getekend, afgewezen of ingetrokken."""
        action = action_in(act)
        await may(person, right_for(action))
        shown = await desk.shown(hash)
        if action not in shown.acts:
            return redirect(path_of(hash))
        return ask_page(request, desk, shown, action)

    @post("/contracts/{hash:str}/{act:str}", opt=STAFF, status_code=200)
    async def decide(
        person: SignedIn, request: Request[Any, Any, Any], form: Form, hash: str, act: str
    ) -> Response[Any]:
        """Teken dit contract, wijs het af, of trek het in."""
        action = action_in(act)
        await may(person, right_for(action))
        async with desk.deciding:
            shown = await desk.shown(hash)
            if (
                action not in shown.acts
            ):  # done already, here or by the other side: what it is now says the page itself
                return redirect(path_of(hash))
            if form.get("seen") != seen(shown):
                return ask_page(request, desk, shown, action, form, _CHANGED, 409)
            reason = "" if action == "accept" else form.get("reason", "")[:LONGEST]
            try:
                await desk.operator.act(hash, Act(action, reason))
            except (Invalid, Conflict) as problem:
                return ask_page(request, desk, await desk.shown(hash), action, form, problem, problem.status)
        return redirect(path_of(hash), done=action)

    return [listed, one, ask, decide]


def listed_row(desk: Desk, one: Agreement) -> Row:
    """A contract as a row of the list."""
    others = ", ".join(map(desk.name, one.others)) or desk.name(desk.own)
    title = desk.activities.get(one.activity) if one.activity else None
    return Row(
        (
            Cell(others, path_of(one.hash)),
            Cell(", ".join(one.services), told=title or one.activity or None),
            words.ROLES[one.role],
            Cell(words.SOON if one.soon else words.STATES[one.state], tone=words.TONES[one.section]),
            date_of(one.until),
            date_of(one.made),
        ),
        one,
    )


@lru_cache(maxsize=8192)
def date_of(seconds: int) -> date:
    """The day on which a moment is, here."""
    return datetime.fromtimestamp(min(seconds, _LAST), UTC).astimezone(HERE).date()


def shown_page(
    request: Request[Any, Any, Any], desk: Desk, shown: Shown, can: Collection[Action]
) -> Response[bytes]:
    """The page about one contract; `can`: what of what is left to do this person may do."""
    done = request.query_params.get("done")
    return page(
        request, "gateway/pages/contract.html", shown=shown, view=shown.view, row=shown.row, words=words,
        activities=desk.activities, articles=desk.operator.articles, path=path_of, name=desk.name, can=can,
        done=done if done in get_args(Action) or done in ("made", "there") else None,
    )  # fmt: skip


def ask_page(
    request: Request[Any, Any, Any],
    desk: Desk,
    shown: Shown,
    action: Action,
    filled: Form | None = None,
    wrong: Problem | None = None,
    status: int = 200,
) -> Response[bytes]:
    """The page that asks whether it shall be done, with what was filled in before."""
    return page(
        request, "gateway/pages/decide.html", status=status, shown=shown, view=shown.view, row=shown.row, action=action,
        seen=seen(shown), filled=filled or {}, wrong=wrong, words=words, activities=desk.activities,
        articles=desk.operator.articles, path=path_of, name=desk.name, longest=LONGEST,
    )  # fmt: skip


def section_in(asked: str | None) -> Section | None:
    """The part of the list that an address asks for; None for all."""
    return asked if asked in SECTIONS else None


def action_in(asked: str) -> Action:
    """What a path says is to be done. Raises `NotFound`."""
    if asked not in get_args(Action):
        raise _no_contract()
    return cast(Action, asked)


def right_for(action: Action) -> str:
    """What the decision point is asked for this: who offers data decides on proposals; to take back is for who runs the node."""
    return CHANGE_GROUP if action == "revoke" else DECIDE_CONTRACT


def seen(shown: Shown) -> str:
    """What somebody decides about: the state of a contract, and how many signed it."""
    return f"{shown.view.state}.{len(shown.signed)}"


def path_of(content_hash: str) -> str:
    """The address of the page about a contract."""
    return f"/contracts/{quote(content_hash, safe='$')}"


COLUMNS = (
    Column("with", Text("Met", "With"), sort=True, filter=True, foreign=True),
    Column("service", Text("Dienst en doel", "Service and purpose"), sort=True, filter=True, foreign=True),
    Column("role", Text("Wat wij doen", "What we do"), sort=True),
    Column("state", Text("Stand", "State"), sort=True),
    Column("until", Text("Geldt tot en met", "Holds up to"), sort=True, kind="day"),
    Column("made", Text("Gemaakt", "Made"), sort=True, kind="day"),
)
_ALL = Text("Contracten", "Contracts")
_LAST = 253_000_000_000  # seconds since the epoch: the year 9987; what others write may lie beyond what a calendar knows

_CHANGED = Conflict(
    "contract-changed",
    Text("Er is nog niets gedaan.", "Nothing has been done yet."),
    Text("Het contract is intussen veranderd.", "The contract changed meanwhile."),
    Text("Lees het nog eens, en bevestig dan.", "Read it again, and confirm then."),
)


def _no_contract() -> NotFound:
    return NotFound(
        "unknown-contract",
        Text("Dit contract is hier niet bekend.", "This contract is not known here."),
        Text("Geen contract van deze organisatie heeft dit adres.", "No contract of this organisation has this address."),
        Text("Zoek het op in de lijst met contracten.", "Find it in the list of contracts."),
    )  # fmt: skip
