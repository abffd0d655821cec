"""What happened at the municipality before the demo starts, so that who oversees it has something to see: five usual weeks of
questions, a few days that were not usual, and reviews of the register, one of them too long ago.

All of it is invented, the persons too, and so are the days on which articles of law are said to have changed (`laws.toml` says
that). It stands in the asker's own log, as the node itself would have written it; the other organisations know nothing of it.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sluis.config import load_node
from sluis.crypto import FileKeyStore
from sluis.kernel import HERE, Acting, Trace, milliseconds, utc_now
from sluis.ledger import (
    ACTIVITY,
    PROCESSOR,
    SUBJECT,
    SUBJECT_TYPE,
    Anchors,
    Decision,
    Ledger,
    Processing,
    open_ledger,
)
from sluis.oversight import LAWS_FILE, Filled, Organisation, Oversight
from sluis.policy import DecisionPoint, Occasion, asking, open_versions, person
from sluis.store import open_store
from sluis_demo.activities import BENEFIT, PARKING
from sluis_demo.federation import Place

LAWS = """# Verzonnen data, voor de demo. Zie docs/how-to/toezicht.md.
[[version]]
bwb = "BWBR0015703"
article = "11"
since = 2015-01-01

[[version]]
bwb = "BWBR0015703"
article = "17"
since = 2015-01-01

[[version]]
bwb = "BWBR0015703"
article = "17"
since = 2026-07-01

[[version]]
bwb = "BWBR0005416"
article = "225"
since = 2012-01-01
"""
_OFFICIALS = tuple(f"medewerker-van-de-demo-{number}" for number in range(1, 5))
_NEIGHBOUR = "buur-van-de-demo-1"  # no BSN: nobody in the registers has it
_DAYS = 35


def write_earlier(place: Place) -> None:
    """Write it, before the node starts. Blocks, for half a second."""
    now = utc_now()
    (place.directory / LAWS_FILE).write_text(LAWS, encoding="utf-8")
    loaded = load_node(place.directory)
    config = loaded.config
    store = open_store(config.store.url)
    try:
        keys = FileKeyStore(config.keys.directory)
        clock = _Clock(now - timedelta(days=420))
        ledger = open_ledger(
            store, keys, config.log_origin, clock, memory=config.keys.directory / "newest.checkpoint"
        )
        versions = open_versions(store)
        versions.keep(loaded.policies, clock())
        point = DecisionPoint(loaded.policies, config.node.alias, ledger, clock)
        oversight = Oversight(
            Organisation(config.node.oin, config.node.name), loaded.grounds, str.__str__, None, store, ledger, versions,
            Anchors(config.anchors, [], clock), place.directory, clock, lambda *_: (), lambda *_: (),
        )  # fmt: skip

        async def write() -> None:
            entries = {one.activity.id: one for one in await oversight.entries()}
            for activity, days, again in ((BENEFIT.id, 400, 366), (PARKING.id, 30, 360)):
                if activity in entries:
                    clock.now = now - timedelta(days=days)
                    due = (clock.now + timedelta(days=again)).astimezone(HERE).date()
                    note = "Doel en gegevens kloppen. (Verzonnen voor de demo.)"
                    await oversight.reviews.add(
                        entries[activity],
                        Filled("agreed", note, due, "none"),
                        "bram-van-de-demo",
                        "Bram Bedacht",
                    )
            clock.now = now
            await ledger.append(list(_weeks(point, ledger, now)))
            await ledger.checkpoint()
            await oversight.catch_up()

        asyncio.run(write())
    finally:
        store.close()


class _Clock:
    """A clock that is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def _weeks(point: DecisionPoint, ledger: Ledger, now: datetime) -> Iterator[Decision | Processing]:
    """Questions of officials: the usual ones, and yesterday somebody who asks much, late, and of one person."""
    for back in range(_DAYS, 1, -1):
        day = (now - timedelta(days=back)).astimezone(HERE)
        if day.weekday() < 5:
            for at, official in enumerate(_OFFICIALS):
                for number in range(2 + (back + at) % 3):
                    moment = day.replace(hour=9 + number * 2, minute=7 * at, second=number)
                    yield from _asked(
                        point, ledger, official, moment, f"inwoner-van-de-demo-{back}-{at}{number}"
                    )
    evening = (now - timedelta(days=1)).astimezone(HERE).replace(hour=20, minute=5)
    for number in range(34):
        yield from _asked(point, ledger, _OFFICIALS[3], evening + timedelta(minutes=number), _NEIGHBOUR)
    for number in range(12):
        moment = evening.replace(hour=14) + timedelta(minutes=number)
        yield from _asked(point, ledger, "hulpmiddel-van-de-demo", moment, "", audience="citizen")


def _asked(
    point: DecisionPoint, ledger: Ledger, official: str, moment: datetime, whom: str, audience: str = "staff"
) -> Iterator[Decision | Processing]:
    """What a node writes of a question: that it was asked, and about whom."""
    activity = PARKING.id if whom.endswith(("1", "3")) else BENEFIT.id
    trace, at = Trace.begin(), milliseconds(moment)
    evaluation = asking(
        person(Acting(official), "local", audience=audience),
        activity,
        {"case": "Z-DEMO", "traceparent": trace.traceparent},
    )
    decided = point.decide(evaluation, moment)
    offers: dict[str, Any] = {
        "offers": {"rdw.voertuigen" if activity == PARKING.id else "rvig.personen": "sha256:demo"}
    }
    yield point.record(
        evaluation, decided, Occasion(trace, moment, began=True, policies=offers if decided.permit else {})
    )
    if decided.permit:
        attributes = {
            ACTIVITY: activity, SUBJECT: ledger.subject("BSN", whom, moment), SUBJECT_TYPE: "BSN",
            PROCESSOR: "https://rvig.example",
        }  # fmt: skip
        yield Processing(
            trace.trace_id, trace.child().span_id, "Raadpleging (verzonnen, van voor de demo)", "Ok", at, at + 90,
            attributes=attributes,
        )  # fmt: skip


__all__ = ["write_earlier"]
