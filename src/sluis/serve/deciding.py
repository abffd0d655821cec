"""What programs and officials do without a page: ask the decision point, publish what happened, read what others told. Over the portal with an
access token that was given for it, and over the unix socket as an official with the role for it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request

from sluis.identity.provider import DECISIONS, EVENTS, READ_EVENTS, Provider
from sluis.kernel import Refused, Text
from sluis.policy import ASK_FOR_ROLE, Who, takes_role
from sluis.web import Access, OnRefusal, Person, TokenAccess, thumbprint_of, token_of

Asking = Request[Any, Any, Any]


class Right(msgspec.Struct, frozen=True):
    """Something that programs do.

    Args:
        scope: that an access token must be given for.
        role: of an official on whose behalf it is done.
        code: of the refusal of somebody without that role.
        person: what such a person is told.
        program: what a program is told whose token is not for this.
    """

    scope: str
    role: str
    code: str
    person: Text
    program: Text


DECIDING = Right(
    DECISIONS,
    "decision-client",
    "decisions-not-yours",
    Text("U mag het beslispunt niet zelf vragen.", "You may not ask the decision point yourself."),
    Text("Dit programma mag het beslispunt niet vragen.", "This program may not ask the decision point."),
)

PUBLISHING = Right(
    EVENTS,
    "event-publisher",
    "events-not-yours",
    Text("U mag geen gebeurtenissen melden.", "You may not publish events."),
    Text("Dit programma mag geen gebeurtenissen melden.", "This program may not publish events."),
)


READING = Right(
    READ_EVENTS,
    "event-admin",
    "events-not-yours",
    Text("U mag geen gebeurtenissen lezen.", "You may not read events."),
    Text("Dit programma mag geen gebeurtenissen lezen.", "This program may not read events."),
)


def by_token(right: Right, provider: Provider, access: TokenAccess, on_refusal: OnRefusal) -> Who:
    """Who comes with an access token: a registered program with one of its own that was given for this, or an official.

    Args:
        right: what they do.
        provider: knows which program a token is of.
        access: knows whose token it is otherwise.
        on_refusal: told of each refusal before it is answered.
    """

    async def asker(request: Asking) -> str:
        program = provider.program(token_of(request.scope), thumbprint_of(request.scope))
        if program is None:
            return _official(right, access.person(request.scope))
        if right.scope not in program.scope:
            raise _not_given_for_this(right)
        return f"client:{program.client}"  # the names of people and programs come from different lists

    return _telling(asker, on_refusal)


def by_socket(right: Right, access: Access, on_refusal: OnRefusal) -> Who:
    """Who comes on the node's own machine: an official, known by the operating system. Arguments as `by_token`."""

    async def asker(request: Asking) -> str:
        return _official(right, access.person(request.scope))

    return _telling(asker, on_refusal)


def _official(right: Right, person: Person) -> str:
    if right.role not in person.roles:
        raise Refused(
            right.code,
            right.person,
            takes_role(right.role),
            ASK_FOR_ROLE,
            rule=right.code,
        )
    return person.person


def _telling(asker: Callable[[Asking], Awaitable[str]], on_refusal: OnRefusal) -> Who:
    async def told(request: Asking) -> str:
        try:
            return await asker(request)
        except Refused as refusal:
            await on_refusal(refusal)
            raise

    return told


def _not_given_for_this(right: Right) -> Refused:
    return Refused(
        "insufficient-scope",
        right.program,
        Text(
            f"Het access token is niet voor de scope {right.scope} gegeven.",
            f"The access token was not given for the scope {right.scope}.",
        ),
        Text(
            f"Vraag een token met de scope {right.scope}.", f"Request a token with the scope {right.scope}."
        ),
        rule="insufficient-scope",
    )
