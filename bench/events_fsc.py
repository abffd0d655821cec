"""Deliveries a second from one node to the inbox of another, over FSC, durable at both ends.

    python bench/events_fsc.py [--seconds 15] [--rounds 3]

Two nodes, each a process of its own with SQLite on disk, peers of one group: outway, inway, a contract that names the notice, a
durable line in both transaction logs for every request, and a line in both logs about every person. Throughput: eight
publishers tell of one event after another; a delivery counts when it is durable at the recipient, ready for its own system. How
long: twenty events a second are published evenly; from the moment the source said that an event was durable, to the moment a
system of the recipient, that waits for it on the recipient's own feed, had it.

No figure was promised for this: the last line says `reached` whatever was measured. Persons are fictitious.
"""

import argparse
import http.client
import json
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from _federation import Federation, Node, Organisation, federation
from _measure import conclude, must, percentile, run
from sluis.grounds import Activity, Article, EventType, Fact, Notice
from sluis.kernel import Bsn, Oin, PeerId, Period, Text, utc_now

PUBLISHERS, A_SECOND, PERSONS = 8, 20, 500
_SOURCE, _RECIPIENT = PeerId("00000007000000000001"), PeerId("00000008000000000001")
_ACTIVITY = "https://register.example/activities/benefit"
_TYPE = "nl.uitkeringen.beslissing.genomen"
_SAID, _SINCE = Text("Beslissing genomen", "Decision made"), Period(date(2020, 1, 1))
_LAW = Article("Participatiewet", "64", "BWBR0015703")
_PEOPLE = [one for one in map(str, range(999_000_000, 999_990_000)) if Bsn.accepts(one)][:PERSONS]
_SETTLE = 60.0  # seconds in which all that was published must have arrived


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=15, help="of publishing, each round (default 15)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    chosen = parser.parse_args()
    rates, waits = list[float](), list[float]()
    event = EventType(_TYPE, _SAID, _SAID, "BSN", facts={"uitkomst": Fact("text", _SAID)})
    notice = Notice(
        "beslissing", 1, _TYPE, _RECIPIENT, _ACTIVITY, _SAID, (_LAW,), "public-task", Oin(_SOURCE), _SINCE
    )
    activity = Activity(_ACTIVITY, _SAID, _SAID, Oin(_RECIPIENT), "public-task", (_LAW,), _SINCE)
    source = Organisation("bron", _SOURCE, "Bron (fictief)", events=(event,), notices=(notice,))
    with federation(
        Organisation("afnemer", _RECIPIENT, "Afnemer (fictief)"), [source], [activity]
    ) as running:
        crossing = _Crossing(running)
        crossing.publish_for(1.0)  # connections, tokens, plans and caches
        for number in range(chosen.rounds):
            rate, costs = crossing.publish_for(chosen.seconds)
            waited = crossing.evenly(chosen.seconds)
            print(
                f"round {number + 1}: {rate:7.0f} deliveries/s   processor each: source {costs[0]:5.0f} µs, recipient"
                f" {costs[1]:5.0f} µs   published to read: median {statistics.median(waited) * 1000:6.1f} ms"
                f"   p99 {percentile(waited, 99) * 1000:7.1f} ms   n = {len(waited)}",
                flush=True,
            )
            rates.append(rate)
            waits.append(percentile(waited, 99))
    conclude("events_fsc", statistics.median(rates), "deliveries/s", True, p99_seconds=max(waits))


class _Caller:
    """A kept connection to a node's socket."""

    def __init__(self, path: Path) -> None:
        self._connection = http.client.HTTPConnection("localhost")
        self._connection.sock = socket.socket(socket.AF_UNIX)
        self._connection.sock.settimeout(_SETTLE)
        self._connection.sock.connect(str(path))

    def call(self, method: str, path: str, body: Any = None, form: str = "application/json") -> Any:
        """The answer of a request. Ends the measurement when it was refused."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, f"/v1{path}", content, {"content-type": form})
        answer = self._connection.getresponse()
        said = answer.read()
        must(answer.status < 300, f"{method} {path}: {answer.status} {said.decode()[:500]}")
        return json.loads(said)


class _Crossing:
    """A source and a recipient, with everything that events need between them."""

    def __init__(self, running: Federation) -> None:
        self._source, self._recipient = running.owners["bron"], running.asker
        self._numbers = count()
        at = _Caller(self._recipient.socket)
        until = (utc_now().date() + timedelta(days=30)).isoformat()
        interests = [
            {"subject": {"kind": "BSN", "value": one}, "reference": f"zaak-{place}", "until": until}
            for place, one in enumerate(_PEOPLE)
        ]
        at.call("POST", "/registrations", {"source": "bron", "notice": "beslissing", "interests": interests})
        sink = {"sink": "fsc:sluis/v1/inbox", "protocol": "HTTP", "types": [_TYPE]}
        self._feed = at.call("POST", "/subscriptions", {"sink": "urn:sluis:feed", "protocol": "HTTP"})["id"]
        at.call("POST", "/registrations/subscriptions", {"source": "bron", "subscription": sink})
        self._published = 0

    def publish_for(self, seconds: float) -> tuple[float, Sequence[float]]:
        """Deliveries a second, and the processor time of each at the source and the recipient, µs."""
        nodes: tuple[Node, ...] = (self._source, self._recipient)
        before, start, spent = self._published, time.monotonic(), [one.cpu() for one in nodes]
        with ThreadPoolExecutor(PUBLISHERS) as pool:
            done = pool.map(lambda _: self._publish_until(start + seconds), range(PUBLISHERS))
            self._published += sum(done)
        self._arrived(self._published)
        took, new = time.monotonic() - start, self._published - before
        return new / took, [(one.cpu() - was) / new * 1e6 for one, was in zip(nodes, spent, strict=True)]

    def evenly(self, seconds: float) -> list[float]:
        """Seconds from published to read, of every event, at an even pace."""
        total = int(seconds * A_SECOND)
        said, read = dict[str, float](), dict[str, float]()
        reader = threading.Thread(target=self._read, args=(self._published, total, read), daemon=True)
        reader.start()
        caller, start = _Caller(self._source.socket), time.monotonic()
        for place, number in zip(range(total), self._numbers, strict=False):
            time.sleep(max(start + place / A_SECOND - time.monotonic(), 0))
            _publish(caller, number)
            said[str(number)] = time.monotonic()
        reader.join(_SETTLE)
        must(read.keys() == said.keys(), "not every event arrived once")
        self._published += total
        return [max(read[name] - moment, 0.0) for name, moment in said.items()]

    def _publish_until(self, end: float) -> int:
        caller, told = _Caller(self._source.socket), 0
        while time.monotonic() < end:
            _publish(caller, next(self._numbers))
            told += 1
        return told

    def _arrived(self, number: int) -> None:
        deadline, at = time.monotonic() + _SETTLE, _Caller(self._recipient.socket)
        while (found := self._newest(at)) < number:
            must(time.monotonic() < deadline, f"{found} of {number} arrived")
            time.sleep(0.02)
        must(found == number, "more arrived than was published")

    def _newest(self, at: _Caller) -> int:
        standing = at.call("GET", "/events/standing")
        return int(next(one["newest"] for one in standing if one["id"] == self._feed))

    def _read(self, after: int, total: int, read: dict[str, float]) -> None:
        caller = _Caller(self._recipient.socket)
        while len(read) < total:
            page = caller.call("GET", f"/subscriptions/{self._feed}/events?after={after}&wait=20")
            moment = time.monotonic()
            for event in page["events"]:
                must(event["id"] not in read, "an event arrived twice")
                read[event["id"]] = moment
            after = page["after"]


def _publish(caller: _Caller, number: int) -> None:
    about = {"kind": "BSN", "value": _PEOPLE[number % PERSONS]}
    event = {
        "specversion": "1.0", "id": f"{number}", "source": "urn:bench", "type": _TYPE,
        "data": {"about": about, "facts": {"uitkomst": "toegekend"}},
    }  # fmt: skip
    told = caller.call("POST", "/events", event, "application/cloudevents+json")
    must(told["told"] == 1, f"told {told}")


if __name__ == "__main__":
    run(main)
