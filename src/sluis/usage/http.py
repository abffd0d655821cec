"""Statements over HTTP, for the organisation's own people who may see what was used (`read-usage`)."""

from datetime import date
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from sluis.kernel import Invalid, PeerId, Refused, Text
from sluis.policy import ASK_FOR_ROLE, READ_USAGE, USAGE, Resource, takes_role
from sluis.usage.model import Statement
from sluis.usage.rules import read_month
from sluis.usage.service import Usage
from sluis.web import Gate, Person

_TAGS = ["gebruik"]


def usage_routes(usage: Usage, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes of this room.

    Args:
        usage: what was used.
        gate: asks who may see it.
        own: this node.
    """

    @get(
        "/usage",
        summary="Wat er in een maand gebruikt is",
        tags=_TAGS,
        response_description="Per afspraak een overzicht, met wat het kost.",
    )
    async def statements(
        person: Person,
        month: Annotated[
            str, QueryParameter(max_length=7, description="Maand (UTC), zoals 2026-11; zonder deze.")
        ] = "",
    ) -> list[Statement]:
        await gate.require(person, READ_USAGE, Resource(USAGE, str.__str__(own)), not_yours())
        return await usage.statements(month_wanted(month, usage.this_month()))

    @get("/usage/{number:str}", summary="Eén overzicht", tags=_TAGS, response_description="Met alle regels.")
    async def statement(person: Person, number: Annotated[str, PathParameter(max_length=20)]) -> Statement:
        await gate.require(person, READ_USAGE, Resource(USAGE, str.__str__(own)), not_yours())
        return await usage.statement(number)

    return [statements, statement]


def month_wanted(text: str, otherwise: date) -> date:
    """The month that somebody named. Raises `Invalid`."""
    if not text:
        return otherwise
    found = read_month(text)
    if found is None:
        raise Invalid(
            "invalid-month",
            Text("Dit is geen maand.", "This is not a month."),
            Text(
                "Een maand is een jaar en een maand, zoals 2026-06.",
                "A month is a year and a month, as 2026-06.",
            ),
            Text("Schrijf een maand als 2026-06.", "Write a month as 2026-06."),
        )
    return found


def not_yours() -> Refused:
    """Who may not see what was used."""
    return Refused(
        "usage-not-yours",
        Text(
            "U mag niet zien wat er gebruikt is en wat het kost.",
            "You may not see what was used and what it costs.",
        ),
        takes_role("finance", "data-owner", "fsc-admin"),
        ASK_FOR_ROLE,
        rule="usage-readers",
    )
