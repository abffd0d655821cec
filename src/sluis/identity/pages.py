"""Signing in and out, as people see it: choosing a way, choosing for whom, and the sessions that are there.

What a way of signing in asks of somebody is on its own pages; here they meet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.people import Choice
from sluis.identity.sessions import Leaving, Sessions, SigningIn, Way
from sluis.identity.start import Start
from sluis.kernel import Level, Refused, Text, reaches
from sluis.policy import role_words
from sluis.web import (
    Audience,
    Entry,
    Form,
    SignedIn,
    elsewhere,
    hand_out,
    local_path,
    onward,
    page,
    redirect,
    setting_of,
    take_back,
)

NAVIGATION = (
    Entry(
        "/sessions",
        Text("Waar u bent ingelogd", "Where you are signed in"),
        section="account",
        about=Text("Zie waar u bent ingelogd, en beëindig wat u niet herkent.",
                   "See where you are signed in, and end what you do not recognise."),
    ),
)  # fmt: skip
"""What the layout shows of this room."""

_AUDIENCES: tuple[tuple[Audience, Text, Text], ...] = (
    ("citizen", Text("Voor uzelf", "For yourself"), Text("U regelt iets als inwoner.", "You act as a resident.")),
    ("company", Text("Voor een bedrijf of organisatie", "For a company or organisation"),
     Text("U handelt namens een bedrijf.", "You act on behalf of a company.")),
    ("staff", Text("Voor medewerkers", "For staff"), Text("U werkt bij deze organisatie.", "You work for this organisation.")),
)  # fmt: skip

_WAY_OUT = {"represents": False}
"""Who may not act for another any more can still choose, and sign out."""

_TITLES = {
    "passkey": Text("passkey", "passkey"),
    "passport": Text("digitaal paspoort", "digital passport"),
}

Ways = Callable[[], Sequence[Way]]
Programs = Callable[[str], Iterable[str]]
Title = Callable[[str], Awaitable[str | None]]
"""Of the portal that waits behind a local path for somebody to sign in; None when none does."""


def routes(
    sessions: Sessions,
    signing_in: SigningIn,
    ways: Ways,
    programs: Programs = lambda handle: (),
    leaving: Leaving | None = None,
    portal_behind: Title | None = None,
    start: Start | None = None,
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        sessions: of this node.
        signing_in: knows for whom somebody may act.
        ways: of signing in that are there at the moment.
        programs: titles of the portals and programs that were signed in with the session of a handle; may block.
        leaving: how one signs out; None: only here.
        portal_behind: knows for which portal somebody signs in.
        start: what those who are signed in find on the first page.
    """
    leaving = leaving or Leaving(sessions)
    return [
        *_first_routes(start or Start()),
        *_way_routes(ways, portal_behind),
        *_choosing_routes(sessions, signing_in),
        *_session_routes(sessions, ways, programs),
        *_leaving_routes(leaving),
    ]


def _first_routes(start: Start) -> list[HTTPRouteHandler]:
    """The first page."""

    @get("/")
    async def first(visitor: SignedIn | None, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The first page of the portal: what this is, for who is not signed in; the workplace of an official; and for others what
        happened lately."""
        if visitor is None:
            return page(request, "identity/first.html")
        if visitor.audience == "staff":
            return page(
                request,
                "identity/workplace.html",
                groups=setting_of(request).workplace(),
                roles=[role_words(one) for one in visitor.roles],
            )
        blocks, weak = await start.of(visitor), start.hidden(visitor)
        return page(request, "identity/start.html", blocks=blocks, weak=weak)

    return [first]


def _way_routes(ways: Ways, portal_behind: Title | None) -> list[HTTPRouteHandler]:
    """Choosing a way of signing in."""

    @get("/sign-in")
    async def sign_in(
        visitor: SignedIn | None,
        request: Request[Any, Any, Any],
        next: str = "/",
        level: Level | None = None,
        audience: Audience | None = None,
        again: bool = False,
    ) -> Response[bytes]:
        """The ways of signing in that are sure enough, each for whom it is; `again` when somebody must prove it anew."""
        fitting = [way for way in ways() if _fits(way, level, audience)]
        groups = [
            (title, told, found)
            for one, title, told in _AUDIENCES
            if (found := [way for way in fitting if way.audience == one])
        ]
        higher = visitor is not None and level is not None and not reaches(visitor.level, level)
        asked = (
            {"next": local_path(next)}
            | ({"level": level} if level else {})
            | ({"again": "1"} if again else {})
        )
        portal = None if portal_behind is None else await portal_behind(local_path(next))
        return page(
            request,
            "identity/sign_in.html",
            groups=groups,
            asked=asked,
            wanted=level,
            higher=higher,
            portal=portal,
        )

    return [sign_in]


def _choosing_routes(sessions: Sessions, signing_in: SigningIn) -> list[HTTPRouteHandler]:
    """Choosing for whom somebody acts."""

    @get("/choose", opt=_WAY_OUT)
    async def choose(
        person: SignedIn, request: Request[Any, Any, Any], next: str | None = None
    ) -> Response[bytes]:
        """For whom somebody acts from now on; on the way to a page, only when there is a choice."""
        choices = list(await signing_in.choices(person))
        acting = person.acting
        whom = None if acting.entity is None else (acting.entity, acting.intermediary)
        alone = [(one.entity, one.intermediary) for one in choices] == [whom]
        if not choices or (alone and next is not None):
            return redirect(local_path(next))
        target = local_path(next)
        return page(request, "identity/choose.html", choices=choices, next=target, unchosen=False)

    @post("/choose", opt=_WAY_OUT, status_code=200)
    async def chosen(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Act for who was chosen."""
        choices, target = list(await signing_in.choices(person)), local_path(form.get("next"))
        if "choice" not in form and choices:
            return page(
                request, "identity/choose.html", choices=choices, next=target, unchosen=True, status=422
            )
        choice = _chosen(choices, form.get("choice", ""))
        secret, _ = await sessions.act_for(person.session, choice.entity, choice.name, choice.intermediary)
        return hand_out(onward(request, target), secret)

    @post("/choose/myself", opt=_WAY_OUT, status_code=200)
    async def myself(person: SignedIn) -> Response[Any]:
        """Act for oneself again."""
        own = next((one for one in await signing_in.choices(person) if one.entity is None), None)
        choice = own or _chosen((), "")
        secret, _ = await sessions.act_for(person.session, None, choice.name)
        return hand_out(redirect("/"), secret)

    return [choose, chosen, myself]


def _session_routes(sessions: Sessions, ways: Ways, programs: Programs) -> list[HTTPRouteHandler]:
    """Where somebody is signed in."""

    def title_of(method: str) -> Text:
        return next(
            (way.title for way in ways() if way.name == method), _TITLES.get(method, Text(method, method))
        )

    @get("/sessions", opt=_WAY_OUT)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Where somebody is signed in."""
        found = await asyncio.to_thread(sessions.of, person.acting.person, programs)
        return page(request, "identity/sessions.html", sessions=found, here=person.session, title_of=title_of)

    @post("/sessions/end", opt=_WAY_OUT, status_code=200)
    async def end(person: SignedIn, form: Form) -> Response[Any]:
        """End one session of one's own."""
        own = {one.handle for one in sessions.of(person.acting.person)}
        handle = form.get("session", "")
        if handle in own:  # one that is over already needs no word
            await sessions.end(handle)
        return take_back(redirect("/")) if handle == person.session else redirect("/sessions")

    @post("/sessions/end-others", opt=_WAY_OUT, status_code=200)
    async def end_others(person: SignedIn) -> Response[Any]:
        """End all sessions of one's own but this one."""
        await sessions.end_all(person.acting.person, but=person.session)
        return redirect("/sessions")

    @get("/still-here", opt=_WAY_OUT, status_code=204)
    async def still_here(person: SignedIn) -> None:
        """Use the session, so that it goes on."""

    return [listed, end, end_others, still_here]


def _leaving_routes(leaving: Leaving) -> list[HTTPRouteHandler]:
    """Signing out."""

    @get("/sign-out")
    async def signing_out(visitor: SignedIn | None, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Ask whether to sign out: only a form does it. Who is out goes back to where it was asked (`state`)."""
        browser, state = setting_of(request).browser, request.query_params.get("state", "")
        if visitor is None and state and (after := leaving.back(browser(), state)):
            return elsewhere(after)
        return page(request, "identity/sign_out.html", out=visitor is None, state=state)

    @post("/sign-out", status_code=200)
    async def sign_out(
        visitor: SignedIn | None, form: Form, request: Request[Any, Any, Any]
    ) -> Response[Any]:
        """End this session, and the one at the provider that was signed in with."""
        if visitor is None:
            return take_back(redirect("/sign-out"))
        browser = setting_of(request).browser()
        after = leaving.back(browser, form.get("state", ""))
        target = await leaving.end(visitor, browser, after or "")
        return take_back(redirect(target) if local_path(target) == target else onward(request, target))

    return [signing_out, sign_out]


def _fits(way: Way, level: Level | None, audience: Audience | None) -> bool:
    """Whether a way of signing in is for this audience, and sure enough."""
    sure = level is None or any(reaches(one, level) for one in way.levels)
    return sure and audience in (None, way.audience)


def _chosen(choices: Sequence[Choice], key: str) -> Choice:
    """The choice that a form names. Raises `Refused` when it is none, or not any more."""
    found = next((one for one in choices if one.key == key), None)
    if found is None:
        raise Refused("no-such-choice", _NOT_CHOSEN, *_NO_SUCH_CHOICE, rule="representation")
    return found


_NOT_CHOSEN = Text("U kunt niet voor deze organisatie handelen.", "You cannot act for this organisation.")
_NO_SUCH_CHOICE = (
    Text("Zij staat niet, of niet meer, in de lijst van wie u vertegenwoordigt.",
         "It is not, or no longer, in the list of whom you represent."),
    Text("Kies opnieuw uit de lijst.", "Choose from the list again."),
)  # fmt: skip
