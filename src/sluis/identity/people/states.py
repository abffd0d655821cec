"""What becomes of a mandate, and of an act that waits: their states as time and hands change them, and what its terms may say."""

from sluis.identity.people.model import (
    ACT_TRANSITIONS,
    MANDATES,
    TRANSITIONS,
    ActEvent,
    ActState,
    AskedAct,
    Event,
    Mandate,
    State,
    Terms,
)
from sluis.identity.people.reasons import REASONS
from sluis.kernel import Conflict, Invalid, Text

LONGEST_MANDATE = 5 * 366 * 86_400
"""Seconds. Who is still to act after five years is asked again."""

MOST_SERVICES = 100


def next_state(state: State, event: Event) -> State:
    """The state of a mandate after an event. Raises `Conflict` for what cannot happen to it any more, or not yet."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        raise Conflict(
            "mandate-state",
            Text("Dit kan niet met deze machtiging.", "This cannot be done with this mandate."),
            REASONS.get(
                f"mandate-{state}", Text("De machtiging is al in gebruik.", "The mandate is in use already.")
            ),
            Text("Bekijk hoe de machtiging er nu voor staat.", "See how the mandate stands now."),
        )
    return after


def state_at(mandate: Mandate, moment: int) -> State:
    """The state of a mandate, with what time has done to it.

    Args:
        mandate: as somebody's hand left it.
        moment: seconds since the epoch.
    """
    state, terms = mandate.state, mandate.terms
    waiting = state in ("proposed", "offered")
    if moment >= terms.until or (waiting and moment >= mandate.offer_until):
        return TRANSITIONS.get((state, "end"), state)
    if moment >= terms.since:
        return TRANSITIONS.get((state, "begin"), state)
    return state


def next_act_state(state: ActState, event: ActEvent) -> ActState:
    """The state of an act that was asked for, after an event. Raises `Conflict` for what cannot happen to it any more."""
    after = ACT_TRANSITIONS.get((state, event))
    if after is None:
        raise Conflict(
            "act-state",
            Text("Dit kan niet meer met deze handeling.", "This cannot be done with this act any more."),
            Text("Zij wacht niet op een handtekening.", "It does not wait for a signature."),
            Text("Bekijk wat ermee is gebeurd.", "See what became of it."),
        )
    return after


def act_state_at(one: AskedAct, moment: int) -> ActState:
    """The state of an act at a moment (seconds), with what time has done to it."""
    return ACT_TRANSITIONS.get((one.state, "end"), one.state) if moment >= one.until else one.state


def check_terms(terms: Terms, moment: int) -> None:
    """Raises `Invalid` (`mandate-terms`) for a mandate that says nothing, or more than a mandate may."""
    wrong = {
        "services": not 0 < len(terms.services) <= MOST_SERVICES or not all(terms.services),
        "actions": not 0 < len(terms.actions) <= MOST_SERVICES or not all(terms.actions),
        "period": not terms.since < terms.until
        or terms.until <= moment
        or terms.since < moment - LONGEST_MANDATE,
        "longest": terms.until - max(terms.since, moment) > LONGEST_MANDATE,
        "cap": terms.cap is not None and not 0 <= terms.cap < 2**53,
        "holder": terms.holder == terms.giver,
        "mandates": MANDATES in terms.services,
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise bad_terms(what)


_WRONG = {
    "services": Text("Kies één tot honderd diensten.", "Choose one to a hundred services."),
    "actions": Text(
        "Vul bij de handelingen één tot honderd namen in.", "Fill in one to a hundred names of actions."
    ),
    "period": Text(
        "De periode is voorbij, begon te lang geleden, of eindigt voor zij begint.",
        "The period is over, began too long ago, or ends before it begins.",
    ),
    "longest": Text("De periode is langer dan vijf jaar.", "The period is longer than five years."),
    "cap": Text("Het hoogste bedrag kan niet.", "The largest amount is not possible."),
    "holder": Text(
        "Wie machtigt en wie mag handelen zijn dezelfde.", "The giver and the holder are the same."
    ),
    "mandates": Text(
        "Over machtigingen zelf gaat geen machtiging.", "No mandate is about mandates themselves."
    ),
    "parties": Text(
        "Een vestiging geeft of krijgt geen machtiging; noem het bedrijf.",
        "An establishment neither gives nor holds a mandate; name the company.",
    ),
}

_FIELDS = {"period": "until", "longest": "until", "mandates": "services", "parties": "holder"}
"""Which field of the form a part is in, where it is not called the same."""


def bad_terms(what: str) -> Invalid:
    """The problem of terms that cannot be; `what` is a key above."""
    return Invalid(
        "mandate-terms",
        Text("Deze machtiging kan zo niet.", "This mandate is not possible."),
        _WRONG[what],
        Text("Verbeter dit en probeer het opnieuw.", "Correct this and try again."),
        field=_FIELDS.get(what, what),
    )
