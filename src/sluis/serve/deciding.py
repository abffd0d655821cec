"""Who may ask the decision point, over the portal and over the unix socket: what others may do is not for everyone to find
out."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request

from sluis.identity.provider import DECISIONS, Provider
from sluis.kernel import Refused, Text
from sluis.policy import Who
from sluis.web import Access, OnRefusal, Person, TokenAccess, thumbprint_of, token_of

DECISION_CLIENT = "decision-client"
"""The role of an official on whose behalf the decision point is asked."""

Asking = Request[Any, Any, Any]


def by_token(provider: Provider, access: TokenAccess, on_refusal: OnRefusal) -> Who:
    """Who asks with an access token: a registered program with one of its own that was given for this, or an official.

    Args:
        provider: knows which program a token is of.
        access: knows whose token it is otherwise.
        on_refusal: told of each refusal before it is answered.
    """

    async def asker(request: Asking) -> str:
        program = provider.program(token_of(request.scope), thumbprint_of(request.scope))
        if program is None:
            return _official(access.person(request.scope))
        if DECISIONS not in program.scope:
            raise _not_given_for_this()
        return f"client:{program.client}"  # the names of people and programs come from different lists

    return _telling(asker, on_refusal)


def by_socket(access: Access, on_refusal: OnRefusal) -> Who:
    """Who asks on the node's own machine: an official, known by the operating system. Arguments as `by_token`."""

    async def asker(request: Asking) -> str:
        return _official(access.person(request.scope))

    return _telling(asker, on_refusal)


def _official(person: Person) -> str:
    if DECISION_CLIENT not in person.roles:
        raise _not_for_you()
    return person.person


def _telling(asker: Callable[[Asking], Awaitable[str]], on_refusal: OnRefusal) -> Who:
    async def told(request: Asking) -> str:
        try:
            return await asker(request)
        except Refused as refusal:
            await on_refusal(refusal)
            raise

    return told


def _not_for_you() -> Refused:
    return Refused(
        "decisions-not-yours",
        Text("U mag het beslispunt niet zelf vragen.", "You may not ask the decision point yourself."),
        Text(
            f"Daarvoor is de rol {DECISION_CLIENT} nodig.",
            f"That takes the role {DECISION_CLIENT}.",
        ),
        Text("Vraag de rol aan bij de beheerder.", "Request the role from whoever runs the node."),
        rule="decisions-not-yours",
    )


def _not_given_for_this() -> Refused:
    return Refused(
        "insufficient-scope",
        Text("Dit programma mag het beslispunt niet vragen.", "This program may not ask the decision point."),
        Text(
            f"Het access token is niet voor de scope {DECISIONS} gegeven.",
            f"The access token was not given for the scope {DECISIONS}.",
        ),
        Text(
            f"Vraag een token met de scope {DECISIONS}.",
            f"Request a token with the scope {DECISIONS}.",
        ),
        rule="insufficient-scope",
    )
