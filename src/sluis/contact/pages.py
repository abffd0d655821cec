"""What a person sees of how they were reached, and where they say how they want to be."""

from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.contact.channels import callback
from sluis.contact.model import KINDS, Kind, Language, Preference
from sluis.contact.parties import Party
from sluis.contact.saying import not_the_channel, unknown_how
from sluis.contact.service import EVER, SHOWN, Contact
from sluis.contact.views import HOW_NAMES, KIND_NAMES, Entry, Moment
from sluis.kernel import Invalid, NotFound, Problem, Text
from sluis.web import Entry as Link
from sluis.web import Form, SignedIn, at_field, page, redirect, setting_of

NAVIGATION = (
    Link(
        "/messages",
        Text("Berichten", "Messages"),
        ("citizen", "company"),
        section="messages",
        about=Text(
            "Lees wat wij u lieten weten, en kies hoe u van ons hoort.",
            "Read what we let you know, and choose how you hear from us.",
        ),
    ),
)
"""What the layout shows of this room."""

_FOR: dict[str, Any] = {"audience": ("citizen", "company"), "level": "substantial"}
_OWN = "/messages/reach"

LARGEST = 16 * 1024
"""Bytes of what a channel calls to say."""


Number = Callable[[SignedIn, str], Awaitable[tuple[str, str]]]
"""Type and value of the number of whom somebody acts for, to `read` or `edit` what is about them. Raises `Refused`."""


def routes(
    contact: Contact, secrets: Mapping[str, str], number: Number | None = None
) -> list[HTTPRouteHandler]:
    """The pages of this room, and the address where channels report.

    Args:
        contact: of this node.
        secrets: by channel, what it shows when it calls.
        number: by which they stand in the log; None: then nobody chooses whether they are told that they were consulted.
    """
    tells = number is not None and contact.consulted.offered

    async def whose(person: SignedIn) -> Party:
        return await contact.parties.of(person, "edit")

    @get("/messages", opt=_FOR)
    async def messages(
        person: SignedIn, request: Request[Any, Any, Any], until: Moment = EVER
    ) -> Response[bytes]:
        """Every message to whoever looks, or to whom they act for, and how it got there: the newest, and before a moment."""
        party = await contact.parties.of(person, "read")
        entries = await contact.history(party, until)
        earlier = entries[-1].at if len(entries) >= SHOWN else None
        return page(
            request, "contact/messages.html",
            entries=entries, kinds=KIND_NAMES, party=party, earlier=earlier, newest=until == EVER,
        )  # fmt: skip

    @get("/messages/overview", opt=_FOR)
    async def overview(person: SignedIn, until: Moment = EVER) -> list[Entry]:
        """The same as JSON."""
        return await contact.history(await contact.parties.of(person, "read"), until)

    async def shown(
        request: Request[Any, Any, Any], person: SignedIn, wrong: Problem | None = None, sent: str = ""
    ) -> Response[bytes]:
        party = await whose(person)
        known = await contact.known(party)
        return page(
            request, "contact/reach.html", status=200 if wrong is None else wrong.status, known=known, kinds=contact.kinds,
            names=KIND_NAMES, general=known.preference("") or Preference(), wrong=wrong, sent=sent, party=party,
            how=await contact.told_of_consultations(party) if tells else None, hows=HOW_NAMES,
            kept=request.query_params.get("kept") == "1",
        )  # fmt: skip

    @get(_OWN, opt=_FOR)
    async def reach(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """How somebody is reached."""
        return await shown(request, person)

    @post("/messages/preference", opt=_FOR, status_code=200)
    async def prefer(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Say how one wants to be reached, in general or about a case."""
        try:
            with at_field("first"):
                await contact.prefer(await whose(person), preference_in(form))
        except Invalid as problem:
            return await shown(request, person, problem)
        return redirect(_OWN, kept="1")

    @post("/messages/consulted", opt=_FOR, status_code=200)
    async def consulted(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Say whether one wants to be told that data about one was asked for."""
        try:
            with at_field("how"):
                if number is None:
                    raise unknown_how()
                party = await whose(person)
                about = await number(person, "edit")
                await contact.tell_of_consultations(party, about, form.get("how", ""))
        except Invalid as problem:
            return await shown(request, person, problem)
        return redirect(_OWN, kept="1")

    @post("/messages/preference/remove", opt=_FOR, status_code=200)
    async def forget(person: SignedIn, form: Form) -> Response[Any]:
        """Let what was said in general count for a case again."""
        await contact.forget_preference(await whose(person), form.get("case", "")[:100])
        return redirect(_OWN)

    @post("/messages/address", opt=_FOR, status_code=200)
    async def offer(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Have a code sent to an address."""
        kind, language = form.get("kind", ""), _language(request)
        try:
            with at_field(f"value-{kind}"):
                await contact.proving.offer(await whose(person), kind, form.get("value", "")[:300], language)
        except Problem as problem:
            return await shown(request, person, problem)
        return await shown(request, person, sent=kind)

    @post("/messages/address/code", opt={**_FOR, "tries": True}, status_code=200)
    async def prove(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Bring the code, and so prove that the address is one's own."""
        kind = form.get("kind", "")
        try:
            with at_field(f"code-{kind}"):
                await contact.proving.prove(await whose(person), kind, form.get("code", "")[:20])
        except (Invalid, NotFound) as problem:
            return await shown(request, person, problem)
        return redirect(_OWN)

    @post("/messages/address/remove", opt=_FOR, status_code=200)
    async def remove(person: SignedIn, form: Form) -> Response[Any]:
        """Be reached there no longer."""
        await contact.proving.forget(await whose(person), form.get("kind", ""))
        return redirect(_OWN)

    @post(
        "/messages/reports/{channel:str}",
        opt={"open": True, "cross_site": True},
        status_code=204,
        request_max_body_size=LARGEST,
    )
    async def report(request: Request[Any, Any, Any], channel: str) -> None:
        """What a channel calls to say of a message that it took."""
        secret = secrets.get(channel)
        brought = request.headers.get("authorization", "").encode("utf-8", "replace")
        if secret is None or not compare_digest(brought, f"Bearer {secret}".encode()):
            raise not_the_channel()
        found = callback(await request.body())
        await contact.take(channel, [] if found is None else [found])

    return [messages, overview, reach, prefer, consulted, forget, offer, prove, remove, report]


def preference_in(form: Form) -> Preference:
    """What was filled in: `first` to `fourth`, a kind each or nothing. Raises `Invalid` by way of `Contact.prefer` for what is none."""
    chosen = [form.get(place, "") for place in ("first", "second", "third", "fourth")]
    kinds: tuple[Kind, ...] = tuple(kind for one in chosen for kind in KINDS if kind == one)
    languages: dict[str, Language] = {"nl": "nl", "en": "en"}
    return Preference(
        kinds,
        languages.get(form.get("language", "")),
        form.get("twice") != "no",
        form.get("case", "").strip()[:100],
    )


def _language(request: Request[Any, Any, Any]) -> Language:
    return "en" if setting_of(request).language == "en" else "nl"
