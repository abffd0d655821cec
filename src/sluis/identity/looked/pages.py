"""Who looked at my data, as the person reads it: organisation, purpose in words, article, kinds of data, time, and who asked whom
in turn (LDV reading extension; GDPR articles 12, 13 and 15). A page of questions at a time, by period and organisation.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.identity.looked.model import Looked, Question, Wanted
from sluis.identity.looked.model import Page as Found
from sluis.identity.looked.rules import articles_of, withholding
from sluis.identity.looked.service import Asserting, WhoLooked
from sluis.kernel import Text, beginning
from sluis.web import (
    Asked,
    Column,
    Entry,
    Listing,
    Row,
    SignedIn,
    asked_in,
    export,
    page,
    setting_of,
)

NAVIGATION = (
    Entry(
        "/looked", Text("Wie keek er", "Who looked"), ("citizen", "company"), section="mine",
        about=Text("Elke keer dat een organisatie gegevens opvroeg, met de reden.",
                   "Each time that an organisation asked for data, with the reason."),
    ),
)  # fmt: skip
"""What the layout shows of this room."""

_FOR: dict[str, Any] = {"audience": ("citizen", "company"), "level": "substantial"}

Whom = tuple[str, str]
"""Type and value of a number."""

QUESTIONS = 10
"""On a page: each may take other organisations to answer."""

_EXPORTED = 100  # questions in a document, for the same reason
_FIRST, _LAST = date(1970, 1, 1), date(9000, 1, 1)  # days around which a calendar has others

COLUMNS = (
    Column("when", Text("Wanneer", "When"), kind="moment"),
    Column("organisation", Text("Organisatie", "Organisation"), filter=True, foreign=True),
    Column("what", Text("Waarvoor", "What for")),
    Column("purpose", Text("Doel", "Purpose")),
    Column("law", Text("Wet", "Law")),
    Column("data", Text("Soort gegevens", "Kinds of data")),
)
"""Of the document that one can take along."""


def page_routes(
    over: WhoLooked,
    whose: Callable[[SignedIn, str], Awaitable[Whom]],
    asserting: Callable[[SignedIn, Whom], Asserting | None],
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        over: makes overviews.
        whose: the number of whom somebody acts for, for `read`. Raises `Refused`.
        asserting: what makes assertions about them for other organisations; None when there is no number to tell.
    """
    articles, withheld = articles_of(over.grounds), [one.article for one in withholding(over.grounds)]

    @get("/looked", opt=_FOR)
    async def looked(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wie keek er naar mijn gegevens, als pagina."""
        asked = asked_in(request, COLUMNS, keep=("since", "until"), size=QUESTIONS)
        whom = await whose(person, "read")
        most = _EXPORTED if asked.form else QUESTIONS
        first = 0 if asked.form else asked.first
        found = await over.page(whom, asserting(person, whom), wanted_in(asked, first, most))
        language = setting_of(request).language
        listing = _listing(found, asked)
        if asked.form:
            return await export(listing, "wie-keek-er" if language == "nl" else "who-looked", language)
        return page(
            request, "identity/looked.html", found=found, view=listing, articles=articles, withheld=withheld,
            filtered=bool(asked.filters or asked.kept), since=_kept(asked, "since"), until=_kept(asked, "until"),
        )  # fmt: skip

    @get("/looked/overview", opt=_FOR)
    async def overview(person: SignedIn, until: int | None = None) -> Looked:
        """Hetzelfde als JSON."""
        whom = await whose(person, "read")
        return await over.of(whom, asserting(person, whom), until=until)

    return [looked, overview]


def wanted_in(asked: Asked, first: int, most: int) -> Wanted:
    """Which part of an overview an address asks; what is no day in it counts as not asked. Days are Dutch, the last one whole."""
    since, until = _day(_kept(asked, "since")), _day(_kept(asked, "until"))
    return Wanted(
        None if since is None else beginning(since) * 1000,
        None if until is None else beginning(until + timedelta(days=1)) * 1000 - 1,
        asked.filters.get("organisation", ""),
        first,
        most,
    )


def _listing(found: Found, asked: Asked) -> Listing:
    rows = [_row(one) for one in found.questions]
    caption = Text("Wie keek er naar mijn gegevens", "Who looked at my data")
    return Listing(caption, COLUMNS, tuple(rows), asked, found.total, exports=True)


def _row(question: Question) -> Row:
    first = question.first
    names = dict.fromkeys([*_names(question.chain)])
    said = dict.fromkeys(words for one in question.told for words in one.said)
    return Row(
        (
            first.began // 1000,
            ", ".join(names),
            first.name or first.activity,
            first.purpose,
            "; ".join(first.articles),
            Text("; ".join(one.nl for one in said), "; ".join(one.en for one in said)),
        ),
        question,
    )


def _names(chain: Sequence[Any]) -> list[str]:
    return [name for one in chain for name in (one.organisation, *_names(one.asked))]


def _kept(asked: Asked, name: str) -> str:
    return next((value for one, value in asked.kept if one == name and _day(value) is not None), "")


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and _FIRST <= day <= _LAST else None
