"""A node in which every name that somebody else may choose is an attack (OWASP ASVS 5.0, chapters 1 and 3), with the browsers of
people who signed in there. Everybody is fictitious."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from tests.browser import PAGE, Browser, Shown
from tests.integration.nodes import ASKER, OWNER, Federation, build, free_ports

from sluis.catalogue import CATALOGUE_FILE, DESCRIPTIONS, Contact, Cost, Description, Keywords, Prose, Whole
from sluis.grounds import (
    Activity,
    Article,
    Closed,
    Column,
    Dataset,
    Disclosure,
    EventType,
    Subject,
    render,
    render_tables,
)
from sluis.identity.sessions import Established
from sluis.kernel import Period, Text, Trace, milliseconds, new_span_id, new_trace_id, utc_now
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing
from sluis.policy import Occasion, consultation
from sluis.serve import Node
from sluis.web import COOKIE

ORIGIN = "https://localhost:8470"
HOSTILE = """=1+1'"><b-hostile onclick="alert(1)">x</b-hostile><script>alert(2)</script>{{7*7}}&#60;"""
BOTH = Text(f"{HOSTILE} nl", f"{HOSTILE} en")
PROSE = Prose(BOTH.nl, BOTH.en)
LAW = Article(f"Wet {HOSTILE}", f"1 {HOSTILE}")
BSN = "999990019"
ACTIVITY_ID = "https://vijand.example/verwerkingen/gevaar"
ROLES = (
    "medewerker", "privacy-officer", "auditor", "data-owner", "fsc-admin", "event-admin", "access-admin", "people-admin",
)  # fmt: skip


async def hostile_node(home: Path, store: str = "") -> Node:
    """The node, that does not listen, with something in its log; over the database at `store`, else a file of its own."""
    federation = Federation(home, group=True)
    directory = federation.asker
    _rename(directory / "node.toml", store)
    _write(directory)
    made = build(directory)
    await _log(made)
    return made


class Somebody(Browser):
    """A browser of somebody who signed in."""

    async def follow(self, address: str) -> Shown:
        """A page, or where it leads on to."""
        shown = await self.get(address, accept=PAGE)
        if shown.status == 303 and shown.headers["location"].startswith("/"):
            return await self.get(shown.headers["location"], accept=PAGE)
        return shown


async def somebody(node: Node, audience: str, language: str, roles: tuple[str, ...] = ROLES) -> Somebody:
    """The browser of a citizen, of who acts for a company, or of staff with these roles."""
    assert node.portal is not None
    assert node.parts.identity is not None
    kinds: Any = {"citizen": ("BSN", BSN), "company": ("pseudonym", "x"), "staff": ("staff", "alles")}
    kind, value = kinds[audience]
    who: Any = audience
    established = Established(
        "digid", who, kind, value, "high", "http://eidas.europa.eu/LoA/high", int(utc_now().timestamp()), "https://id.example",
        name=HOSTILE, roles=roles if audience == "staff" else (),
    )  # fmt: skip
    sessions = node.parts.identity.sessions
    secret, begun = await sessions.begin(established)
    if audience == "company":
        secret, _ = await sessions.act_for(begun.session, "urn:nld:kvk:99900001", HOSTILE)
    browser = Somebody(node.portal.app, ORIGIN, language=language)
    browser.cookies[COOKIE] = secret
    return browser


def _rename(file: Path, store: str) -> None:
    """Names that others choose, as an attack; and a portal."""
    port, machine_port = free_ports(2)
    text = file.read_text()
    text = text.replace(
        'name = "uwv (fictief)"', f"name = {render_tables({'x': HOSTILE}).partition('= ')[2].strip()}"
    )
    more = {
        "portal": {"address": ORIGIN, "port": port, "machine_port": machine_port},
        "signin": {
            "medewerkers": {"issuer": "https://id.example", "client": "x", "audience": "staff", "title": HOSTILE},
        },
        "people": {"alles": {"signin": "medewerkers:alles", "roles": list(ROLES)}},
        "sources": {"register": {"url": f"sqlite:///{file.parent / 'register.db'}"}},
    }  # fmt: skip
    if store:
        more["store"] = {"url": store}
    file.write_text(text + "\n" + render_tables(more))
    file.chmod(0o600)


def _write(directory: Path) -> None:
    columns = tuple(Column(name, "VARCHAR", title=BOTH) for name in ("bsn", "soort", "bedrag"))
    whole = Whole(
        title=PROSE, description=PROSE, publisher="https://vijand.example/id", contact=Contact(HOSTILE, "balie@vijand.example"),
        themes=("GOVE",), access=PROSE,
    )  # fmt: skip
    one = Description(
        "dataset", "gevaar", published=True, description=PROSE, keywords=Keywords((HOSTILE,), (HOSTILE,)), themes=("SOCI",),
        cost=Cost("free", note=PROSE), articles=(LAW,),
    )  # fmt: skip
    valid = Period(date(2025, 1, 1))
    disclosure = Disclosure(
        id="opening", version=1, dataset="gevaar", recipient=OWNER, activity=ACTIVITY_ID,
        columns={"bsn": "output", "soort": "output"}, articles=(LAW,), ground="public-task", controller=ASKER, valid=valid,
        closed=(Closed(("bedrag",), BOTH, LAW),),
    )  # fmt: skip
    items: dict[str, Any] = {
        "datasets/gevaar": Dataset("gevaar", BOTH, "register", "gevaar", columns, subject=Subject("bsn", "BSN")),
        "activities/gevaar": Activity(
            ACTIVITY_ID, BOTH, BOTH, ASKER, "public-task", (LAW,), valid, subjects=BOTH
        ),
        "disclosures/opening": disclosure,
        "event-types/gevaar": EventType("nl.vijand.gevaar", BOTH, BOTH, subject="BSN"),
    }  # fmt: skip
    for name, item in items.items():
        file = directory / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(render(item))
    (directory / CATALOGUE_FILE).write_text(render_tables(msgspec.to_builtins(whole)))
    (directory / DESCRIPTIONS).mkdir()
    (directory / DESCRIPTIONS / "gevaar.toml").write_text(render_tables(msgspec.to_builtins(one)))


async def _log(node: Node) -> None:
    """What somebody looked up, under names of their own choosing; and a decision about it."""
    ledger, now = node.parts.ledger, utc_now()
    at, trace = milliseconds(now), new_trace_id()
    attributes = {
        ACTIVITY: ACTIVITY_ID, SUBJECT: ledger.subject("BSN", BSN, now), SUBJECT_TYPE: "BSN",
        PROCESSOR: f"https://elders.example/{HOSTILE}",
    }  # fmt: skip
    line = Processing(
        trace, new_span_id(), f"Raadpleging {HOSTILE}", "Ok", at, at + 1, new_span_id(), attributes
    )
    evaluation = consultation(
        OWNER, f"{HOSTILE}\0", HOSTILE, ACTIVITY_ID, "gemeente.gevaar\0", agreed=None, level=None,
        context={"case": HOSTILE, "traceparent": f"00-{trace}-{new_span_id()}-01"},
    )  # fmt: skip
    point = node.parts.point
    decision = point.record(
        evaluation, point.decide(evaluation, now), Occasion(Trace(trace, new_span_id()), now)
    )
    await ledger.append([line, decision])
    await ledger.checkpoint()
    await node.parts.oversight.catch_up()
