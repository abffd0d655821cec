"""Three recipients of one source, over FSC: each hears what it must know and nothing else, in order; also who was away. Persons and
organisations are fictitious."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.managers import DATA, MANAGEMENT, free_network
from tests.integration.nodes import ME, OWNER, Hosted, free_ports, until
from tests.integration.pair import ACTIVITY, ANN, BOB
from tests.integration.test_events import EVENT, NOTICE, TYPE
from tests.integration.test_fsc_commands import NODE, document, sluis

from sluis.crypto import Authority, make_authority
from sluis.events.interests import NewInterest, Whom
from sluis.events.interests import WishedInterests as Interest
from sluis.events.interests.elsewhere import Subscribing
from sluis.events.publishing import Occurrence
from sluis.events.subscriptions import INBOX, SubscriptionRequest
from sluis.kernel import PeerId, Problem, Trace

ROLES = '"event-admin", "event-publisher", "fsc-admin"'


class Partner(msgspec.Struct, frozen=True):
    """A recipient: which persons it knows, and of which reasons it must know (all, when none are named)."""

    oin: PeerId
    knows: Sequence[str]
    reasons: Sequence[str] = ()

    @property
    def condition(self) -> str:
        return " OR ".join(f"reden = '{one}'" for one in self.reasons)

    def hears(self, occurrence: Occurrence) -> bool:
        """Whether it must hear, as the rules say in words."""
        assert occurrence.about is not None
        known = occurrence.about.value in self.knows
        return known and (not self.reasons or occurrence.facts["reden"] in self.reasons)


PARTNERS = {
    "noord": Partner(PeerId("00000001001000001000"), (ANN, BOB)),
    "zuid": Partner(PeerId("00000001001000002000"), (ANN, BOB), ("werk",)),
    "west": Partner(PeerId("00000001001000003000"), (BOB,)),
}


class Three:
    """A source, which is the directory too, and the three."""

    def __init__(self, home: Path) -> None:
        self.home, network = home, free_network()
        self.hosts = {name: f"{network}{at}" for at, name in enumerate(("bron", *PARTNERS), 1)}
        authority = make_authority(home / "authority", "Groep")
        (home / "group.toml").write_text(
            f'id = "test-groep"\nanchors = ["{authority.path}"]\nports = [443, 8443, {MANAGEMENT}]\n'
            f'[directory]\npeer = "{OWNER!s}"\naddress = "https://{self.hosts["bron"]}:{MANAGEMENT}"\n'
        )
        peers = [(name, one.oin) for name, one in PARTNERS.items()]
        signs = '[[fsc.auto_sign]]\nname = "publicaties"\ngrants = ["GRANT_TYPE_SERVICE_PUBLICATION"]\n'
        for (name, oin), metrics in zip((("bron", OWNER), *peers), free_ports(4), strict=True):
            others = peers if name == "bron" else [("bron", OWNER)]
            self._write(authority, name, oin, others, signs if name == "bron" else "", metrics)
        self._notices()
        self.nodes = {name: Hosted(home / name) for name in self.hosts}
        for one in self.nodes.values():
            one.ready()
        self.own = {name: self._agree(name) for name in PARTNERS}

    def _write(
        self, authority: Authority, name: str, oin: PeerId, others: Sequence[tuple[str, PeerId]], rules: str, metrics: int
    ) -> None:  # fmt: skip
        (other, other_oin), *more = others
        settings = NODE.format(
            oin=f"{oin!s}", alias=name, host=self.hosts[name], authority=authority.path, rules=rules, me=ME,
            management=MANAGEMENT, data=DATA, other=other, other_oin=f"{other_oin!s}", metrics=metrics,
        )  # fmt: skip
        for alias, peer in more:
            settings += f'\n[peers.{alias}]\noin = "{peer!s}"\nname = "{alias} (fictief)"\n'
        directory = self.home / name
        (directory / "activities").mkdir(parents=True)
        (directory / "activities/bijstand.toml").write_text(ACTIVITY)
        (directory / "node.toml").write_text(settings.replace('["fsc-admin"]', f"[{ROLES}]"))
        authority.issue(directory / "tls", oin, f"{name} (fictief)", [self.hosts[name], "localhost"])

    def _notices(self) -> None:
        for folder in ("event-types", "notices"):
            (self.home / "bron" / folder).mkdir()
        (self.home / "bron/event-types/gestopt.toml").write_text(EVENT)
        whole = "condition = \"reden <> 'verhuisd'\"\n"
        first = next(iter(PARTNERS.values())).oin
        for name, one in PARTNERS.items():
            condition = f'condition = "{one.condition}"\n' if one.condition else ""
            text = NOTICE.replace(whole, condition).replace(f"{first!s}", f"{one.oin!s}")
            (self.home / f"bron/notices/{name}.toml").write_text(
                text.replace('id = "gestopt"', f'id = "{name}"')
            )

    def at(self, name: str, work: Callable[[Any], Any]) -> Any:
        """What comes of work with the rooms of events of a node, in its own loop."""
        one = self.nodes[name]
        return asyncio.run_coroutine_threadsafe(work(one.node.parts.events), one._loop).result(30)

    def _agree(self, name: str) -> str:
        """A contract for the notice, the interests, a subscription, and a system of its own: the subscription of that."""
        directory = self.home / name
        until(
            lambda: (
                sluis(directory, "fsc", "request", "bron", "--activity", "urn:test:bijstand").exit_code == 0
            ),
            60,
        )
        waiting = until(lambda: document(self.home / "bron", "fsc", "contracts", "--waiting"))
        assert sluis(self.home / "bron", "fsc", "sign", waiting[0]["hash"]).exit_code == 0
        last = date(date.today().year + 1, 1, 31)
        known = tuple(
            NewInterest(Whom("BSN", bsn), f"{name}-{bsn[-3:]}", last) for bsn in PARTNERS[name].knows
        )
        wish = Interest("bron", name, known)
        until(lambda: self._done(name, lambda rooms: rooms.registrar.register(wish, Trace.begin())), 60)
        sink = Subscribing("bron", {"sink": INBOX, "protocol": "HTTP", "types": [TYPE]})
        self.at(name, lambda rooms: rooms.registrar.subscribe(sink, Trace.begin()))
        feed = SubscriptionRequest(sink="urn:sluis:feed", protocol="HTTP")
        made: str = self.at(
            name, lambda rooms: rooms.subscriptions.create(PARTNERS[name].oin, feed, "test")
        ).id
        return made

    def _done(self, name: str, work: Callable[[Any], Any]) -> bool:
        try:
            self.at(name, work)
        except Problem as problem:
            if problem.code in ("contract-missing", "not-connected"):
                return False
            raise
        return True

    def heard(self, name: str) -> list[str]:
        """What came to the own system of a recipient."""
        found = self.nodes[name].node.parts.events.queue.since(self.own[name], 0, 500)
        return [one.event.id for one in found]

    def away(self, name: str) -> None:
        self.nodes[name].end()

    def back(self, name: str) -> None:
        self.nodes[name] = Hosted(self.home / name)
        self.nodes[name].ready()

    def end(self) -> None:
        for one in self.nodes.values():
            one.end()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    made = Three(tmp_path)
    yield made
    made.end()


@pytest.mark.prove
def test_each_hears_what_it_must_know_in_order_also_who_was_away(three: Three) -> None:
    reasons = ("werk", "verhuisd", "anders")
    told = [
        Occurrence(
            TYPE, f"u-{at:02}", about=Whom("BSN", (ANN, BOB)[at % 2]), facts={"reden": reasons[at % 3]}
        )
        for at in range(36)
    ]
    must_hear = {name: [one.id for one in told if partner.hears(one)] for name, partner in PARTNERS.items()}
    assert len({tuple(one) for one in must_hear.values()}) == 3, "or this proves nothing"

    three.at("bron", lambda rooms: rooms.publisher.publish(told[:12]))
    until(
        lambda: all(
            three.heard(name) == [one for one in must_hear[name] if one < "u-12"] for name in PARTNERS
        )
    )
    three.away("west")
    for one in told[12:]:
        three.at("bron", lambda rooms, one=one: rooms.publisher.publish([one]))
    for name in ("noord", "zuid"):
        until(lambda name=name: three.heard(name) == must_hear[name])
    three.back("west")
    until(lambda: three.heard("west") == must_hear["west"], 60)
    assert {name: three.heard(name) for name in PARTNERS} == must_hear
