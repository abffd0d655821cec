"""Events that cross: published at one node, they have their one effect at another, whatever fails in between. Persons are
fictitious."""

import asyncio
import http.client
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nodes import ASKER, Hosted, Socket, local, until
from tests.integration.nodes import Running as Process
from tests.integration.pair import ACTIVITY, ANN, BOB
from tests.integration.test_events import EVENT, NOTICE, TYPE
from tests.integration.test_fsc_commands import Group, document, sluis

from sluis.events.interests import NewInterest, Whom
from sluis.events.interests import WishedInterests as Interest
from sluis.events.interests.elsewhere import Subscribing
from sluis.events.publishing import Occurrence
from sluis.events.subscriptions import INBOX, SubscriptionRequest
from sluis.kernel import Problem, Trace
from sluis.ledger import Search

_DAY = date(2026, 12, 31)


class Crossing:
    """A source and a recipient, with everything that events need between them."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.nodes = {True: Hosted(group.owner), False: Hosted(group.asker)}
        for one in self.nodes.values():
            one.ready()
        self.subscription = self.own = ""

    @property
    def source(self) -> Any:
        return self.nodes[True].node.parts.events

    @property
    def recipient(self) -> Any:
        return self.nodes[False].node.parts.events

    def at_source(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.nodes[True]._loop).result(30)

    def at_recipient(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.nodes[False]._loop).result(30)

    def agree(self) -> str:
        """A contract for the notice, an interest in Ann, and a subscription; gives the contract."""
        asker, owner = self.group.asker, self.group.owner

        def requested() -> Any:
            result = sluis(asker, "fsc", "request", "uwv", "--activity", "urn:test:bijstand", "--json")
            return result.exit_code == 0

        until(requested, 60)
        contract = until(lambda: document(owner, "fsc", "contracts", "--waiting"))[0]["hash"]
        assert sluis(owner, "fsc", "sign", contract).exit_code == 0
        wish = Interest("uwv", "gestopt", (NewInterest(Whom("BSN", ANN), "client-1", _DAY),))
        until(lambda: self._done(self.recipient.registrar.register(wish, Trace.begin())))
        sink = {"sink": INBOX, "protocol": "HTTP", "types": [TYPE]}
        made = self.at_recipient(self.recipient.registrar.subscribe(Subscribing("uwv", sink), Trace.begin()))
        self.subscription = made["id"]
        feed = SubscriptionRequest(sink="urn:sluis:feed", protocol="HTTP")
        self.own = self.at_recipient(self.recipient.subscriptions.create(ASKER, feed, "test")).id
        return str(contract)

    def _done(self, work: Any) -> bool:
        try:
            self.at_recipient(work)
        except Problem as problem:
            if problem.code in ("contract-missing", "not-connected"):
                return False
            raise
        return True

    def publish(self, *ids: str, bsn: str = ANN) -> None:
        self.at_source(
            self.source.publisher.publish([Occurrence(TYPE, id, about=Whom("BSN", bsn)) for id in ids])
        )

    def heard(self) -> list[str]:
        """What came to the recipient's own system."""
        return [one.event.id for one in self.recipient.queue.since(self.own, 0, 500)]

    def told(self, bsn: str) -> int:
        """Lines in the recipient's log about having been told."""
        ledger = self.nodes[False].node.parts.ledger
        found = self.at_recipient(
            ledger.processing_of(Search(subjects=ledger.subjects("BSN", bsn)), withheld=True)
        )
        return sum("Kennisgeving ontvangen van uwv" in one.name for one in found)

    def end(self) -> None:
        for one in self.nodes.values():
            one.end()


@pytest.fixture
def crossing(tmp_path: Path) -> Iterator[Crossing]:
    group = Group(tmp_path)
    for directory in (group.asker, group.owner):
        file = directory / "node.toml"
        file.write_text(file.read_text().replace("roles = [", 'roles = ["event-admin", "event-publisher", '))
        (directory / "activities").mkdir(exist_ok=True)
        (directory / "activities/bijstand.toml").write_text(ACTIVITY)
    for folder, text in (
        ("event-types", EVENT),
        ("notices", NOTICE.replace("condition = \"reden <> 'verhuisd'\"\n", "")),
    ):
        (group.owner / folder).mkdir()
        (group.owner / folder / "gestopt.toml").write_text(text)
    made = Crossing(group)
    yield made
    made.end()


def test_an_event_has_its_one_effect_at_the_other_node(crossing: Crossing) -> None:
    contract = crossing.agree()
    crossing.publish("u-1", "u-2")
    crossing.publish("u-3", bsn=BOB)
    assert until(lambda: len(found := crossing.heard()) == 2 and found) == ["u-1", "u-2"]
    delivery = crossing.recipient.queue.since(crossing.own, 0, 1)[0]
    assert (delivery.subject, delivery.notice) == ("client-1", "gestopt")
    assert crossing.told(ANN) == 2
    assert crossing.told(BOB) == 0

    assert sluis(crossing.group.owner, "fsc", "revoke", contract, "--reason", "Taak vervallen").exit_code == 0
    crossing.publish("u-4")
    assert crossing.heard() == ["u-1", "u-2"]


def test_who_was_away_reads_what_it_missed_by_itself_also_before_anything_ever_came(
    crossing: Crossing,
) -> None:
    crossing.agree()
    crossing.nodes[False].end()
    crossing.publish("u-1", "u-2", "u-3")
    # Whatever the source does about it, it is not what brings these.
    crossing.source.sender.runners[crossing.subscription].lane.stopped = True
    crossing.nodes[False] = Hosted(crossing.group.asker)
    crossing.nodes[False].ready()
    until(lambda: crossing.heard() == ["u-1", "u-2", "u-3"])
    assert crossing.told(ANN) == 3


def test_what_waits_when_the_contract_is_revoked_does_not_leave(crossing: Crossing) -> None:
    contract = crossing.agree()
    crossing.publish("u-1")
    until(lambda: crossing.heard() == ["u-1"])
    crossing.nodes[False].end()
    crossing.publish("u-2")
    assert sluis(crossing.group.owner, "fsc", "revoke", contract, "--reason", "Taak vervallen").exit_code == 0

    def dead() -> list[str]:
        found = crossing.source.queue.dead_letters(crossing.subscription)
        return [f"{one.event_id} {one.trouble}" for one in found]

    until(lambda: dead() == ["u-2 no-contract"], 5)
    crossing.nodes[False] = Hosted(crossing.group.asker)
    crossing.nodes[False].ready()
    key = crossing.recipient.inbox.followed()[0].key
    until(lambda: _tried(lambda: crossing.at_recipient(crossing.recipient.catching.catch_up(key))))
    assert crossing.heard() == ["u-1"]


def _tried(work: Callable[[], object]) -> bool:
    """Whether it could be done: a node that just started has no token yet."""
    try:
        work()
    except Problem:
        return False
    return True


@pytest.mark.prove
def test_nothing_is_lost_or_doubled_when_both_are_killed(crossing: Crossing) -> None:
    crossing.agree()
    own, directories = crossing.own, (crossing.group.owner, crossing.group.asker)
    crossing.end()
    owner, asker = (Process(one) for one in directories)
    try:
        owner.ready(), asker.ready()
        published = list[str]()
        for turn in range(4):
            for at in range(20):
                id = f"u-{turn}-{at:02}"
                body = {"specversion": "1.0", "source": "x", "type": TYPE, "id": id, "data": {"about": _ANN}}
                if _tried_to(directories[0], [body]):
                    published.append(id)
                if at == 10 and turn % 2:
                    asker.end(signal.SIGKILL)
                    asker = Process(directories[1])
                elif at == 10:
                    owner.end(signal.SIGKILL)
                    owner = Process(directories[0])
                    owner.ready()
            if turn % 2:
                asker.ready()

        def heard() -> list[str]:
            _, page = local(directories[1], "GET", f"/v1/subscriptions/{own}/events?most=500")
            return [one["id"] for one in page["events"]]

        until(lambda: set(published) <= set(heard()), 120)
        found = heard()
        assert len(found) == len(set(found))
        assert [one for one in found if one in set(published)] == published
    finally:
        owner.end()
        asker.end()
        crossing.nodes = {}


_ANN = {"kind": "BSN", "value": ANN}


def _tried_to(directory: Path, events: list[dict[str, Any]]) -> bool:
    """Whether publishing was acknowledged."""
    with closing(Socket(directory / "var" / "node.sock")) as connection:
        try:
            headers = {"content-type": "application/cloudevents-batch+json"}
            connection.request("POST", "/v1/events", json.dumps(events), headers)
            with closing(connection.getresponse()) as answer:
                return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False
