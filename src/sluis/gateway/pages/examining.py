"""The doctor in a browser: what is well at this node and what is not, each with what helps; and the whole way to a service of
another organisation, step by step. It looks beside the page, a bounded while, and the page shows how far it is.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.crypto import WARN_BEFORE, time_left
from sluis.gateway.crossing import SERVICE
from sluis.gateway.operating import Step, Way
from sluis.gateway.pages.contracts import Desk
from sluis.gateway.pages.lookout import Ear, Heard
from sluis.gateway.pages.neighbours import Neighbours
from sluis.gateway.pages.rights import May
from sluis.gateway.steps import DOCTOR_STEPS, WALKED
from sluis.kernel import Conflict, Invalid, NotFound, PeerId, Problem, Text, milliseconds
from sluis.policy import READ_GROUP
from sluis.web import STAFF, Form, SignedIn, page, redirect

_FRESH = 20.0  # seconds for which a look is good
_AGAIN = "2"  # seconds after which a page looks how far it is
_LONGEST = 120.0  # seconds that a walk may take
_AT_ONCE, _KEPT = 4, 40  # walks
_UNSEALED = 300  # seconds


class Part(msgspec.Struct, frozen=True):
    """A part of the node that the doctor looks at.

    Args:
        name: in a list, unique.
        title: for people.
        examine: gives its steps; raises `Problem`.
    """

    name: str
    title: Text
    examine: Callable[[], Awaitable[Sequence[Step]]]


class Walk(msgspec.Struct):
    """A walk to a service, as far as it is. Of one session; nobody else sees it."""

    session: str
    name: str
    service: str
    steps: list[Step] = []
    done: bool = False


def examining_routes(
    desk: Desk, neighbours: Neighbours, others: Sequence[Part], may: May
) -> list[HTTPRouteHandler]:
    """The doctor's pages.

    Args:
        desk: of this node.
        neighbours: its peers.
        others: what other rooms have looked at.
        may: asks who may.
    """
    group = Part("group", Text("De groep", "The group"), lambda: examine_group(desk, neighbours))
    parts = [*others, group]
    ears = [Ear(part.examine, desk.clock, _FRESH) for part in parts]
    walks = dict[str, Walk]()
    tasks = set[asyncio.Task[None]]()

    def known() -> list[Any]:
        return [one for one in desk.membership.running.peers.every() if one.id != desk.own][:200]

    @get("/doctor", opt=STAFF)
    async def looked(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wat er goed is en wat niet, met wat helpt."""
        await may(person, READ_GROUP)
        anew = "anew" in request.query_params
        heard = await asyncio.gather(*(ear.hear(anew=anew) for ear in ears))
        found = [(part.title, one) for part, one in zip(parts, heard, strict=True)]
        asking = any(one.asking for one in heard)
        return page(
            request, "gateway/pages/doctor.html", found=found, asking=asking, steps=DOCTOR_STEPS, wrong=amount_wrong(heard),
            ready=sum(not one.asking for one in heard), known=known(), peer=request.query_params.get("peer") or "",
            service=SERVICE, problem=None, headers={"refresh": f"{_AGAIN}; url=/doctor"} if asking else None,
        )  # fmt: skip

    @post("/doctor/walk", opt=STAFF, status_code=200)
    async def begin(person: SignedIn, form: Form) -> Response[Any]:
        """Loop de hele weg naar een dienst van een andere organisatie."""
        await may(person, READ_GROUP)
        id, service = form.get("peer", ""), " ".join(form.get("service", "").split())[:100]
        if not PeerId.accepts(id) or not service:
            raise _no_way()
        mine = next(
            (key for key, one in walks.items() if one.session == person.session and not one.done), None
        )
        if mine is not None:  # sent twice: the one that is under way
            return redirect(f"/doctor/walk/{mine}")
        if len(tasks) >= _AT_ONCE:
            raise _busy()
        while len(walks) >= _KEPT:
            del walks[next(iter(walks))]
        handle = secrets.token_urlsafe(16)
        walk = walks[handle] = Walk(person.session, desk.name(PeerId(id)), service, [])
        task = asyncio.create_task(_walked(desk, walk, Way(id, service)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.wait({task}, timeout=0.5)
        return redirect(f"/doctor/walk/{handle}")

    @get("/doctor/walk/{handle:str}", opt=STAFF)
    async def walked(person: SignedIn, request: Request[Any, Any, Any], handle: str) -> Response[bytes]:
        """Hoe ver die is, en wat er mis is."""
        await may(person, READ_GROUP)
        walk = walks.get(handle)
        if walk is None or walk.session != person.session:
            raise _no_walk()
        again = None if walk.done else {"refresh": f"{_AGAIN}; url=/doctor/walk/{handle}"}
        return page(
            request, "gateway/pages/walk.html", walk=walk, steps=DOCTOR_STEPS, total=len(WALKED), headers=again,
            wrong=any(one.result == "wrong" for one in walk.steps),
        )  # fmt: skip

    return [looked, begin, walked]


async def _walked(desk: Desk, walk: Walk, way: Way) -> None:
    try:
        async with asyncio.timeout(_LONGEST):
            await desk.operator.diagnose(way, walk.steps.append)
    except TimeoutError:
        walk.steps.append(Step("late", "wrong", *_LATE))
    except Problem as problem:
        walk.steps.append(
            Step("address", "wrong", problem.why.nl, problem.why.en, problem.next.nl, problem.next.en)
        )
    finally:
        walk.done = True


async def examine_group(desk: Desk, neighbours: Neighbours) -> list[Step]:
    """How this node stands in its group: its certificate, the directory, who answers, and what waits. Raises `Problem`."""
    group, rows = await desk.operator.group(), await desk.rows()
    found, _, listed = await neighbours.every()
    away = [one for one in found if one.health(desk.now()) == "error"]
    ours = sum(row.section == "us" for row in rows)
    return [
        certificate_step(desk),
        directory_step(listed.trouble),
        counted_step("answering", len(away), Text("Iedereen die is gevraagd, antwoordt.", "Everybody who was asked answers."),
                     Text(f"{len(away)} antwoorden niet, of worden met rust gelaten.", f"{len(away)} do not answer, or are left alone."),
                     Text("Open hun pagina onder Organisaties, en loop de weg na.", "Open their page under Organisations, and walk the way.")),
        counted_step("signing", ours, Text("Geen contract wacht op uw organisatie.", "No contract waits for your organisation."),
                     Text("1 voorstel wacht op uw organisatie.", "1 proposal waits for your organisation.")
                     if ours == 1
                     else Text(f"{ours} voorstellen wachten op uw organisatie.", f"{ours} proposals wait for your organisation."),
                     Text("Beslis erover onder Contracten.", "Decide on them under Contracts.")),
        counted_step("delivering", group.undelivered, Text("Elk bericht aan een andere Manager kwam aan.", "Every message to another Manager arrived."),
                     Text(f"{group.undelivered} berichten aan andere Managers kwamen nog niet aan.", f"{group.undelivered} messages to other Managers have not arrived yet."),
                     Text("Het knooppunt probeert het vanzelf opnieuw. Blijft het zo, kijk dan wie er niet antwoordt.", "The node tries again by itself. If it stays so, see who does not answer.")),
        counted_step("comparing", group.differences, Text("De transactielogboeken zeggen hetzelfde als die van anderen.", "The transaction logs say the same as those of others."),
                     Text(f"{group.differences} transacties staan maar aan één kant, of verschillend.", f"{group.differences} transactions are at one side alone, or differ."),
                     Text("Bekijk ze met `sluis fsc logs --differences`. Zoek het met die organisatie uit.", "See them with `sluis fsc logs --differences`. Find out with that organisation.")),
        await asyncio.to_thread(sealing_step, desk),
    ]  # fmt: skip


def certificate_step(desk: Desk) -> Step:
    """Until when this node's certificate is valid."""
    left = time_left(desk.membership.running.manager.identity.certificate, desk.clock())
    told = Text(f"Nog {left.days} dagen geldig.", f"Valid for {left.days} more days.")
    if left >= WARN_BEFORE:
        return Step("certificate", "ok", told.nl, told.en)
    return Step(
        "certificate", "wrong", told.nl, told.en,
        "Vraag een nieuw certificaat aan, en zet het op de plaats van het oude: het knooppunt neemt het zelf in gebruik.",
        "Request a new certificate, and put it in the place of the old one: the node takes it in use by itself.",
    )  # fmt: skip


def directory_step(trouble: Text | None) -> Step:
    """Whether the directory of the group answered when it was last asked."""
    if trouble is None:
        return Step("directory", "ok", "De directory antwoordt.", "The directory answers.")
    return Step(
        "directory", "wrong", trouble.nl, trouble.en,
        "Wat al was afgesproken gaat door. Vraag wie de directory beheert of zij draait.",
        "What was agreed before goes on. Ask who runs the directory whether it is up.",
    )  # fmt: skip


def counted_step(name: str, count: int, well: Text, saw: Text, helps: Text) -> Step:
    """A step that is well when there are none of something."""
    return (
        Step(name, "wrong", saw.nl, saw.en, helps.nl, helps.en)
        if count
        else Step(name, "ok", well.nl, well.en)
    )


def sealing_step(desk: Desk) -> Step:
    """Whether what crossed is sealed into the log, in time. Blocks."""
    since = desk.membership.evidence.unsealed_since()
    age = 0 if since is None else max(0, milliseconds(desk.clock()) - since) // 1000
    if age <= _UNSEALED:
        return Step(
            "sealing",
            "ok",
            "Wat langskwam, is in het logboek verzegeld.",
            "What passed is sealed into the log.",
        )
    return Step(
        "sealing", "wrong",
        f"De oudste regel die nog niet is verzegeld, is {age // 60} minuten oud.", f"The oldest line that is not sealed yet is {age // 60} minutes old.",
        "Kijk in het logboek van het knooppunt (journalctl) of de database schrijft.", "See in the node's own log (journalctl) whether the database writes.",
    )  # fmt: skip


def amount_wrong(heard: Sequence[Heard[Sequence[Step]]]) -> int:
    """How many steps are wrong, of those that are known."""
    return sum(step.result == "wrong" for one in heard for step in one.said or ())


_LATE = (
    "De hele weg duurde te lang; de rest is niet nagelopen.", "The whole way took too long; the rest was not walked.",
    "Loop hem opnieuw, of kijk bij welke stap het traag is.", "Walk it again, or see at which step it is slow.",
)  # fmt: skip


def _no_way() -> Invalid:
    return Invalid(
        "way-incomplete",
        Text("De weg is niet nagelopen.", "The way was not walked."),
        Text("Er is geen organisatie of geen dienst gekozen.", "No organisation or no service was chosen."),
        Text(
            "Ga terug, en kies een organisatie en een dienst.",
            "Go back, and choose an organisation and a service.",
        ),
    )


def _busy() -> Conflict:
    return Conflict(
        "doctor-busy",
        Text("De weg is nog niet nagelopen.", "The way was not walked yet."),
        Text("Er lopen er al zoveel als tegelijk mag.", "As many as may be at once are under way."),
        Text("Probeer het over een minuut opnieuw.", "Try again in a minute."),
    )


def _no_walk() -> NotFound:
    return NotFound(
        "unknown-walk",
        Text("Deze uitslag is er niet (meer).", "This result is not there (any more)."),
        Text("Een uitslag blijft even, en is van wie de weg liet nalopen.", "A result stays a while, and is of who had the way walked."),
        Text("Loop de weg opnieuw na.", "Walk the way again."),
    )  # fmt: skip
