"""Requesting a contract in a browser: of whom, what, and then one button. Other pages lead here with what is wanted in the
address (`/contracts/new?peer=OIN&service=NAME&activity=URI`); nothing is proposed before somebody confirms it.

What an organisation offers is asked of it while the page waits a moment; when it does not answer in time, the page says so.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.gateway.crossing import SERVICE
from sluis.gateway.operating import ServiceView, Wish
from sluis.gateway.pages import words
from sluis.gateway.pages.contracts import Desk, path_of
from sluis.gateway.pages.lookout import Ear, Heard
from sluis.gateway.pages.model import Agreement
from sluis.gateway.pages.rights import May
from sluis.grounds import Article, Opened
from sluis.kernel import Invalid, PeerId, Problem, Text
from sluis.policy import REQUEST_CONTRACT
from sluis.web import STAFF, Form, SignedIn, page, redirect

_OFFERED = 2.0  # seconds that a page waits for what an organisation offers
_PROPOSED = 20.0  # seconds that proposing may take: the owner is asked once more what it offers
_MOST = 200  # organisations, or services of one, on a page
_LONGEST = 2000  # characters of what an address names
_EARS = 64  # organisations of which is remembered what they offer


class Wanted(msgspec.Struct, frozen=True):
    """What somebody wants: of whom (None: nobody chosen yet), and a service or an activity."""

    peer: PeerId | None = None
    service: str = ""
    activity: str = ""

    @property
    def data(self) -> bool:
        """Whether it is data for an activity, from the node itself."""
        return bool(self.activity) and self.service in ("", SERVICE)


class Choice(msgspec.Struct, frozen=True):
    """An activity for which an organisation opens something to this one: how it is called, and what it opens."""

    activity: str
    title: Text | None
    datasets: tuple[str, ...]
    events: tuple[str, ...]
    articles: tuple[Article, ...]


class Offers:
    """What organisations offer to this one, as last heard.

    Args:
        desk: of this node.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk, self._ears = desk, dict[str, Ear[Opened]]()
        self.services = Ear(desk.operator.services, desk.clock)

    async def of(self, alias: str) -> Heard[Opened]:
        """What an organisation, by its alias, offers."""
        ear = self._ears.get(alias)
        if ear is None:
            if len(self._ears) >= _EARS:
                del self._ears[next(iter(self._ears))]
            ear = self._ears[alias] = Ear(lambda: self._desk.operator.offers(alias), self._desk.clock)
        return await ear.hear(_OFFERED)


def request_routes(desk: Desk, may: May) -> list[HTTPRouteHandler]:
    """The pages by which a contract is requested.

    Args:
        desk: of this node.
        may: asks who may.
    """
    offers = Offers(desk)

    async def shown(
        request: Request[Any, Any, Any], wanted: Wanted, wrong: Problem | None = None, status: int = 200
    ) -> Response[bytes]:
        given: dict[str, Any] = {
            "wrong": wrong,
            "words": words,
            "path": path_of,
            "activities": desk.activities,
        }
        if wanted.peer is None:
            known = [one for one in desk.membership.running.peers.every() if one.id != desk.own][:_MOST]
            return page(
                request, "gateway/pages/whom.html", status=status, known=known, address=address_of, **given
            )
        alias = desk.operator.alias(wanted.peer)
        heard = Heard[Opened]() if alias is None else await offers.of(alias)
        opened, listed = heard.said or Opened(), await offers.services.hear()
        given |= {"wanted": wanted, "name": desk.name(wanted.peer), "heard": heard, "askable": alias is not None,
                  "service_name": SERVICE, "address": address_of}  # fmt: skip
        if not wanted.data and not wanted.service:
            services = services_of(listed.said or (), wanted.peer)[:_MOST]
            return page(
                request, "gateway/pages/what.html", status=status, choices=choices_of(opened, desk.activities),
                services=services, listed=listed, **given,
            )  # fmt: skip
        there = standing(await desk.rows(), wanted)
        choice = next((one for one in choices_of(opened.wanted(wanted.activity), desk.activities)), None)
        return page(
            request, "gateway/pages/request.html", status=status, choice=choice, there=there,
            title=desk.activities.get(wanted.activity), **given,
        )  # fmt: skip

    @get("/contracts/new", opt=STAFF)
    async def begin(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Een contract aanvragen: bij wie, wat, en dan bevestigen."""
        await may(person, REQUEST_CONTRACT)
        return await shown(request, wanted_in(request.query_params))

    @post("/contracts/new", opt=STAFF, status_code=200)
    async def propose(person: SignedIn, request: Request[Any, Any, Any], form: Form) -> Response[Any]:
        """Stel het contract voor."""
        await may(person, REQUEST_CONTRACT)
        wanted = wanted_in(form)
        if wanted.peer is None or not (wanted.data or wanted.service):
            return redirect("/contracts/new")
        try:
            async with asyncio.timeout(_PROPOSED):
                made = await _proposed(desk, wanted)
        except TimeoutError:
            return await shown(request, wanted, _too_slow(desk.name(wanted.peer)), 504)
        except Problem as problem:
            if problem.status == 503:
                raise
            return await shown(request, wanted, problem, problem.status)
        [outcome] = made.outcomes
        return redirect(path_of(outcome.contract), done="there" if outcome.change == "unchanged" else "made")

    return [begin, propose]


async def _proposed(desk: Desk, wanted: Wanted) -> Any:
    assert wanted.peer is not None
    if not wanted.data:
        return await desk.operator.connect(wanted.peer, wanted.service)
    alias = desk.operator.alias(wanted.peer)
    if alias is None:
        raise _not_in_settings(desk.name(wanted.peer))
    return await desk.operator.request(Wish(alias, wanted.activity))


def wanted_in(given: Mapping[str, str]) -> Wanted:
    """What an address or a form names; what cannot be, counts as not named."""
    peer, service = given.get("peer") or "", (given.get("service") or "")[:100]
    activity = (given.get("activity") or "")[:_LONGEST]
    return Wanted(PeerId(peer) if PeerId.accepts(peer) else None, service, activity)


def address_of(wanted: Wanted | None = None, **other: str) -> str:
    """The address of the page that asks for this."""
    given = {} if wanted is None or wanted.peer is None else {"peer": str.__str__(wanted.peer)}
    return f"/contracts/new?{urlencode({**given, **other})}"


def choices_of(opened: Opened, activities: Mapping[str, Text]) -> list[Choice]:
    """The activities for which something is offered, with what."""
    named = dict.fromkeys(
        [one.disclosure.activity for one in opened.offers.values()]
        + [one.notice.activity for one in opened.notices.values()]
    )
    return [_choice(activity, opened.wanted(activity), activities.get(activity)) for activity in named][
        :_MOST
    ]


def _choice(activity: str, opened: Opened, title: Text | None) -> Choice:
    offers, notices = opened.offers.values(), opened.notices.values()
    return Choice(
        activity,
        title,
        tuple(dict.fromkeys(one.dataset for one in offers)),
        tuple(dict.fromkeys(one.notice.event for one in notices)),
        opened.articles,
    )


def services_of(listed: Sequence[ServiceView], peer: PeerId) -> list[ServiceView]:
    """What the directory lists of a peer, but for its node's own API, which data is asked of."""
    return [one for one in listed if one.peer == peer and one.name != SERVICE]


def standing(rows: Sequence[Agreement], wanted: Wanted) -> Agreement | None:
    """The newest contract for the same that is proposed or counts."""
    wished = (SERVICE, wanted.activity) if wanted.data else (wanted.service, "")
    for one in rows:
        same = wanted.peer in one.others and wished[0] in one.services and one.activity == wished[1]
        if same and one.section != "ended" and one.role in ("user", "both"):
            return one
    return None


def _not_in_settings(name: str) -> Invalid:
    return Invalid(
        "peer-not-in-settings",
        Text("Het contract is niet voorgesteld.", "The contract was not proposed."),
        Text(
            f"{name} staat niet onder [peers] in de instellingen; dan is niet te vragen wat zij aanbiedt.",
            f"{name} is not under [peers] in the settings; then it cannot be asked what it offers.",
        ),
        Text("Laat de beheerder de organisatie daar noemen.", "Have the operator name the organisation there."),
    )  # fmt: skip


def _too_slow(name: str) -> Invalid:
    return Invalid(
        "offers-too-slow",
        Text("Het contract is misschien nog niet voorgesteld.", "The contract may not have been proposed yet."),
        Text(f"{name} antwoordde niet op tijd.", f"{name} did not answer in time."),
        Text("Kijk in de lijst, en probeer het anders nog eens.", "Look in the list, or else try again."),
    )  # fmt: skip
