"""Messages to people a second on one node, from the event that is durable to the channel that took the message.

    python bench/contact.py [--people 1000] [--rounds 3] [--channel mail|box|both]

At once: so many people are told of one event each, published in one transaction, as when a decision goes out to a whole
neighbourhood. Evenly: ten a second, as on any day. `mail` is SMTP to a real server (aiosmtpd), a connection for each message,
unencrypted; `box` is the message box over HTTP. Both are in a process of their own on the same machine, so what they take is not
the node's, but the machine is shared. `processor` is what the node's own process took per message, the event included.
"""

import argparse
import asyncio
import cProfile
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import msgspec
import uvloop

from _mailboxes import HOST, Mailboxes
from _measure import conclude, must, percentile, run
from sluis.contact import (
    Box,
    BoxSettings,
    Channel,
    Contact,
    Listening,
    Mail,
    MailSettings,
    Preference,
    Scenario,
    Settings,
    Templates,
    open_contact,
)
from sluis.contact.model import Address, Step
from sluis.crypto import FileKeyStore, calling_context
from sluis.kernel import Text
from sluis.ledger import open_ledger
from sluis.store import Store, open_store

EVENT = "nl.voorbeeld.besluit.genomen"
A_SECOND = 10


class Whom(msgspec.Struct, frozen=True):
    kind: str
    value: str


class Happened(msgspec.Struct, frozen=True):
    """An occurrence, as `events` tells it."""

    about: Whom
    id: str
    type: str = EVENT
    facts: Mapping[str, Any] = MappingProxyType({"uitkomst": "afgewezen", "kenmerk": "Z-1"})
    trace_id: str | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=1000, help="who are told at once (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (default 3)")
    parser.add_argument("--channel", choices=["mail", "box", "both"], default="both")
    parser.add_argument("--profile", type=Path, help="write what the node's process did here (cProfile)")
    chosen = parser.parse_args()
    channels = ["mail", "box"] if chosen.channel == "both" else [chosen.channel]
    more, rates = dict[str, float](), list[float]()
    for channel in channels:
        found = [
            _measured(channel, chosen.people, number + 1, chosen.profile) for number in range(chosen.rounds)
        ]
        rate, processor, waited = (statistics.median(series) for series in zip(*found, strict=True))
        rates.append(rate)
        more |= {
            f"{channel}_per_second": rate,
            f"{channel}_processor_us": processor,
            f"{channel}_p99_seconds": waited,
        }
    conclude("contact", rates[0], "messages/s", True, **more)


def _measured(channel: str, people: int, number: int, profile: Path | None) -> tuple[float, float, float]:
    """Messages a second, µs of processor each, and the p99 in seconds of waiting when they come evenly."""
    mailboxes = Mailboxes()
    try:
        rate, processor, waited = uvloop.run(_round(mailboxes, channel, people, profile))
    finally:
        mailboxes.end()
    print(
        f"{channel:<5} round {number}: {people} at once {rate:7.0f} messages/s   {processor:6.0f} µs of processor each"
        f"   evenly, event to taken: median {statistics.median(waited) * 1000:6.0f} ms"
        f"   p99 {percentile(waited, 99) * 1000:6.0f} ms   n = {len(waited)}"
    )
    return rate, processor, percentile(waited, 99)


async def _round(
    mailboxes: Mailboxes, channel: str, people: int, profile: Path | None
) -> tuple[float, float, list[float]]:
    with TemporaryDirectory(prefix="sluis-") as folder:
        async with _node(Path(folder), mailboxes, channel) as (store, contact):
            numbers = [f"{900_000_000 + number}" for number in range(people)]
            await _know(store, contact, [*numbers, *_even(people)])
            contact.start()
            watched = cProfile.Profile() if profile else None
            start, processor = time.monotonic(), time.process_time()
            if watched:
                watched.enable()
            await _tell(store, contact, numbers)
            taken = await _arrived(mailboxes, channel, people)
            if watched and profile:
                watched.disable()
                watched.dump_stats(profile)
            processor = (time.process_time() - processor) / people * 1e6
            must(sorted(taken) == numbers, "not everybody was told once")
            waited = await _evenly(store, contact, mailboxes, channel, people)
            await contact.stop()
            return people / (max(taken.values()) - start), processor, waited


def _even(people: int) -> list[str]:
    return [f"{800_000_000 + number}" for number in range(min(people, 100))]


async def _evenly(
    store: Store, contact: Contact, mailboxes: Mailboxes, channel: str, people: int
) -> list[float]:
    start, told = time.monotonic(), dict[str, float]()
    for number, whom in enumerate(_even(people)):
        await asyncio.sleep(max(start + number / A_SECOND - time.monotonic(), 0))
        await _tell(store, contact, [whom])
        told[whom] = time.monotonic()
    taken = await _arrived(mailboxes, channel, len(told))
    must(sorted(taken) == sorted(told), "not everybody was told once")
    return [taken[whom] - at for whom, at in told.items()]


async def _tell(store: Store, contact: Contact, numbers: list[str]) -> None:
    def work(connection: Any) -> None:
        for number in numbers:
            contact.heard(connection, Happened(Whom("BSN", number), number))

    await store.write(work)


async def _arrived(mailboxes: Mailboxes, channel: str, count: int) -> dict[str, float]:
    """Who were told, and when; waits until it is so many."""
    taken, until = list[tuple[str, float]](), time.monotonic() + 300
    while len(taken) < count:
        must(time.monotonic() < until, f"{len(taken)} of {count} messages arrived")
        await asyncio.sleep(0.05)
        taken += (await asyncio.to_thread(mailboxes.taken))[channel]
    must(len(dict(taken)) == len(taken), "somebody was told twice")
    return dict(taken)


async def _know(store: Store, contact: Contact, numbers: list[str]) -> None:
    """Everybody proved an address, and half of them said what they prefer."""
    keeping = contact.parties.keeping

    def work(connection: Any) -> None:
        for number in numbers:
            person = keeping.person(number)
            keeping.keep(connection, person, Address("email", f"{number}@voorbeeld.nl", 0), 0)
            if int(number) % 2:
                keeping.keep(connection, person, Preference(language="en"), 0)

    await store.write(work)


@asynccontextmanager
async def _node(folder: Path, mailboxes: Mailboxes, channel: str) -> AsyncIterator[tuple[Store, Contact]]:
    """The parts of a node that reach people, on SQLite."""
    keys, context = FileKeyStore(folder / "keys"), calling_context(())
    channels: dict[str, Channel] = {
        "mail": Mail(MailSettings(HOST, mailboxes.mail, "none", "post@dienst.example"), context),
        "box": Box(BoxSettings(f"http://{HOST}:{mailboxes.box}", mailboxes.token, plain=True), context),
    }
    scenario = Scenario(
        id="besluit", title=Text("Besluit", "Decision"), event=EVENT, activity="https://register.voorbeeld.nl/besluiten",
        template="besluit", subject=Text("Er is een besluit", "There is a decision"),
        short=Text("Er is een besluit.", "There is a decision."), steps=(Step(channel),), case="kenmerk",
    )  # fmt: skip
    (folder / "templates").mkdir()
    for language in ("nl", "en"):
        for form in ("txt", "html"):
            words = "<p>Kenmerk {{ kenmerk }}: {{ uitkomst }}. {{ organisation }}</p>"
            (folder / "templates" / f"besluit.{language}.{form}").write_text(words, encoding="utf-8")
    store = open_store(folder / "node.db")

    def clock() -> datetime:
        return datetime.now(UTC)

    ledger = open_ledger(store, keys, "node.example/log", clock)
    name = "Dienst Voorbeeld (fictief)"
    contact = open_contact(
        store, ledger, keys, clock, channels, [Listening(scenario, None)], Templates(folder / "templates", name),
        None, Settings(name, "nl", None),
    )  # fmt: skip
    try:
        yield store, contact
    finally:
        await contact.stop()
        store.close()


if __name__ == "__main__":
    run(main)
