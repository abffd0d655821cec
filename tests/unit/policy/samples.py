"""What the tests of the decision point share: a disclosure, its activity, and a moment. All of it is fictitious."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from sluis.grounds import Activity, Article, Disclosure, Grounds
from sluis.kernel import Oin, PeerId, Period, Text
from sluis.policy import Evaluation, Policies, consultation, rulings_of
from sluis.policy.engine import Engine

ASKER, OTHER, OWNER = (PeerId(f"0000000300000000000{i}") for i in (1, 2, 3))
LAW = Article("Participatiewet", "64", "BWBR0015703")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OPEN = Disclosure(
    "d1", 1, "people", ASKER, "urn:activity", {"name": "output"}, (LAW,), "public-task", Oin(OWNER),
    Period(date(2026, 1, 1), date(2026, 12, 31)), refuse_acr=("local",),
)  # fmt: skip
ACTIVITY = Activity(
    "urn:activity", Text("Test", "Test"), Text("Test", "Test"), Oin(OWNER), "public-task", (LAW,),
    Period(date(2020, 1, 1)),
)  # fmt: skip


def policies(
    *disclosures: Disclosure,
    contracts: bool = False,
    activity: Activity | None = ACTIVITY,
    own: dict[str, str] | None = None,
    entities: tuple[dict[str, Any], ...] = (),
) -> Policies:
    """These disclosures (`OPEN` when there are none), and own policies."""
    grounds = Grounds((), () if activity is None else (activity,), disclosures or (OPEN,))
    return Policies(own or {}, rulings_of(grounds, "own", contracts), entities, None, contracts)


def engine(*disclosures: Disclosure, **more: Any) -> Engine:
    """An engine with `policies`."""
    return Engine(policies(*disclosures, **more))


def asked(**changed: Any) -> Evaluation:
    """A consultation that `OPEN` permits, but for what is changed."""
    facts: dict[str, Any] = {
        "peer": ASKER, "person": "p", "acr": "substantial", "activity": "urn:activity", "dataset": "own.people",
    }  # fmt: skip
    return consultation(**{**facts, **changed})


def like(**changed: Any) -> Disclosure:
    """`OPEN`, but for what is changed."""
    return msgspec.structs.replace(OPEN, **changed)
