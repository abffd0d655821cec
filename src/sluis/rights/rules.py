"""Decisions about requests: what may follow what, by when an answer must be there, and what somebody wrote, made fit. Pure.

AVG art. 12, paragraph 3: an answer within one month of receipt, and two months more when that is told within the first. Awb
art. 7:10: six weeks after the term for objecting has passed. Of companies: Wet open overheid art. 4.4, four weeks, and two more when
that is told; Awb art. 4:13 and 4:14, eight weeks, and as much more as the organisation then says.
"""

import secrets
import unicodedata
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import msgspec

from sluis.kernel import HERE, Invalid, Text
from sluis.rights.model import (
    COMPANY_KINDS,
    FOLLOWS,
    KINDS,
    LONGEST,
    REASONED,
    About,
    Asked,
    DataSubject,
    Kind,
    Reached,
    Stage,
    State,
    Term,
)

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32

FIRST_DELAY, LONGEST_DELAY = 1, 3600
"""Seconds until what did not arrive is sent again: after the first failure, and at most; each failure doubles it."""

_LAST = 253_000_000_000  # seconds since the epoch: the year 9987

_MONTH, _FOUR_WEEKS, _EIGHT_WEEKS = (
    Text("één maand", "one month"),
    Text("vier weken", "four weeks"),
    Text("acht weken", "eight weeks"),
)
_WEEKS = Text(
    "zes weken, na het einde van de bezwaartermijn", "six weeks, after the term for objecting has ended"
)


def new_receipt() -> str:
    """A number that nobody guesses."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def kinds_of(whom: DataSubject) -> tuple[Kind, ...]:
    """What a person, or a company, can ask."""
    return COMPANY_KINDS if whom.company else KINDS


def term_of(kind: Kind, company: bool = False) -> Term:
    """How long an answer to this kind of request may take, of a person or of a company."""
    if kind == "decision":
        return Term(_WEEKS, "Algemene wet bestuursrecht, art. 7:10")
    if company and kind == "access":
        return Term(_FOUR_WEEKS, "Wet open overheid, art. 4.4")
    if company:
        return Term(_EIGHT_WEEKS, "Algemene wet bestuursrecht, art. 4:13")
    return Term(_MONTH, "AVG, art. 12, lid 3")


def answer_by(kind: Kind, steps: Sequence[Stage], company: bool = False) -> date | None:
    """The last day for an answer; None when that is not known: it was not received, its term has another beginning, or the
    organisation said that it takes longer and must itself say how long."""
    if not steps or kind == "decision":
        return None
    # Another organisation says when it received it: what it says may lie at the end of the calendar.
    received = datetime.fromtimestamp(min(steps[0].at, _LAST), UTC).astimezone(HERE).date()
    extended = any(one.state == "extended" for one in steps)
    if not company:
        return _months_later(received, 3 if extended else 1)
    if kind == "access":
        return received + timedelta(weeks=6 if extended else 4)
    return None if extended else received + timedelta(weeks=8)


def told_in(steps: Sequence[Stage]) -> tuple[Stage, ...]:
    """What another organisation tells, fit to be shown: its reasons without what could make them read as something else."""
    return tuple(msgspec.structs.replace(one, reason=clean(one.reason)) for one in steps)


def written_in(about: About, asked: Asked) -> tuple[About, Asked]:
    """The same of a request that another organisation passes on."""
    return (
        msgspec.structs.replace(about, dataset=clean(about.dataset), title=clean(about.title), activity=clean(about.activity)),
        Asked(clean(asked.now), clean(asked.should), clean(asked.remark)),
    )  # fmt: skip


def may_follow(state: State, later: State) -> bool:
    """Whether one state may follow another."""
    return later in FOLLOWS[state]


def check_step(state: State, later: Reached, reason: str) -> None:
    """Whether an official may bring a request from one state to another. Raises `Invalid`."""
    if not may_follow(state, later):
        raise Invalid(
            "wrong-step",
            Text("Deze stap kan niet.", "This step is not possible."),
            Text("Het verzoek is al verder, of al afgehandeld.", "The request is further already, or finished."),
            Text("Open het verzoek opnieuw en kies uit wat er nu kan.", "Open the request again and choose from what is possible now."),
            field="state",
        )  # fmt: skip
    if later in REASONED and not reason:
        raise Invalid(
            "reason-required",
            Text("Er staat geen reden bij.", "There is no reason."),
            Text("De aanvrager heeft recht op een reden (AVG art. 12).", "The person has a right to a reason (GDPR art. 12)."),
            Text("Schrijf op waarom.", "Write down why."),
            field="reason",
        )  # fmt: skip


def is_progress(known: Sequence[Stage], told: Sequence[Stage]) -> bool:
    """Whether what another organisation tells goes on from what it told before, by steps that exist."""
    states = [one.state for one in told]
    return (
        tuple(told[: len(known)]) == tuple(known)
        and states[0] == "received"
        and all(may_follow(*pair) for pair in pairwise(states))
    )


def delay(attempts: int) -> int:
    """Seconds until what failed so often is sent again."""
    return min(FIRST_DELAY << min(attempts, 20), LONGEST_DELAY)


def asked_in(kind: Kind, now: str, should: str, remark: str) -> Asked:
    """What was filled in, as it is kept. Raises `Invalid` when the field that says what it is about is empty, or one is too long."""
    written = {"now": clean(now), "should": clean(should), "remark": clean(remark)}
    for name, text in written.items():
        _check_length(name, text)
    required = "should" if kind == "correction" else "remark"
    if not written[required]:
        raise Invalid(
            "text-required",
            Text("Dit veld is nog leeg.", "This field is still empty."),
            Text("Zonder deze tekst weet de organisatie niet wat u bedoelt.",
                 "Without this text the organisation does not know what you mean."),
            Text("Vul het in.", "Fill it in."),
            field=required,
        )  # fmt: skip
    return Asked(**written)


def reason_in(reason: str) -> str:
    """What an official wrote, as it is kept and told. Raises `Invalid` when it is too long."""
    written = clean(reason)
    _check_length("reason", written)
    return written


def _check_length(field: str, text: str) -> None:
    if len(text) > LONGEST:
        raise Invalid(
            "text-too-long",
            Text("Deze tekst is te lang.", "This text is too long."),
            Text(f"Er passen {LONGEST} tekens in.", f"{LONGEST} characters fit."),
            Text("Maak de tekst korter.", "Make the text shorter."),
            field=field,
        )


def clean(text: str) -> str:
    """What somebody wrote without control and direction characters, which could make it read as something else."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        one for one in lines if one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs")
    ).strip()


def _months_later(day: date, months: int) -> date:
    """The same day so many months on; the last of the month where that has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
