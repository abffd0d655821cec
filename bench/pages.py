"""How long a node is busy with each page that people see: with 100,000 lines in its log and 1,000 datasets.

    python bench/pages.py [--records 100000] [--datasets 1000] [--rounds 20] [--only /looked]

One node on one core, in a group, with its database on disk; it owns all the datasets, describes them in its catalogue, opens some to
twenty peers for fifty activities, and logged questions about five thousand people: processing lines, and decisions as the decision point
made them. Everybody is invented. Every page of the portal is asked for as a browser does, by somebody signed in as its route wants, from
the request to the last byte, without TLS: every page there is, and of those with something in their address some that other pages lead
to, lists also sorted, filtered and further on. Documents to take away (CSV, JSON, PDF) are no pages. The figure is the largest 95th percentile of any page.
"""

import argparse
import gc
import logging
import os
import random
import re
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from _measure import conclude, must, percentile, run, told
from _servers import VAR, free_port
from sluis.catalogue import CATALOGUE_FILE, DESCRIPTIONS, Contact, Cost, Description, Keywords, Prose, Whole
from sluis.config import load_node
from sluis.crypto import make_authority
from sluis.grounds import (
    Activity,
    Article,
    Column,
    Dataset,
    Disclosure,
    Subject,
    render,
    render_tables,
)
from sluis.identity.sessions import Established
from sluis.kernel import PeerId, Period, Text, Trace, milliseconds, new_span_id, new_trace_id
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing
from sluis.policy import Occasion, consultation
from sluis.serve import Node, build_node, settle
from sluis.web import COOKIE, Audience

P95_MS = 100.0
OWN, PEERS = PeerId("00000009990000000001"), [PeerId(f"000000099900000001{each:02}") for each in range(20)]
ACTIVITIES, PEOPLE, DISCLOSURES = 50, 5_000, 200
SOMEBODY = "999990019"  # invented; eleven-test
ROLES = (
    "medewerker", "privacy-officer", "auditor", "data-owner", "fsc-admin", "event-admin", "access-admin", "people-admin",
)  # fmt: skip

MORE = (
    "/catalogue?q=inkomen", "/catalogue?q=inkomn+bron&page=3", f"/oversight/decisions?peer={PEERS[3]!s}&outcome=0&since=2020-01-01",
)  # fmt: skip
"""Addresses that no page leads to by itself."""

MOST = 4  # addresses of one page

LEFT_OUT = (
    "/oauth/",
    "/.well-known/",
    "/access/",
    "/representation/",
    "/sign-in/",
    "/language/",
    "/static/",
    "/still-here",
)
"""Where programs ask, or the browser is sent on to another site."""

_LINK = re.compile(r'<a[^>]* href="(/[^"#]*)')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000, help="lines in the log (default 100,000)")
    parser.add_argument("--datasets", type=int, default=1_000, help="how many (default 1,000)")
    parser.add_argument("--rounds", type=int, default=20, help="how often each page (default 20)")
    parser.add_argument("--only", default="", help="only pages whose address has this in it")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    took = uvloop.run(_measure(asked))
    must(bool(took), "no page was measured")
    for page, times in sorted(took.items(), key=lambda one: percentile(one[1], 95)):
        print(told(page[:34], times))
    worst = max(took, key=lambda page: percentile(took[page], 95))
    p95 = percentile(took[worst], 95)
    print(f"dearest: {worst}")
    conclude("pages", p95, "ms p95", p95 <= P95_MS, pages=len(took), records=asked.records, datasets=asked.datasets)  # fmt: skip


async def _measure(asked: argparse.Namespace) -> dict[str, list[float]]:
    logging.disable(logging.WARNING)  # that the twenty peers are not there
    began = time.perf_counter()
    node = build_node(load_node(_written(asked.datasets), environ={}))
    await node.start()
    settle()  # as a node does once it listens
    try:
        await _log(node, asked.records)
        await node.parts.oversight.catch_up()
        await node.parts.use.count()
        print(f"made ready in {time.perf_counter() - began:.1f} s")
        cookies = await _signed_in(node)
        pages = [one for one in await _pages(node, cookies) if asked.only in one[0]]
        took: dict[str, list[float]] = {}
        for turn in range(asked.rounds + 1):
            for address, audience in pages:
                gc.collect(0)
                status, spent, _ = await _get(node, address, cookies[audience])
                must(status < 400, f"{address} gives {status}")
                if turn:  # the first time templates are read
                    took.setdefault(address, []).append(spent)
        return took
    finally:
        await node.stop()


async def _pages(node: Node, cookies: dict[Audience, str]) -> list[tuple[str, Audience]]:
    """Every page that there is or that a page leads to, a few of each kind, with as whom somebody sees it."""
    assert node.portal is not None
    routes = {path: handler for method, path, handler in node.portal.app.routes if method == "GET"}
    found: list[tuple[str, Audience]] = []
    many = Counter[str]()
    audience: Audience
    for audience in ("citizen", "company", "staff"):
        mine = {
            path: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
            for path, handler in routes.items()
            if audience in (handler.opt.get("audience") or ("citizen",)) and not path.startswith(LEFT_OUT)
        }
        waiting = [*(path for path in mine if "{" not in path), *MORE]
        while waiting:
            address = unescape(waiting.pop(0))
            route = next(
                (path for path, fits in mine.items() if fits.fullmatch(address.partition("?")[0])), None
            )
            if route is None or (address, audience) in found or many[f"{audience} {route}"] >= MOST:
                continue
            status, _, body = await _get(node, address, cookies[audience])
            if (
                status < 400 and b"<html" in body[:200]
            ):  # what wants a question, for one, is no page without; nor are documents
                many[f"{audience} {route}"] += 1
                found.append((address, audience))
                waiting += _LINK.findall(body.decode("utf-8", "replace"))
    return found


async def _get(node: Node, address: str, cookie: str) -> tuple[int, float, bytes]:
    """The status of a page, the milliseconds until its last byte, and what it is."""
    assert node.portal is not None
    path, _, query = address.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "https", "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 40000), "server": ("localhost", 443),
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html"), (b"accept-language", b"nl"),
                    (b"cookie", f"{COOKIE}={cookie}".encode())],
        "extensions": {}, "asgi": {"version": "3.0"},
    }  # fmt: skip
    statuses: list[int] = []
    body = bytearray()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        else:
            body.extend(message.get("body", b""))

    began = time.perf_counter()
    await node.portal.app(scope, receive, send)  # type: ignore[arg-type]
    return statuses[0], (time.perf_counter() - began) * 1000, bytes(body)


async def _signed_in(node: Node) -> dict[Audience, str]:
    """The secret of a session of each kind of visitor."""
    rooms = node.parts.identity
    assert rooms is not None
    acr, now = "http://eidas.europa.eu/LoA/high", int(time.time())

    async def begin(audience: Audience, kind: Any, value: str, **more: Any) -> str:
        established = Established(
            "digid", audience, kind, value, "high", acr, now, "https://id.example", **more
        )
        secret, signed_in = await rooms.sessions.begin(established)
        if audience == "company":
            secret, _ = await rooms.sessions.act_for(
                signed_in.session, "kvk:99900001", "Fictief Bedrijf", None
            )
        return secret

    return {
        "citizen": await begin("citizen", "BSN", SOMEBODY, name="Sanne Proefstra"),
        "company": await begin("company", "pseudonym", "ondernemer", name="Olaf Onecht"),
        "staff": await begin("staff", "staff", "alles", name="Fenna Fictief", roles=ROLES),
    }


async def _log(node: Node, records: int) -> None:
    """Questions of the past year: of each, a decision and, for two people, a line."""
    ledger, chance, lines = node.parts.ledger, random.Random(6), []
    start = milliseconds(datetime.now(UTC) - timedelta(days=364))
    step = 364 * 86_400_000 // records
    people = [ledger.subject("BSN", str(900_000_000 + each), datetime.now(UTC)) for each in range(PEOPLE - 1)]
    people.append(ledger.subject("BSN", SOMEBODY, datetime.now(UTC)))
    while len(lines) < records:
        at = start + len(lines) * step
        activity, peer, trace = _activity(chance.randrange(ACTIVITIES)), chance.choice(PEERS), new_trace_id()
        evaluation = consultation(
            peer, f"ambtenaar-{chance.randrange(200)}", "urn:acr", activity, f"meting.gegevens_{chance.randrange(DISCLOSURES)}",
            agreed=None, level=None, context={"case": "METING-1", "traceparent": f"00-{trace}-{new_span_id()}-01"},
        )  # fmt: skip
        moment = datetime.fromtimestamp(at / 1000, UTC)
        decided = node.parts.point.decide(evaluation, moment)
        lines.append(
            node.parts.point.record(evaluation, decided, Occasion(Trace(trace, new_span_id()), moment))
        )
        for _ in range(2):
            attributes = {
                ACTIVITY: activity, SUBJECT: people[min(int(chance.expovariate(1 / 1500)), PEOPLE - 1)], SUBJECT_TYPE: "BSN",
                PROCESSOR: f"https://{peer}.example/v1",
            }  # fmt: skip
            lines.append(
                Processing(
                    trace, new_span_id(), "Raadpleging gegevens", "Ok", at, at + 12, new_span_id(), attributes
                )
            )
    for first in range(0, records, 4096):
        await ledger.append(lines[first : first + 4096])
    ledger.publish()


def _activity(number: int) -> str:
    return f"https://meting.example/verwerkingen/activiteit-{number}"


def _written(datasets: int) -> Path:
    """The directory of the node."""
    home = VAR / "pages"
    shutil.rmtree(home, ignore_errors=True)
    directory, host = home / "node", "127.0.0.1"
    authority = make_authority(home / "authority", "Testautoriteit van de metingen (fictief)")
    certificate, key = authority.issue(directory / "tls", OWN, "Meting (fictief)", [host, "localhost"])
    with closing(sqlite3.connect(home / "register.db")) as register:
        register.execute(
            "CREATE TABLE gegevens (bsn TEXT PRIMARY KEY, soort TEXT, sinds DATE, bedrag INTEGER)"
        )
        register.execute("INSERT INTO gegevens VALUES (?, 'iets', '2026-01-01', 123456)", (SOMEBODY,))
        register.commit()
    manager, inway, outway, portal = (free_port() for _ in range(4))
    rules = {
        "id": "metingen", "anchors": [str(authority.path)], "ports": sorted({443, 8443, manager}),
        "directory": {"peer": str.__str__(OWN), "address": f"https://{host}:{manager}"},
    }  # fmt: skip
    (home / "group.toml").write_text(render_tables(rules), encoding="utf-8")
    settings = {
        "node": {"oin": str.__str__(OWN), "name": "Meting (fictief)", "alias": "meting", "url": f"https://{host}:{manager}",
                 "environment": "test"},
        "fsc": {"group": "../group.toml"},
        "manager": {"host": host, "port": manager},
        "inway": {"host": host, "port": inway},
        "outway": {"host": host, "port": outway},
        "tls": {"certificate": str(certificate), "key": str(key), "authorities": [str(authority.path)]},
        "portal": {"address": f"https://localhost:{portal}", "host": host, "port": portal},
        "signin": {"medewerkers": {"issuer": f"https://{host}:1/", "client": "x", "audience": "staff", "title": "Account"}},
        "sources": {"register": {"url": f"sqlite:///{home / 'register.db'}"}},
        "people": {"alles": {"signin": "medewerkers:alles", "roles": list(ROLES)}},
        "peers": {
            f"peer_{each}": {"oin": str.__str__(one), "name": f"Organisatie {each} (fictief)"} for each, one in enumerate(PEERS)
        },
    }  # fmt: skip
    file = directory / "node.toml"
    file.write_text(render_tables(settings), encoding="utf-8")
    file.chmod(0o600)
    items: dict[str, list[tuple[str, Any]]] = {
        "datasets": [(f"gegevens_{each}", _dataset(each)) for each in range(datasets)],
        "activities": [(f"activiteit-{each}", _purpose(each)) for each in range(ACTIVITIES)],
        "disclosures": [(f"opening-{each}", _disclosure(each)) for each in range(min(DISCLOSURES, datasets))],
    }
    for folder, named in items.items():
        (directory / folder).mkdir()
        for name, item in named:
            (directory / folder / f"{name}.toml").write_text(render(item), encoding="utf-8")
    _describe(directory, datasets)
    return directory


def _describe(directory: Path, datasets: int) -> None:
    """The catalogue: every dataset is in it."""
    whole = Whole(
        title=Prose("Meting (fictief)", "Measurement (fictitious)"),
        description=Prose("Wat er te meten is.", "What there is to measure."),
        publisher="https://meting.example/id/organisatie",
        contact=Contact("Balie (fictief)", "balie@meting.example"),
        themes=("GOVE",),
        access=Prose("Vraag een contract aan.", "Ask for a contract."),
    )
    (directory / CATALOGUE_FILE).write_text(render_tables(_plain(whole)), encoding="utf-8")
    (directory / DESCRIPTIONS).mkdir()
    for each in range(datasets):
        words = Prose(f"Inkomen uit bron {each}, per maand.", f"Income from source {each}, per month.")
        keywords = Keywords(("inkomen", f"bron{each}"), ("income", f"source{each}"))
        one = Description(
            "dataset", f"gegevens_{each}", published=True, description=words, keywords=keywords, themes=("SOCI",),
            cost=Cost("free"), frequency="daily", articles=(Article("Participatiewet", "64", "BWBR0015703"),),
        )  # fmt: skip
        (directory / DESCRIPTIONS / f"gegevens_{each}.toml").write_text(
            render_tables(_plain(one)), encoding="utf-8"
        )


def _plain(struct: Any) -> dict[str, Any]:
    tables: dict[str, Any] = msgspec.to_builtins(struct, builtin_types=(date,), enc_hook=str.__str__)
    return tables


def _purpose(number: int) -> Activity:
    return Activity(
        id=_activity(number),
        name=Text(f"Activiteit {number} (fictief)", f"Activity {number} (fictitious)"),
        purpose=Text(
            "Nagaan of iemand ergens recht op heeft.", "Find out whether somebody is entitled to something."
        ),
        controller=OWN,
        ground="public-task",
        articles=(Article("Participatiewet", "64", "BWBR0015703"),),
        valid=Period(date(2025, 1, 1)),
        subjects=Text("inwoners", "residents"),
    )


def _dataset(number: int) -> Dataset:
    names = {"bsn": "VARCHAR", "soort": "VARCHAR", "sinds": "DATE", "bedrag": "BIGINT"}
    columns = tuple(Column(name, kind) for name, kind in names.items())
    title = Text(f"Gegevens {number} (fictief)", f"Data {number} (fictitious)")
    return Dataset(
        f"gegevens_{number}", title, "register", "gegevens", columns, subject=Subject("bsn", "BSN"), rows=1
    )


def _disclosure(number: int) -> Disclosure:
    return Disclosure(
        id=f"opening-{number}",
        version=1,
        dataset=f"gegevens_{number}",
        recipient=PEERS[number % len(PEERS)],
        activity=_activity(number % ACTIVITIES),
        columns={"bsn": "output", "soort": "output", "sinds": "output"},
        articles=(Article("Participatiewet", "64", "BWBR0015703"),),
        ground="public-task",
        controller=OWN,
        valid=Period(date(2025, 1, 1)),
    )


if __name__ == "__main__":
    run(main)
