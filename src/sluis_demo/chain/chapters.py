"""The part of the story about events: who needs to know of a decision, a partner that was away, and who must not know.

Told with requests that anybody's node takes. What was found is `chain` in the document of `--json`.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import msgspec

from sluis.cli.terminal import in_words, say
from sluis.kernel import Text
from sluis_demo.browser import Browser
from sluis_demo.chain import nodes
from sluis_demo.chain.cases import Cases, Happened
from sluis_demo.chain.nodes import Chain, event_document
from sluis_demo.chain.partners import DECISION, MOVE, NOTICES, PARTNERS, named
from sluis_demo.page import BAD, GOOD, NOTE, SQL, cited
from sluis_demo.reception import Reception, resident
from sluis_demo.run import Running
from sluis_demo.telling import Teller
from sluis_demo.visit import signed_in

AWAY, STRANGER = "dtv", "bz"
"""Who is away for a while, and who must not hear."""

PATIENCE = 15.0
"""Seconds that something may take to arrive."""

QUIET = 0.5
"""Seconds without anything new, after which nothing more is expected."""

_LOOK = 0.004  # seconds between two looks at what came
_RULES = {
    "no-relation": Text("heeft geen relatie met deze persoon", "has no relation with this person"),
    "condition": Text("de voorwaarde geldt niet", "the condition does not hold"),
}


class Arrival(msgspec.Struct, frozen=True):
    """An event at a partner: milliseconds after the source was told of it, and all that came."""

    milliseconds: float
    event: dict[str, Any]


class Beside:
    """The chain's nodes, which start while the story is being told.

    Args:
        running: the demo.
        cases: who is known where; None leaves these chapters out.
        reception: knows what the message box wants to be shown.
    """

    def __init__(self, running: Running, cases: Cases | None, reception: Reception) -> None:
        self.reception = reception
        self._made: Future[Chain] | None = None
        if cases is not None:
            starting = running.ending.enter_context(ThreadPoolExecutor(1))
            self._made = starting.submit(nodes.start, running, cases)

    def ready(self) -> Chain | None:
        """The partners, when all is agreed; None where there are no cases. Raises what went wrong."""
        return None if self._made is None else self._made.result()


def tell(teller: Teller, beside: Beside) -> None:
    """Tell these chapters. Raises: Problem when something is not as it should be."""
    chain = beside.ready()
    titles = (
        say("Een beslissing: wie moet het weten?", "A decision: who needs to know?"),
        say("Een partner die er even niet was", "A partner that was away"),
        say("Wie het niet mag weten, en wie dat ziet", "Who must not know, and who sees that"),
    )
    if chain is None:
        if teller.running.options.chain:
            teller.can_ask(titles[0], "")
        teller.found["chain"] = None
        return
    teller.found["chain"] = {
        "partners": {one.alias: str.__str__(one.oin) for one in PARTNERS},
        "decision": _decision(teller, chain, titles[0]),
        "away": _away(teller, chain, titles[1]),
        "stranger": _stranger(teller, chain, titles[2]),
        "resident": _resident(teller, chain, beside.reception),
    }


def _decision(teller: Teller, chain: Chain, title: str) -> dict[str, Any]:
    page, happened = teller.page, chain.cases.decision
    page.chapter(title)
    page.write(
        say(
            f"IND beslist over {chain.cases.name}. Wie een relatie met iemand heeft, heeft dat vooraf bij IND laten weten; IND bewaart "
            "daarvan alleen een pseudoniem. Per partner staat vast waarvan hij bericht krijgt, op welk artikel. Het systeem van IND "
            "meldt aan het eigen knooppunt wat er gebeurde:",
            f"IND decides about {chain.cases.name}. Whoever has a relation with somebody let IND know beforehand; IND keeps a "
            "pseudonym of that alone. For each partner it is fixed of what it is told, on which article. The system of IND tells "
            "its own node what happened:",
        )
    )
    _show(teller, chain, event_document(DECISION, happened))
    told, heard = _told(chain, "ind", DECISION, [happened], ("coa", "dtv", "kmar", "bz"))
    page.table(
        (say("partner", "partner"), say("hoort het na", "hears after"), say("op grond van", "under")),
        [(named(alias), _after(heard[alias]), _cited("ind", alias)) for alias in heard],
    )
    for rule, count in told[0]["withheld"].items():
        reason = in_words(_RULES[rule]) if rule in _RULES else rule
        page.more(f"{count} × {say('niet gemeld', 'not told')}: {reason}.")
    arrived = next((some[0].event for some in heard.values() if some), None)
    if arrived is not None:
        _left(teller, arrived)
    return {
        "told": told[0]["told"],
        "withheld": told[0]["withheld"],
        "heard": {alias: round(some[0].milliseconds, 1) for alias, some in heard.items() if some},
        "articles": {alias: _cited("ind", alias) for alias in heard},
        "left": arrived,
        "stayed": ["about", *happened.facts],
    }


def _show(teller: Teller, chain: Chain, document: dict[str, Any]) -> None:
    """What happened, in a file, with the command that anybody can give; and where the rules stand."""
    place = chain.places["ind"]
    file, node = place.directory / "besluit.json", os.path.relpath(place.directory)
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
    teller.page.write(json.dumps(document["data"], ensure_ascii=False), SQL)
    teller.page.more(f".venv/bin/sluis events publish --node {node} {node}/besluit.json", SQL)
    teller.page.write(
        say(
            f"Wat er kan gebeuren en wie het moet weten, staat in bestanden: {node}/event-types en {node}/notices.",
            f"What can happen and who needs to know of it stands in files: {node}/event-types and {node}/notices.",
        )
    )


def _left(teller: Teller, arrived: dict[str, Any]) -> None:
    """What crossed the line to one partner, and what did not."""
    teller.page.write(
        say(
            "Dit ging de deur uit, naar elk met een eigen kenmerk:",
            "This left, to each with a reference of its own:",
        ),
        "bold",
    )
    for name in ("type", "source", "subject", "dataref"):
        if name in arrived:
            teller.page.more(f"{name}: {arrived[name]}", depth=4)
    teller.page.write(
        say(
            "Wie het is en hoe de beslissing luidt, bleef bij IND. `subject` is het kenmerk van de ontvanger zelf. Wat er staat, vraagt "
            "hij bij `dataref`, onder zijn eigen contract. De tijd is gemeten vanaf het melden, dus met het vastleggen erbij.",
            "Who it is and what was decided stayed at IND. `subject` is the recipient's own reference. What it says, that partner asks "
            "at `dataref`, under its own contract. The time is measured from the telling on, so it includes writing it down.",
        )
    )  # fmt: skip


def _away(teller: Teller, chain: Chain, title: str) -> dict[str, Any]:
    page, moves, place = teller.page, chain.cases.moves, chain.places[AWAY]
    page.chapter(title)
    page.write(
        say(
            f"Het knooppunt van {named(AWAY)} valt uit, zonder een woord. Intussen verhuizen er mensen in de opvang; COA meldt het.",
            f"The node of {named(AWAY)} fails, without a word. Meanwhile people move within reception; COA tells of it.",
        )
    )
    _, after = chain.came(AWAY, 0)
    chain.running.kill(place)
    for happened in moves:
        chain.publish("coa", MOVE, happened)
    waiting = chain.waiting("coa")
    page.more(say(f"Bij COA wachten {waiting} bezorgingen.", f"{waiting} deliveries wait at COA."), NOTE)
    chain.running.begin([place])
    chain.running.wait([place])
    up = time.monotonic()
    came = list[str]()

    def all_came() -> bool:
        came.extend(one["id"] for one in chain.came(AWAY, after + len(came))[0])
        return len(came) >= len(moves)

    _wait(all_came)
    seconds = time.monotonic() - up
    wanted = [one.id for one in moves]
    in_order = all(_of(came, moves, one.bsn) == _of(wanted, moves, one.bsn) for one in moves)
    whole = in_order and sorted(came) == sorted(wanted)
    page.more(
        say(
            f"{named(AWAY)} start weer, en heeft {_seconds(seconds)} s later alles: {', '.join(came)}.",
            f"{named(AWAY)} starts again, and has all of it {_seconds(seconds)} s later: {', '.join(came)}.",
        ),
        GOOD if whole else BAD,
    )
    if whole:
        page.write(
            say(
                "Niets ging verloren, niets kwam dubbel, en wat over één mens gaat, kwam in de volgorde waarin het gebeurde.",
                "Nothing was lost, nothing came twice, and what is about one person came in the order in which it happened.",
            )
        )
    return {
        "partner": AWAY,
        "waiting": waiting,
        "published": wanted,
        "came": came,
        "seconds": round(seconds, 3),
    }


def _of(ids: Sequence[str], moves: Sequence[Happened], bsn: str) -> list[str]:
    """Those that are about one person."""
    about = {one.id for one in moves if one.bsn == bsn}
    return [id for id in ids if id in about]


def _stranger(teller: Teller, chain: Chain, title: str) -> dict[str, Any]:
    page = teller.page
    came, _ = chain.came(STRANGER, 0)
    counts = chain.counts("ind", DECISION)
    page.chapter(title)
    page.write(
        say(
            f"{named(STRANGER)} heeft een contract en een abonnement, maar gaf deze persoon geen visum. Bij {named(STRANGER)} kwamen "
            f"{len(came)} gebeurtenissen aan. Aan wie IND niets meldde, kan IND zelf ook niet opzoeken. Het kan alleen tellen:",
            f"{named(STRANGER)} has a contract and a subscription, but gave this person no visa. {len(came)} events arrived at "
            f"{named(STRANGER)}. Whom IND told nothing, IND itself cannot look up. It can only count:",
        )
    )
    page.table(
        (say("regel", "rule"), say("keer", "times")),
        [(rule, str(count)) for rule, count in sorted(counts.items())],
    )
    return {"partner": STRANGER, "came": len(came), "counts": counts}


def _resident(teller: Teller, chain: Chain, reception: Reception) -> dict[str, Any]:
    """What the person concerned sees: who was told, and the message that they got."""
    page = teller.page
    with Browser(chain.running.federation.authority.path) as browser:
        signed_in(chain.portal, resident(chain.cases), browser)
        looked = browser.data(f"{chain.portal}/looked/overview")
        entry = _reached(browser, chain)
    told = [one for one in looked["looks"] if one["what"].startswith("Kennisgeving")]
    page.write(
        say(
            f"{chain.cases.name} logt in bij IND, en ziet wie het hoorde:",
            f"{chain.cases.name} signs in at IND, and sees who was told:",
        )
    )
    page.table(
        (say("aan", "to"), say("wat", "what"), say("waarvoor", "for")),
        [
            (
                one.get("other", "-"),
                one["what"],
                in_words(msgspec.convert(one["name"], Text)) if "name" in one else "-",
            )
            for one in told
        ],
    )
    box = [one.onderwerp for one in reception.box.messages.values() if one.bsn == chain.cases.decision.bsn]
    steps = [{"channel": one["kind"], "state": one["state"]} for one in entry["steps"]] if entry else []
    if entry:
        state = in_words(msgspec.convert(entry["steps"][-1]["stateText"], Text)) if entry["steps"] else "-"
        page.write(
            say(
                f"Zelf kreeg deze persoon één bericht, in de berichtenbox (een simulator): “{box[0] if box else '-'}”. "
                f"In de geschiedenis op de pagina Berichten staat het als: {state}.",
                f"They themselves got one message, in the message box (a simulator): “{box[0] if box else '-'}”. "
                f"In the history on the page Messages it stands as: {state}.",
            )
        )
    return {
        "name": chain.cases.name,
        "portal": chain.portal,
        "told": [
            {"other": one.get("other"), "what": one["what"], "activity": one["activity"]} for one in told
        ],
        "box": box,
        "history": steps,
    }


def _reached(browser: Browser, chain: Chain) -> dict[str, Any] | None:
    """The one message in the person's history, when it has gone out; None when it did not within the time there is."""
    end = time.monotonic() + PATIENCE
    while True:
        entries: list[dict[str, Any]] = browser.data(f"{chain.portal}/messages/overview")
        if entries and entries[0]["steps"] and entries[0]["steps"][-1]["state"] != "claimed":
            return entries[0]
        if time.monotonic() > end:
            return entries[0] if entries else None
        time.sleep(0.1)


def _told(
    chain: Chain, source: str, type: str, happened: Sequence[Happened], partners: Iterable[str]
) -> tuple[list[dict[str, Any]], dict[str, list[Arrival]]]:
    """Tell a source what happened; what it answered, and what came where."""
    before = {alias: chain.came(alias, 0)[1] for alias in partners}
    enough, heard = Event(), {alias: list[Arrival]() for alias in before}
    with ThreadPoolExecutor(len(before)) as at_once:
        began = time.monotonic()
        watching = [
            at_once.submit(_watch, chain, alias, after, began, heard[alias], enough)
            for alias, after in before.items()
        ]
        try:
            told = [chain.publish(source, type, one) for one in happened]
            due = sum(one["told"] for one in told)
            _wait(lambda: sum(map(len, heard.values())) >= due or any(one.done() for one in watching))
            time.sleep(QUIET)
        finally:
            enough.set()
        for one in watching:
            one.result()  # a partner that could not be read is no partner that heard nothing
    return told, heard


def _watch(chain: Chain, alias: str, after: int, began: float, found: list[Arrival], enough: Event) -> None:
    """Add what comes at a partner, until it is enough. Raises `Problem`."""
    while not enough.is_set():
        some, after = chain.came(alias, after)
        found += [Arrival((time.monotonic() - began) * 1000, one) for one in some]
        time.sleep(_LOOK)


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(_LOOK)


def _after(arrivals: Sequence[Arrival]) -> str:
    return f"{arrivals[0].milliseconds:.0f} ms" if arrivals else say("niet", "not")


def _cited(source: str, alias: str) -> str:
    [notice] = [one for one in NOTICES[source] if one.id.startswith(f"{alias}-")]
    return cited(notice.articles)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}".replace(".", say(",", "."))
