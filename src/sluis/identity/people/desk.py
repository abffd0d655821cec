"""Guardians as officials see them in a browser: listed, written down with what they rest on, ended."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.people.http import WhomOf, appointment, not_yours
from sluis.identity.people.model import ANY
from sluis.identity.people.service import People
from sluis.identity.people.shown import GUARDIAN_KINDS, chosen_services
from sluis.identity.people.views import NewGuardian
from sluis.kernel import Invalid, PeerId, Problem, Text
from sluis.policy import CHANGE_PEOPLE, PEOPLE, READ_PEOPLE, Resource
from sluis.web import STAFF, Form, Gate, SignedIn, page, read_day, redirect


def desk_routes(people: People, gate: Gate, own: PeerId, whom: WhomOf) -> list[HTTPRouteHandler]:
    """These pages.

    Args:
        people: of this node.
        gate: asks who may.
        own: this node.
        whom: knows a person by their BSN.
    """
    guardians = people.guardians

    async def may(person: SignedIn, action: str) -> None:
        await gate.require(person, action, Resource(PEOPLE, str.__str__(own)), not_yours())

    def shown(
        request: Request[Any, Any, Any],
        person: SignedIn,
        filled: Form,
        wrong: Problem | None,
        status: int = 200,
    ) -> Response[bytes]:
        return page(
            request,
            "identity/people/guardians.html",
            status=status,
            guardians=guardians.every(),
            holds=guardians.holds,
            kinds=GUARDIAN_KINDS,
            services=people.catalogue.all,
            title=people.catalogue.title,
            filled=filled,
            wrong=wrong,
            changes=gate.offers(person, CHANGE_PEOPLE, Resource(PEOPLE, str.__str__(own))),
        )

    @get("/guardians", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wie voor een ander handelt, en het formulier om dat vast te leggen."""
        await may(person, READ_PEOPLE)
        return shown(request, person, {}, None)

    @post("/guardians", opt=STAFF, status_code=200)
    async def appoint(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Leg vast dat iemand voor een ander handelt."""
        await may(person, CHANGE_PEOPLE)
        try:
            await guardians.appoint(person.acting.person, appointment(people, _new(form), whom))
        except Problem as problem:
            if problem.status >= 500:
                raise
            # The numbers of people are asked for anew: they do not stand on a page.
            kept = {name: one for name, one in form.items() if name not in ("guardian", "ward")}
            return shown(request, person, kept, problem, 422)
        return redirect("/guardians")

    @post("/guardians/end", opt=STAFF, status_code=200)
    async def end(person: SignedIn, form: Form) -> Response[Any]:
        """Laat iemand niet meer voor een ander handelen."""
        await may(person, CHANGE_PEOPLE)
        await guardians.end(person.acting.person, form.get("guardianship", ""))
        return redirect("/guardians")

    return [listed, appoint, end]


def _new(form: Form) -> NewGuardian:
    kind: Any = form.get("kind", "")
    if kind not in GUARDIAN_KINDS:
        raise _no_kind()
    return NewGuardian(
        kind, form.get("guardian", "").strip(), form.get("guardian_name", ""), form.get("ward", "").strip(),
        form.get("ward_name", ""), form.get("evidence", ""),
        chosen_services(form) if kind == "administrator" else (ANY,),
        read_day(form, "until") if kind != "parent" else None,
        read_day(form, "born") if kind == "parent" else None,
    )  # fmt: skip


def _no_kind() -> Invalid:
    return Invalid(
        "guardianship-unreadable",
        Text("Dit is niet vastgelegd.", "This was not written down."),
        Text(
            "U koos niet hoe iemand voor de ander handelt.",
            "You did not choose how somebody acts for the other.",
        ),
        Text("Kies curator, bewindvoerder of ouder.", "Choose curator, administrator or parent."),
        field="kind",
    )
