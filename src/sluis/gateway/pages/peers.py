"""Who is in the group, in a browser: the list, one peer, and certificates with their ends. Asking others goes on beside the page."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import msgspec
from cryptography import x509
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.crypto import WARN_BEFORE
from sluis.gateway.pages import words
from sluis.gateway.pages.contracts import COLUMNS as EVERY_CONTRACT
from sluis.gateway.pages.contracts import Desk, date_of, listed_row
from sluis.gateway.pages.neighbours import Neighbour, Neighbours
from sluis.gateway.pages.rights import May
from sluis.kernel import NotFound, PeerId, Problem, Text
from sluis.policy import CHANGE_GROUP, READ_GROUP, REQUEST_CONTRACT
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

_TRIAL = 3.0  # seconds that a page waits for how a trial goes; it goes on after that


class Shown(msgspec.Struct, frozen=True):
    """A certificate of this node, or one that it trusts.

    Args:
        title: what it is for.
        certificate: it.
        helps: what to do when it ends soon.
    """

    title: Text
    certificate: x509.Certificate
    helps: Text


class Revoked(msgspec.Struct, frozen=True):
    """A list of revoked certificates: of which authority, when it was made, when the next one is due, and how many are on it."""

    authority: str
    made: datetime
    due: datetime | None
    count: int


class Own(msgspec.Struct, frozen=True):
    """What a node knows of certificates, beside those of its peers.

    Args:
        certificates: those that it shows, and those that it trusts.
        lists: of revoked certificates, that are in force.
        unlisted: authorities of which there is no list, though others have one.
    """

    certificates: Callable[[], Sequence[Shown]]
    lists: Callable[[], Sequence[Revoked]]
    unlisted: Callable[[], Sequence[str]]


_OF_CONTRACTS = tuple(msgspec.structs.replace(one, filter=False) for one in EVERY_CONTRACT[1:])


def _of_peer(row: Row) -> Row:
    """A contract among those with one organisation: without saying with whom, and its service leads to it."""
    whom, service = cast(Cell, row.cells[0]), cast(Cell, row.cells[1])
    return msgspec.structs.replace(
        row, cells=(msgspec.structs.replace(service, href=whom.href), *row.cells[2:])
    )


def peer_routes(desk: Desk, neighbours: Neighbours, own: Own, may: May) -> list[HTTPRouteHandler]:
    """The pages about peers and certificates.

    Args:
        desk: of this node.
        neighbours: its peers.
        own: its own certificates, and lists of revoked ones.
        may: asks who may.
    """
    trials = set[asyncio.Task[None]]()

    @get("/peers", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wie in de groep zit, en hoe het met hen gaat."""
        await may(person, READ_GROUP)
        found, heard, directory = await neighbours.every(anew="anew" in request.query_params)
        language, now = setting_of(request).language, desk.now()
        asked = asked_in(request, COLUMNS, sort="name")
        rows = [peer_row(one, now) for one in found]
        listing = arranged(_PEERS, COLUMNS, rows, asked, language, exports=True, nothing=_NOBODY)
        if asked.form:
            return await export(listing, "organisaties", language)
        troubled = [one for one in found if one.health(now) == "error"]
        return page(
            request, "gateway/pages/peers.html", listing=listing, heard=heard, directory=directory,
            troubled=troubled, group=await desk.operator.group(), own=desk.membership.running.manager.own,
            certificate=desk.membership.running.manager.identity.certificate, now=now,
        )  # fmt: skip

    @get("/peers/{oin:str}", opt=STAFF)
    async def one(person: SignedIn, request: Request[Any, Any, Any], oin: str) -> Response[bytes]:
        """Eén organisatie in de groep."""
        await may(person, READ_GROUP)
        found, heard, directory = await neighbours.every(anew="anew" in request.query_params)
        shown = next((each for each in found if each.id == oin), None)
        if shown is None:
            raise _nobody()
        rows = [_of_peer(listed_row(desk, each)) for each in await desk.rows() if shown.id in each.others]
        asked = asked_in(request, _OF_CONTRACTS, sort="-made", size=10)
        listing = arranged(_CONTRACTS, _OF_CONTRACTS, rows, asked, setting_of(request).language)
        return page(
            request, "gateway/pages/peer.html", one=shown, heard=heard, directory=directory, listing=listing,
            words=words, now=desk.now(), health=shown.health(desk.now()), warn=int(WARN_BEFORE.total_seconds()),
            tried=request.query_params.get("tried") == "yes", changes=may.offers(person, CHANGE_GROUP),
            requests=may.offers(person, REQUEST_CONTRACT),
        )  # fmt: skip

    @post("/peers/try", opt=STAFF, status_code=200)
    async def again(person: SignedIn, form: Form) -> Response[Any]:
        """Probeer een organisatie die met rust wordt gelaten nu opnieuw."""
        await may(person, CHANGE_GROUP)
        id = form.get("peer", "")
        known = desk.membership.running.peers.known(PeerId(id)) if PeerId.accepts(id) else None
        if known is None:
            raise _nobody()
        if not trials:  # one at a time: each is a request to another organisation

            async def trial() -> None:
                with suppress(Problem):  # how it went stands on the page
                    await neighbours.try_again(known.id)

            task = asyncio.create_task(trial())
            trials.add(task)
            task.add_done_callback(trials.discard)
            await asyncio.wait({task}, timeout=_TRIAL)
        return redirect(f"/peers/{id}", tried="yes")

    @get("/certificates", opt=STAFF)
    async def certificates(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Tot wanneer certificaten gelden: eigen, van anderen, en de lijsten van ingetrokken."""
        await may(person, READ_GROUP)
        found, heard, _ = await neighbours.every()
        shown, now = own.certificates(), desk.now()
        rows = [certificate_row(one.title, one.certificate, now) for one in shown]
        theirs = [
            Row((Cell(one.name, f"/peers/{one.id}"), date_of(one.until), *left(one.until, now)))
            for one in found
            if one.until
        ]
        language = setting_of(request).language
        return page(
            request, "gateway/pages/certificates.html", heard=heard, lists=own.lists(), unlisted=own.unlisted(), now=now,
            own=arranged(_OWN, CERTIFICATES, rows, asked_in(request, CERTIFICATES, prefix="own-"), language),
            theirs=arranged(_THEIRS, CERTIFICATES, theirs, asked_in(request, CERTIFICATES, sort="until"), language),
            ending=[one for one in shown if tone_of(ends(one.certificate), now) != "ok"],
        )  # fmt: skip

    return [listed, one, again, certificates]


def peer_row(one: Neighbour, now: int) -> Row:
    """A peer as a row of the list."""
    health, contracts = one.health(now), one.contracts
    waiting = contracts.get("us", 0) + contracts.get("them", 0)
    return Row(
        (
            Cell(one.name, f"/peers/{one.id}", told=str.__str__(one.id)),
            Cell(
                words.HEALTH[health],
                tone=words.HEALTH_TONES[health],
                told=None if one.circuit.state == "closed" else words.CIRCUITS[one.circuit.state],
            ),
            date_of(one.until) if one.until else None,
            one.last or None,
            one.requests,
            Cell(
                contracts.get("valid", 0),
                told=Text(f"{waiting} wacht", f"{waiting} waiting") if waiting else None,
            ),
        ),
        one,
    )


def certificate_row(title: Text, certificate: x509.Certificate, now: int) -> Row:
    """A certificate as a row of a list."""
    until = ends(certificate)
    return Row((title, date_of(until), *left(until, now)))


def ends(certificate: x509.Certificate) -> int:
    """Until when it is valid, seconds since the epoch."""
    return int(certificate.not_valid_after_utc.timestamp())


def left(until: int, now: int) -> tuple[int, Cell]:
    """How many days a certificate is valid, and what that comes down to."""
    tone = tone_of(until, now)
    return max((until - now) // 86_400, 0), Cell(words.CERTIFICATES[tone], tone=tone)


def tone_of(until: int, now: int) -> Any:
    """How it is with a certificate that is valid until then: `ok`, `warning`, `error`."""
    if until <= now:
        return "error"
    return "warning" if until - now < WARN_BEFORE.total_seconds() else "ok"


COLUMNS = (
    Column("name", Text("Organisatie", "Organisation"), sort=True, filter=True, foreign=True),
    Column("health", Text("Hoe het gaat", "How it is"), sort=True),
    Column("until", Text("Certificaat tot", "Certificate until"), sort=True, kind="day"),
    Column("last", Text("Laatste verkeer", "Last traffic"), sort=True, kind="moment"),
    Column("requests", Text("Verzoeken per week", "Requests a week"), sort=True, kind="number", align="end"),
    Column("valid", Text("Geldige contracten", "Valid contracts"), sort=True, kind="number", align="end"),
)
CERTIFICATES = (
    Column("name", Text("Van", "Of"), sort=True, foreign=True),
    Column("until", Text("Geldig tot", "Valid until"), sort=True, kind="day"),
    Column("days", Text("Dagen", "Days"), sort=True, kind="number", align="end"),
    Column("state", Text("Stand", "State"), sort=True),
)
_PEERS = Text("Organisaties in de groep", "Organisations in the group")
_CONTRACTS = Text("Contracten met deze organisatie", "Contracts with this organisation")
_OWN = Text("Wat dit knooppunt toont en vertrouwt", "What this node shows and trusts")
_THEIRS = Text("Waarmee anderen tekenen", "What others sign with")
_NOBODY = Text(
    "Dit knooppunt kent nog niemand in de groep. Zodra de directory antwoordt, staan zij hier.",
    "This node knows nobody in the group yet. As soon as the directory answers, they are here.",
)


def _nobody() -> NotFound:
    return NotFound(
        "unknown-peer",
        Text("Deze organisatie is hier niet bekend.", "This organisation is not known here."),
        Text("Niemand in de groep heeft dit nummer.", "Nobody in the group has this number."),
        Text("Zoek haar op in de lijst met organisaties.", "Find it in the list of organisations."),
    )
