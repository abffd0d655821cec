"""Acts that wait for a second signature, as directors see them: what a fellow director wants to do, with a button to sign it and
one to refuse; and what became of what one asked for oneself."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.people.service import People
from sluis.identity.people.shown import TOLD
from sluis.web import Form, SignedIn, page, redirect

PLACE = "/acts"
"""Where the page is."""

_PEOPLE = {"audience": ("citizen", "company"), "represents": False}
_SURELY = {**_PEOPLE, "level": "substantial"}
"""Signing asks to be sure who does it; refusing and taking back do not."""


def signing_routes(people: People) -> list[HTTPRouteHandler]:
    """These pages. Which acts somebody may sign follows from the trade register, whoever they chose to act for."""
    acts = people.acts

    @get(PLACE, opt=_PEOPLE)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wat op een handtekening wacht, en wat ermee is gebeurd."""
        own, found = person.acting.person, await acts.of(person.acting.person)
        waiting = [one for one in found if acts.state(one) == "waiting"]
        return page(
            request,
            "identity/people/acts.html",
            to_sign=[one for one in waiting if one.person != own],
            asked=[one for one in waiting if one.person == own],
            closed=[one for one in found if one not in waiting],
            own=own,
            state=acts.state,
            name=people.name,
            title=people.catalogue.title,
            **TOLD,
        )

    @post(PLACE + "/sign", opt=_SURELY, status_code=200)
    async def sign(person: SignedIn, form: Form) -> Response[Any]:
        """Teken wat een medebestuurder wil doen."""
        await acts.sign(person.acting.person, form.get("act", ""))
        return redirect(PLACE)

    @post(PLACE + "/refuse", opt=_PEOPLE, status_code=200)
    async def refuse(person: SignedIn, form: Form) -> Response[Any]:
        """Weiger te tekenen."""
        await acts.refuse(person.acting.person, form.get("act", ""))
        return redirect(PLACE)

    @post(PLACE + "/withdraw", opt=_PEOPLE, status_code=200)
    async def withdraw(person: SignedIn, form: Form) -> Response[Any]:
        """Neem terug wat u zelf wilde doen."""
        await acts.withdraw(person.acting.person, form.get("act", ""))
        return redirect(PLACE)

    return [listed, sign, refuse, withdraw]
