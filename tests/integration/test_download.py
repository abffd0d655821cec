"""A download of everything holds what each room of a node has of whoever asks, and nothing of another. Persons are fictitious."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.browser import Browser
from tests.integration.nodes import ASKER, Federation, build, free_ports
from tests.unit.identity.people import established

from sluis.grounds import render_tables
from sluis.kernel import Acting, milliseconds, new_span_id, new_trace_id, utc_now
from sluis.ledger import ACTIVITY, SUBJECT, SUBJECT_TYPE, Processing
from sluis.rights import DataSubject
from sluis.rights.model import About, Asked, Signed
from sluis.serve import Node
from sluis.web import COOKIE

ORIGIN, ANN, BOB = "https://localhost:8470", "999990019", "999990020"


def portal(home: Path) -> Node:
    """A node with a portal, a way of signing in and a channel."""
    file = Federation(home).asker / "node.toml"
    port, machine_port = free_ports(2)
    more = {
        "portal": {"address": ORIGIN, "port": port, "machine_port": machine_port},
        "signin": {"digid": {"issuer": "https://id.example", "client": "x", "audience": "citizen", "title": "DigiD"}},
        "channels": {"mail": {"kind": "smtp", "host": "localhost", "port": 8025, "security": "none", "sender": "a@b.example"}},
    }  # fmt: skip
    file.write_text(file.read_text() + "\n" + render_tables(more))
    file.chmod(0o600)
    return build(file.parent)


async def enter(node: Node, bsn: str) -> Browser:
    assert node.portal is not None
    assert node.parts.identity is not None
    browser = Browser(node.portal.app, ORIGIN)
    who = established(value=bsn, at=int(utc_now().timestamp()))
    browser.cookies[COOKIE], _ = await node.parts.identity.sessions.begin(who)
    return browser


async def logged(node: Node, bsn: str) -> str:
    """A line about somebody; gives its trace."""
    now, trace = utc_now(), new_trace_id()
    attributes = {
        ACTIVITY: "urn:x:iets",
        SUBJECT: node.parts.ledger.subject("BSN", bsn, now),
        SUBJECT_TYPE: "BSN",
    }
    at = milliseconds(now)
    await node.parts.ledger.append(
        [Processing(trace, new_span_id(), "Raadpleging", "Ok", at, at + 1, None, attributes)]
    )
    return trace


async def test_a_download_holds_what_every_room_has_of_whoever_asks(tmp_path: Path) -> None:
    node = portal(tmp_path)
    try:
        traces = {bsn: await logged(node, bsn) for bsn in (ANN, BOB)}
        for bsn in (ANN, BOB):
            await node.parts.rights.place(
                Signed(Acting("x"), "acr", "substantial", 1),
                DataSubject("BSN", bsn),
                str.__str__(ASKER),
                "access",
                About(),
                Asked(remark=f"van {bsn}"),
            )
        browser = await enter(node, ANN)
        page = await browser.get("/mine")
        shown = await browser.send(page.form("/mine/download"))
        with zipfile.ZipFile(io.BytesIO(shown.body)) as archive:
            files: dict[str, Any] = {
                name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")
            }
            assert "ontbreekt" not in archive.read("lees-mij.html").decode()
    finally:
        await node.stop()
    assert [one.removesuffix(".json") for one in files] == [
        "who-looked", "requests", "consents", "mandates", "sessions", "messages", "contact",
    ]  # fmt: skip
    assert [one["traceId"].replace("-", "") for one in files["who-looked.json"]] == [traces[ANN]]
    (request,) = files["requests.json"]
    assert (request["kind"], request["content"]["asked"]) == ("access", {"remark": f"van {ANN}"})
    assert "signed" not in request["content"]
    assert len(files["sessions.json"]) == 1
    assert BOB not in json.dumps(files)


async def test_a_line_of_the_own_log_leads_to_a_request_and_that_of_another_says_nothing(
    tmp_path: Path,
) -> None:
    node = portal(tmp_path)
    try:
        own, other = [await logged(node, bsn) for bsn in (ANN, BOB)]
        browser = await enter(node, ANN)
        assert "urn:x:iets" in (await browser.get(f"/requests/new?about={own}")).text
        assert "urn:x:iets" not in (await browser.get(f"/requests/new?about={other}")).text
    finally:
        await node.stop()
