"""Access that a person gave: what it opens, to whom, what for, until when; with a button to take it back. And what they are
asked for."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.grounds import Grounds
from sluis.grounds.consents import Narrowing
from sluis.grounds.consents import Request as Asked
from sluis.identity.access.model import ConsentView, Key, NewConsent
from sluis.identity.access.service import Accesses
from sluis.kernel import Invalid, NotFound, Text
from sluis.web import Entry, Form, SignedIn, page, redirect, required_day

NAVIGATION = (
    Entry(
        "/consents", Text("Gegeven toegang", "Access given"), ("citizen",), section="mine",
        about=Text("Bepaal zelf welke organisaties uw gegevens mogen zien, en trek dat weer in.",
                   "Decide yourself which organisations may see your data, and take that back."),
    ),
)  # fmt: skip
"""What the layout shows of this room."""

_FOR: dict[str, Any] = {"audience": ("citizen",), "level": "substantial"}
_SHOWN = 200  # consents that are over; the log has them all
_COLUMN = "column."  # before the name of a column, in a form


class Titles:
    """What activities, datasets and columns are called.

    Args:
        grounds: as loaded and checked.
    """

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    def activity(self, id: str) -> Text:
        """The name of an activity; its id where that is not known."""
        found = self._grounds.activity(id)
        return found.name if found else Text(id, id)

    def purpose(self, id: str) -> Text | None:
        """What an activity is for."""
        found = self._grounds.activity(id)
        return found.purpose if found else None

    def dataset(self, name: str) -> Text:
        """The title of a dataset."""
        found = self._grounds.dataset(name)
        return found.title if found else Text(name, name)

    def column(self, dataset: str, name: str) -> Text:
        """The title of a column."""
        found = self._grounds.dataset(dataset)
        column = found.column(name) if found else None
        return column.title if column is not None and column.title else Text(name, name)


Whose = Callable[[SignedIn, str], Awaitable[tuple[str, str]]]
"""Of whom somebody sees what is about them (`read`) or changes it (`edit`): themselves, or whom they act for. Raises `Refused`."""


def page_routes(accesses: Accesses, whose: Whose) -> list[HTTPRouteHandler]:
    """The pages of this room, for who is signed in.

    Args:
        accesses: of this node.
        whose: type and value of the number of whom they act for.
    """
    titles = Titles(accesses.grounds)

    @get("/consents", opt=_FOR)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Toegang die ik gaf, en wat mij gevraagd wordt."""
        whom = await whose(person, "read")
        found, today = await accesses.of(whom), accesses.today()
        given = [one for one in found if one.revoked is None and one.until >= today]
        return page(
            request,
            "identity/consents.html",
            given=given,
            ended=[one for one in found if one not in given][:_SHOWN],
            asked=[
                (one, accesses.name(one.recipient))
                for one in accesses.requests()
                if one.kind == whom[0] and not any(_covers(each, one) for each in given)
            ],
            titles=titles,
            today=today,
        )

    @post("/consents/give", opt=_FOR, status_code=200)
    async def give(person: SignedIn, form: Form) -> Response[bytes]:
        """Geef toestemming."""
        asked = _asked(accesses, form.get("disclosure", ""))
        kind, value = await whose(person, "edit")
        new = NewConsent(
            Key(kind, value),
            asked.recipient,
            asked.activity,
            {asked.dataset: _columns(form)},
            required_day(form, "until"),
        )
        await accesses.give(new, person.acting.person)
        return redirect("/consents")

    @post("/consents/narrow", opt=_FOR, status_code=200)
    async def narrow(person: SignedIn, form: Form) -> Response[bytes]:
        """Laat minder over van een toestemming: minder gegevens, of minder lang."""
        whom, left = await whose(person, "edit"), dict[str, tuple[str, ...]]()
        for one in _columns(form):
            dataset, _, column = one.partition(".")
            left[dataset] = (*left.get(dataset, ()), column)
        change = Narrowing(datasets=left, until=required_day(form, "until"))
        await accesses.narrow(form.get("consent", ""), change, person.acting.person, whom)
        return redirect("/consents")

    @post("/consents/revoke", opt=_FOR, status_code=200)
    async def revoke(person: SignedIn, form: Form) -> Response[bytes]:
        """Trek toestemming in."""
        whom = await whose(person, "edit")
        await accesses.revoke(form.get("consent", ""), person.acting.person, whom)
        return redirect("/consents")

    return [listed, give, narrow, revoke]


def _covers(given: ConsentView, asked: Asked) -> bool:
    """Whether all that is asked for was given already."""
    same = (given.recipient, given.activity) == (asked.recipient, asked.activity)
    return same and set(given.datasets.get(asked.dataset, ())) >= set(asked.columns)


def _asked(accesses: Accesses, disclosure: str) -> Asked:
    found = next((one for one in accesses.requests() if one.disclosure == disclosure), None)
    if found is None:
        raise NotFound(
            "consent-not-asked",
            Text("Deze toestemming is niet vastgelegd.", "This consent was not recorded."),
            Text("Hiervoor wordt geen toestemming gevraagd.", "No consent is asked for this."),
            Text("Kies uit de lijst van wat gevraagd wordt.", "Choose from the list of what is asked for."),
        )
    return found


def _columns(form: Form) -> tuple[str, ...]:
    chosen = tuple(name.removeprefix(_COLUMN) for name in form if name.startswith(_COLUMN))
    if not chosen:
        raise Invalid(
            "consent-to-nothing",
            Text("Deze toestemming opent niets.", "This consent opens nothing."),
            Text("U koos geen enkel gegeven.", "You chose no data at all."),
            Text("Ga terug en kies wat deze organisatie mag zien.", "Go back and choose what this organisation may see."),
        )  # fmt: skip
    return chosen
