"""When a standing question has its turn, whether its answer is another one, and what ends it: pure functions.

Rounds begin at whole multiples of the cadence since midnight UTC, and the answer that later ones are held against is read in
a round too. So the moment of a signal tells that something changed between two rounds, and nothing more; also to who leaves
the same question standing many times.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from sluis.events.standing.model import MOST_DAYS, StandingQuestion
from sluis.grounds import Bound, Purpose
from sluis.kernel import Conflict, Invalid, NotFound, Problem, Text, milliseconds

Verdict = Literal["first", "same", "changed"]

ENDS = frozenset(
    {
        "not-disclosed",
        "not-valid-today",
        "activity-ended",
        "contract-missing",
        "no-standing-questions",
        "disclosure-changed",
    }
)
"""What is wrong for good: the disclosure, the activity or the contract is gone, or is another one. All else may be over by
the next round."""


def round_of(now: datetime, cadence: int) -> int:
    """When the round began that it is now, in milliseconds since the epoch.

    Args:
        now: aware UTC.
        cadence: seconds between rounds; a divisor of a day.
    """
    return milliseconds(now) // (cadence * 1000) * (cadence * 1000)


def next_round(now: datetime, cadence: int) -> int:
    """When the first round after now begins; arguments as `round_of`."""
    return round_of(now, cadence) + cadence * 1000


def fingerprint(rows: Iterable[bytes]) -> bytes:
    """SHA-256 of an answer, 32 bytes: the same for the same rows in another order, and for no other rows."""
    whole = hashlib.sha256()
    for one in sorted(hashlib.sha256(row).digest() for row in rows):
        whole.update(one)
    return whole.digest()


def verdict(before: bytes, now: bytes) -> Verdict:
    """What an answer is beside the one before, by their keyed digests; empty when there is none before."""
    if not before:
        return "first"
    return "same" if before == now else "changed"


def purpose_for(purposes: Iterable[Purpose], question: StandingQuestion) -> Purpose | None:
    """The purpose among these that covers the question with the rules that it relies on; else one for its activity."""
    alike = [one for one in purposes if one.activity == question.activity]
    covers = (one for one in alike if question.digest in {bound.digest for bound in one.disclosures})
    return next(covers, alike[0] if alike else None)


def covered(purpose: Purpose, activity: str, id: str, digest: str) -> bool:
    """Whether a contract with this purpose is one to leave a question standing under."""
    return purpose.activity == activity and Bound(id, digest) in purpose.disclosures


def reason(problem: Problem) -> str:
    """What is told of why a question was not answered: the rule, as a consultation would give it."""
    return problem.rule or problem.code


def check_until(until: date, today: date) -> None:
    """Raises `Invalid` when a question would be over already, or stand for too long."""
    last = today + timedelta(days=MOST_DAYS)
    if not today <= until <= last:
        raise Invalid(
            "invalid-until",
            Text("De laatste dag van deze vraag kan niet.", "The last day of this question cannot be."),
            Text(
                f"Hij hoort tussen {today} en {last} te liggen.", f"It must lie between {today} and {last}."
            ),
            Text("Kies een andere dag.", "Choose another day."),
        )


def check_room(there: int, most: int) -> None:
    """Raises `Conflict` when there would be too many under one disclosure."""
    if there >= most:
        raise Conflict(
            "too-many-standing-questions",
            Text("Er staan te veel vragen.", "There are too many standing questions."),
            Text(f"Voor deze verstrekking mogen het er {most} zijn.", f"For this disclosure there may be {most}."),
            Text("Beëindig wat voorbij is, of overleg met de bronhouder.", "End what is over, or talk to the owner."),
        )  # fmt: skip


def check_free(references: Sequence[object]) -> None:
    """Raises `Conflict` when the recipient has a question standing under the same reference: who did not hear that its question
    was kept would otherwise have it twice."""
    if references:
        raise Conflict(
            "reference-in-use",
            Text("Onder dit kenmerk staat al een vraag.", "A question stands under this reference already."),
            Text("Eén kenmerk hoort bij één vraag.", "One reference belongs to one question."),
            Text("Kies een ander kenmerk, of beëindig de andere vraag eerst.",
                 "Choose another reference, or end the other question first."),
        )  # fmt: skip


def not_there() -> NotFound:
    """There is no such question, or it is another's."""
    return NotFound(
        "no-standing-question",
        Text("Deze vraag staat er niet.", "There is no such standing question."),
        Text("Zij is er nooit geweest, of is een maand geleden beëindigd.",
             "It never was, or ended a month ago."),
        Text("Kijk welke vragen er staan.", "See which questions stand."),
    )  # fmt: skip


def gone() -> Conflict:
    """The question ended while it was being read, so nothing is told."""
    return Conflict(
        "standing-question-ended",
        Text("Deze vraag is intussen beëindigd.", "This question ended meanwhile."),
        Text("Er is niets gemeld.", "Nothing was told."),
        Text("Laat de vraag opnieuw staan als dat nodig is.", "Leave the question standing anew if need be."),
    )
