"""Five nodes beside those of the federation: started while the story goes on, with contracts, interests and subscriptions.

Everything that partners ask of each other goes from node to node through the FSC gateway; what people do, they do at their own
node, over its socket.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from sluis.cli.local import call_at
from sluis.events.subscriptions import INBOX
from sluis.grounds import render_tables
from sluis_demo.agreements import PATIENCE, in_time, sign_for
from sluis_demo.chain.cases import Cases, Happened
from sluis_demo.chain.partners import (
    ACTIVITIES,
    FIRST,
    PARTNERS,
    SCENARIO,
    TEMPLATES,
    known,
    relevant,
)
from sluis_demo.federation import Federation, Place, box_tables, fresh, key_set, node_tables, write_files
from sluis_demo.run import Running
from sluis_demo.simulators.settings import sign_in_tables

SOURCES = ("ind", "coa")
PORTAL = "ind"
"""Who has a portal, where people see who was told."""

CLIENT = "sluis-ind"
"""What that node is called at the simulators of sign-in services."""

KEY_SET = "ind.jwks"
_LOOK = 0.3  # seconds between two looks whether nodes meet
_DAYS = 90  # for which an interest is registered
_EVENT = "application/cloudevents+json"
_NOT_YET = ("not-connected", "contract-missing", "unknown-notice", "peer-unreachable", "not-found")


class Chain(msgspec.Struct):
    """The partners. `own` has by partner the subscription over which its own systems read what came."""

    running: Running
    cases: Cases
    places: Mapping[str, Place]
    own: dict[str, str] = {}

    @property
    def portal(self) -> str:
        """Where people reach the pages of the node that decides."""
        return portal_of(self.running.federation)

    def publish(self, source: str, type: str, happened: Happened) -> dict[str, Any]:
        """Tell a node what happened there, as a system of that organisation does. Durable when this returns.

        Raises `Problem`.
        """
        place = self.places[source]
        document: dict[str, Any] = self._posted(place, event_document(type, happened))
        return document

    def came(self, alias: str, after: int) -> tuple[list[dict[str, Any]], int]:
        """What came at a partner after a number, as its own systems read it, and the number to go on after. Raises `Problem`."""
        page = self.places[alias].call(
            "GET", f"/v1/subscriptions/{self.own[alias]}/events?after={after}&most=100"
        )
        return page["events"], page["after"]

    def waiting(self, source: str) -> int:
        """How many deliveries to others wait at a source. Raises `Problem`."""
        standing = self.places[source].call("GET", "/v1/events/standing")
        return sum(one["waiting"] for one in standing if one["sink"] == INBOX)

    def counts(self, source: str, type: str) -> dict[str, int]:
        """How often which rule decided at a source about a type of event: all that it can say of who was not told."""
        since = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
        found: dict[str, int] = {}
        for one in self.places[source].call("GET", f"/v1/events/counts?since={since}"):
            if one["type"] == type:
                found[one["rule"]] = found.get(one["rule"], 0) + one["count"]
        return found

    @staticmethod
    def _posted(place: Place, document: Mapping[str, Any]) -> Any:
        return call_at(
            place.socket, place.directory, "POST", "/v1/events", document, content_type=_EVENT
        ).document()


def event_document(type: str, happened: Happened) -> dict[str, Any]:
    """A CloudEvent as a system of the source posts it to its own node."""
    data = {"about": {"kind": "BSN", "value": happened.bsn}, "facts": dict(happened.facts)}
    return {
        "specversion": "1.0",
        "id": happened.id,
        "source": "urn:sluis:demo",
        "type": type,
        "datacontenttype": "application/json",
        "data": data,
    }


def portal_of(federation: Federation) -> str:
    """The address of that portal; known before the node is there."""
    return f"https://{federation.network.host(FIRST)}:{federation.network.portal}"


def start(running: Running, cases: Cases) -> Chain:
    """Write the directories, start the nodes, and have them make their agreements.

    Args:
        running: the demo; it ends these nodes with the others.
        cases: who is known where.
    Raises: Problem: what a node answered, or that one did not start.
    """
    places = write(running.federation)
    running.later = tuple(places.values())
    running.begin(places.values())
    running.wait(places.values())
    chain = Chain(running, cases, places)
    _agree(chain)
    return chain


def write(federation: Federation) -> dict[str, Place]:
    """The directories of the partners, beside those of the federation."""
    home = federation.asker.directory.parent
    places = {
        one.alias: Place(one, fresh(home / one.alias).absolute(), federation.network.host(number), "")
        for number, one in enumerate(PARTNERS, FIRST)
    }
    for place in places.values():
        _write(place, [*places.values()], federation)
    return places


def _write(place: Place, places: list[Place], federation: Federation) -> None:
    others = [other for other in places if other is not place]
    roles = ("event-admin", "event-publisher")
    settings = node_tables(place, others, federation.network, federation.authority, roles)
    if place.alias == PORTAL:
        settings |= _receiving(place, federation)
    write_files(place, settings, known(place.organisation), {})
    if place.alias == PORTAL:
        _write_scenario(place.directory)
        key_set(place, portal_of(federation), client_keys(federation))


def _receiving(place: Place, federation: Federation) -> dict[str, Any]:
    """A portal, and a message box that people are reached through."""
    network, anchor = federation.network, federation.authority.path
    return {
        "portal": {"address": portal_of(federation), "host": place.host, "port": network.portal},
        "signin": sign_in_tables(network.simulated, None, anchor, CLIENT),
        "contact": {"quiet_from": "00:00", "quiet_until": "00:00"},
        "channels": {"box": box_tables(place, network, federation.authority, federation.box)},
    }


def _write_scenario(directory: Path) -> None:
    for folder in ("scenarios", "templates"):
        (directory / folder).mkdir(mode=0o700)
    (directory / "scenarios/asielbeslissing.toml").write_text(render_tables(SCENARIO), encoding="utf-8")
    for language, text in TEMPLATES.items():
        template = directory / "templates" / f"{SCENARIO['template']}.{language}"
        template.with_name(f"{template.name}.txt").write_text(text, encoding="utf-8")
        template.with_name(f"{template.name}.html").write_text(f"<p>{text.strip()}</p>\n", encoding="utf-8")


def client_keys(federation: Federation) -> Path:
    """Where the keys lie with which the portal's node shows the simulators who it is."""
    return federation.keys.with_name(KEY_SET)


def _agree(chain: Chain) -> None:
    """Contracts, interests and subscriptions: each recipient at each source that tells it something, side by side."""
    pairs = [(source, to) for source in SOURCES for to in chain.places if relevant(source, to)]
    for to in dict.fromkeys(to for _, to in pairs):
        made = chain.places[to].call(
            "POST", "/v1/subscriptions", {"sink": "urn:sluis:feed", "protocol": "HTTP"}
        )
        chain.own[to] = made["id"]
    with ThreadPoolExecutor(len(pairs)) as at_once:
        for done in [at_once.submit(_relate, chain, *pair) for pair in pairs]:
            done.result()


def _relate(chain: Chain, source: str, to: str) -> None:
    """What one recipient does to hear of one source."""
    place = chain.places[to]
    _meet(chain.places[source], to)
    sign_for(place, chain.places[source], [ACTIVITIES[to].id])
    until = (date.today() + timedelta(_DAYS)).isoformat()
    interests = [
        {"subject": {"kind": "BSN", "value": bsn}, "reference": reference, "until": until}
        for bsn, reference in chain.cases.relations.get(to, {}).items()
    ]
    for notice in relevant(source, to):
        if notice.interest:
            wish = {"source": source, "notice": notice.id, "interests": interests}
            in_time(lambda wish=wish: place.call("POST", "/v1/registrations", wish), _NOT_YET)  # type: ignore[misc]
        wanted = {"sink": INBOX, "protocol": "HTTP", "types": [notice.event]}
        asked = {"source": source, "subscription": wanted}
        in_time(lambda asked=asked: place.call("POST", "/v1/registrations/subscriptions", asked), _NOT_YET)  # type: ignore[misc]


def _meet(place: Place, to: str) -> None:
    """Wait until a source reaches a recipient. Events go that way, under a contract that the source's node proposes by itself when
    it starts; a recipient that asks a source says nothing of it. Where they do not meet, the first event says what is missing."""
    end = time.monotonic() + PATIENCE
    way = {"peer": to, "service": "sluis"}
    while time.monotonic() < end and not place.call("POST", "/v1/group/diagnoses", way)["well"]:
        time.sleep(_LOOK)
