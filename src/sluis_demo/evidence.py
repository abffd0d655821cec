"""What can be proved afterwards: who looked at a citizen's data, that every log is whole, and that a change is found.

Reading goes by each node's own reading API (LDV reading extension). Verifying is what `sluis ledger verify` does. The
only thing that touches a node's tables is the forger, and that works on a copy.
"""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from sluis.cli.terminal import in_words, say
from sluis.config import load_config
from sluis.crypto import FileKeyStore
from sluis.gateway import witness_name
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Log, verifier, verify, witness_key
from sluis.store import open_store
from sluis_demo.federation import Place
from sluis_demo.run import Running

PATIENCE = 5.0
"""Seconds that witnesses get to cosign."""
BEFORE, AFTER = b"verwerkingen/bijstand", b"verwerkingen/parkeren"
"""The forger makes another purpose of the one that was recorded, of the same length."""


class Looked(msgspec.Struct, frozen=True):
    """A line about one citizen in the log of `log`: when, what was done, for which processing activity, and who asked
    for it. Lines of one question share a trace."""

    log: str
    asker: str
    moment: datetime
    what: str
    activity: str
    trace: str


class Verdict(msgspec.Struct, frozen=True):
    """What the verifier says of a log. `what` tells what was done to it, where something was."""

    owner: str
    whole: bool
    lines: int
    sentence: str
    what: str = ""


def who_looked(running: Running, bsn: str) -> tuple[Looked, ...]:
    """Every line about a citizen in all logs that can be reached, oldest first."""
    asker = running.federation.asker
    names = {place.host: place.alias for place in running.federation.places}
    wanted = {SUBJECT: bsn, SUBJECT_TYPE: "BSN"}
    found = [
        Looked(
            place.alias,
            asker.alias if place is asker else names[urlsplit(line["attributes"][PROCESSOR]).hostname or ""],
            datetime.fromtimestamp(line["startTime"] / 1000, UTC),
            line["name"],
            line["attributes"][ACTIVITY],
            line["traceId"],
        )
        for place in _up(running)
        for line in place.call("POST", "/v1/processing-activities", wanted)["processingActivities"]
    ]
    return tuple(sorted(found, key=lambda line: line.moment))


def verified(running: Running) -> tuple[Verdict, ...]:
    """The verifier's judgement of every log."""
    return tuple(_judge(place, _database(place)) for place in _up(running))


def tampering_found(running: Running) -> Verdict:
    """Change one line in a copy of the log of the first owner, and let the verifier look."""
    place = next(place for place in _up(running) if place is not running.federation.asker)
    copy = place.directory / "var" / "vervalst.db"
    with closing(sqlite3.connect(_database(place))) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        line = _forge(target)
    verdict = _judge(place, copy)
    what = say(
        f"In een kopie van het logboek van {place.alias} heeft iemand in regel {line} het doel veranderd. Het oordeel:",
        f"In a copy of the log of {place.alias} somebody changed the purpose in line {line}. The verdict:",
    )
    return msgspec.structs.replace(verdict, what=what)


def _forge(log: sqlite3.Connection) -> int:
    """Put another purpose in the first line that is about a person, and say which line that is."""
    lines = log.execute("SELECT idx, salted FROM ledger_records ORDER BY idx")
    index, salted = next(line for line in lines if BEFORE in line[1] and b"data_subject_id" in line[1])
    log.execute("UPDATE ledger_records SET salted = ? WHERE idx = ?", (salted.replace(BEFORE, AFTER), index))
    log.commit()
    return int(index)


def witnessed(running: Running) -> dict[str, list[str]]:
    """Per log, whose cosignatures stand under its newest checkpoint. They are asked for every second; a log whose
    witnesses have not answered yet is waited for, for a moment."""
    end = time.monotonic() + PATIENCE
    places = _up(running)
    keys = {place.alias: _witness_key(place) for place in places}
    while True:
        found = {place.alias: _cosigners(place, keys) for place in places}
        if all(found.values()) or time.monotonic() > end:
            return found
        time.sleep(0.1)


def _witness_key(place: Place) -> verifier.Key:
    config = load_config(place.directory / "node.toml")
    return witness_key(witness_name(config.log_origin), FileKeyStore(place.directory / "keys"))


def _cosigners(place: Place, keys: Mapping[str, verifier.Key]) -> list[str]:
    with closing(open_store(f"sqlite:///{_database(place)}")) as store:
        note = Log(store).checkpoint() or ""
    found = []
    for alias, key in keys.items():
        try:
            if alias != place.alias and key in verifier.open_note(note, [key]).times:
                found.append(alias)
        except verifier.Rejected:
            continue
    return found


def _judge(place: Place, database: Path) -> Verdict:
    public = FileKeyStore(place.directory / "keys").public
    with closing(open_store(f"sqlite:///{database}")) as store:
        found = verify(store, public)
    if found.faults:
        sentence = " ".join(in_words(fault.text) for fault in found.faults)
    else:
        sentence = say(f"{found.size} regels, alles klopt", f"{found.size} lines, all sound")
    return Verdict(place.alias, not found.faults, found.size, sentence)


def _up(running: Running) -> list[Place]:
    return [place for place in running.federation.places if place.alias not in running.down]


def _database(place: Place) -> Path:
    return Path(str(load_config(place.directory / "node.toml").store.url).removeprefix("sqlite:///"))
