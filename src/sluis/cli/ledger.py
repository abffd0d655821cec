"""`sluis ledger verify|prove|show|anchor`: check a log, write a receipt, look at records, have a checkpoint stamped with
the time. Works beside a running node. Rooms are named whole here: what a command does not use is not loaded for it.
"""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluis import crypto, gateway, ledger
from sluis.cli.costs import costs
from sluis.cli.options import example, json_option, log_store, node_option, settings
from sluis.cli.terminal import in_words, json_text, say, shown, working
from sluis.kernel import Conflict, Invalid, NotFound, Text, plain, utc_now

if TYPE_CHECKING:
    from sluis.config import Config
    from sluis.store import Store

UNSOUND = 5
"""Exit code of `verify` when a log is not what it was; that of a conflict."""

_WAIT_SECONDS = 10.0


@click.group(
    "ledger",
    help=say(
        "Controleer het logboek, bewijs een regel, of bekijk het.",
        "Verify the log, prove a record, or look at it.",
    ),
    epilog=example("sluis ledger verify --node /etc/sluis"),
)
def command() -> None:
    """Reads the database of a node; the node itself may be running."""


@command.command(
    "verify",
    help=say(
        "Controleer het hele logboek van een knooppunt, of dat van een ander aan zijn tegels.",
        "Verify the whole log of a node, or that of another from its tiles.",
    ),
    epilog=example("sluis ledger verify --node /etc/sluis --earlier checkpoint-mei.txt"),
)
@node_option
@click.option(
    "--log", "place", help=say("Map of adres van andermans logboek.", "Directory or URL of another's log.")
)
@click.option("--key", "vkey", help=say("Sleutel van dat logboek.", "Key of that log."))
@click.option(
    "--earlier",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("Een eerder bewaard checkpoint.", "A checkpoint kept earlier."),
)
@json_option
@click.pass_context
def verify_log(
    context: click.Context,
    directory: Path,
    place: str | None,
    vkey: str | None,
    earlier: Sequence[Path],
    as_json: bool,
) -> None:
    notes = [path.read_text(encoding="utf-8") for path in earlier]
    if place:
        with working("De tegels worden nagerekend…", "The tiles are being recomputed…"):
            document = _verify_tiles(place, vkey, notes)
    else:
        document = _verify_node(directory, notes, as_json)
    faults = document["faults"]
    if as_json:
        click.echo(json_text(document, indent=2))
    elif faults:
        click.echo("\n".join(shown(fault["text"] if isinstance(fault, dict) else fault) for fault in faults))
    else:
        click.echo(shown(_sound(document)))
    context.exit(UNSOUND if faults else 0)


@command.command(
    "prove",
    help=say(
        "Schrijf het bewijs dat een regel in het logboek staat.",
        "Write the proof that a record is in the log.",
    ),
    epilog=example("sluis ledger prove 1042 --out regel-1042.tlog-proof"),
)
@click.argument("record", type=int)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help=say("Naar dit bestand.", "To this file.")
)
@node_option
@json_option
def prove_record(record: int, out: Path | None, directory: Path, as_json: bool) -> None:
    store = log_store(directory)
    try:
        with working("Wachten op een checkpoint…", "Waiting for a checkpoint…"):
            proof = ledger.receipt(ledger.Log(store), _published(directory, store, record), record)
    finally:
        store.close()
    if out is not None:
        out.write_text(proof, encoding="utf-8")
    if as_json:
        click.echo(json_text({"index": record, "receipt": proof}))
    elif out is None:
        click.echo(proof, nl=False)
    else:
        click.echo(say(f"Bewijs van regel {record}: {out}", f"Proof of record {record}: {out}"))


@command.command(
    "show",
    help=say(
        "Toon één regel, alle verwerkingen van een trace, of het logboek als geheel.",
        "Show one record, all processing of a trace, or the log as a whole.",
    ),
    epilog=example("sluis ledger show 1042 --node /etc/sluis"),
)
@click.argument("record", type=int, required=False)
@click.option(
    "--trace", "trace_id", help=say("Een trace: 32 hexadecimale cijfers.", "A trace: 32 hex digits.")
)
@node_option
@json_option
def show_records(record: int | None, trace_id: str | None, directory: Path, as_json: bool) -> None:
    store = log_store(directory)
    try:
        log = ledger.Log(store)
        if record is not None:
            document: Any = _record(log.stored(record))
        elif trace_id is not None:
            document = [plain(line) for line in log.processing(ledger.Search(trace_id=trace_of(trace_id)))]
        else:
            document = _whole(log)
    finally:
        store.close()
    if as_json or record is not None or trace_id is not None:
        click.echo(json_text(document, indent=2))
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in document.items()))


@command.command(
    "anchor",
    help=say(
        "Laat nu stempelen tot waar het logboek loopt (RFC 3161), en bewaar het stempel.",
        "Have the log stamped with the time now, as far as it goes (RFC 3161), and keep the stamp.",
    ),
    epilog=example("sluis ledger anchor --node /etc/sluis"),
)
@node_option
@json_option
def anchor_log(directory: Path, as_json: bool) -> None:
    config = settings(directory, secrets=True)
    if config.anchor.url is None:
        raise ledger.no_authority()
    store = log_store(directory)
    try:
        note = _published(directory, store, ledger.Log(store).size() - 1)
    finally:
        store.close()
    with working("Wachten op het stempel…", "Waiting for the stamp…"):
        anchored = asyncio.run(_anchors(config).ask(note, gateway.TimestampAuthority(config.anchor.url).send))
    click.echo(json.dumps(_shown(anchored), ensure_ascii=False) if as_json else _stamped(_shown(anchored)))


command.add_command(costs)


def _anchors(config: "Config") -> "ledger.Anchors":
    roots = [root for path in config.anchor.certificates for root in crypto.read_certificates(path)]
    return ledger.Anchors(config.anchors, roots, utc_now)


def _shown(anchored: "ledger.Anchored") -> dict[str, Any]:
    return {"size": anchored.size, "time": f"{anchored.at:%Y-%m-%dT%H:%M:%SZ}", "by": anchored.name}


def _stamped(shown: dict[str, Any]) -> str:
    return say(
        f"Gestempeld tot regel {shown['size']} op {shown['time']} door {shown['by']}.",
        f"Anchored until size {shown['size']} at {shown['time']} by {shown['by']}.",
    )


def _verify_node(directory: Path, notes: list[str], as_json: bool) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    config = settings(directory, secrets=True)
    stamps, false = _anchors(config).kept() if config.anchor.certificates else ([], [])
    notes = [*notes, *(one.note for one in stamps)]
    store = log_store(directory)
    try:
        public = crypto.FileKeyStore(config.keys.directory).public
        with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
            task = progress.add_task(say("Regels", "Records"), total=None)
            found = ledger.verify(
                store, public, notes, lambda done, total: progress.update(task, completed=done, total=total)
            )
        broken_off = any(one.kind == "unchecked" for one in found.faults)
        changed = [
            one
            for one in ([] if broken_off else ledger.crossings(store))
            if not gateway.sealed_lines_fit(store, one.first, one.last, one.digest)
        ]
    finally:
        store.close()
    document = _found(config.log_origin, found)
    document["faults"] += [
        {"kind": "transaction", "index": one.first, "text": _changed(one)} for one in changed
    ]
    document["faults"] += [{"kind": "anchor", "index": 0, "text": _false_stamp(name)} for name in false]
    document["anchored"] = _shown(max(stamps, key=lambda one: (one.size, one.at))) if stamps else None
    return document


def _changed(one: "ledger.Crossings") -> str:
    return say(
        f"Van het transactielogboek zijn regels {one.first} tot en met {one.last} niet meer zoals zij verzegeld zijn.",
        f"Of the transaction log, lines {one.first} to {one.last} are no longer as they were sealed.",
    )


def _false_stamp(name: str) -> str:
    return say(f"Het tijdstempel {name} bewijst niets.", f"The timestamp {name} proves nothing.")


def _found(origin: str, found: "ledger.Verification") -> dict[str, Any]:
    return {
        "origin": origin,
        "size": found.size,
        "root": b64encode(found.root).decode(),
        "destroyed": found.destroyed,
        "checkpoints": found.checkpoints,
        "faults": [
            {"kind": one.kind, "index": one.index, "text": in_words(one.text)} for one in found.faults
        ],
    }


def _verify_tiles(place: str, vkey: str | None, notes: list[str]) -> dict[str, Any]:
    if vkey is None:
        raise Invalid(
            "key-required",
            Text("De sleutel van dat logboek ontbreekt.", "The key of that log is missing."),
            Text("Zonder sleutel zegt een checkpoint niets.", "Without a key a checkpoint says nothing."),
            Text("Geef --key op.", "Give --key."),
        )
    try:
        fetch = (
            ledger.verifier.from_url(place) if "://" in place else ledger.verifier.from_directory(Path(place))
        )
        report = ledger.verifier.check_log(fetch, ledger.verifier.Key.parse(vkey), notes)
    except ledger.verifier.Rejected as problem:
        return {"origin": place, "size": 0, "faults": [str(problem)]}
    checkpoint = report.checkpoint
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": b64encode(checkpoint.root).decode(),
        "destroyed": 0,
        "checkpoints": 1 + len(notes),
        "faults": report.faults,
    }


def _sound(document: dict[str, Any]) -> str:
    size, destroyed, checkpoints = document["size"], document["destroyed"], document["checkpoints"]
    told = say(
        f"{document['origin']}: {size} regels, alles klopt. Rechtmatig vernietigd: {destroyed}. "
        f"Getekende checkpoints die kloppen: {checkpoints}.",
        f"{document['origin']}: {size} records, all sound. Lawfully destroyed: {destroyed}. "
        f"Signed checkpoints that agree: {checkpoints}.",
    )
    stamped = document.get("anchored")
    return f"{told}\n{_stamped(stamped)}" if stamped else told


def _published(directory: Path, store: "Store", index: int) -> str:
    """A checkpoint that holds the record: the newest, or one that the node publishes shortly, or one made here."""
    log = ledger.Log(store)
    if index >= log.size():
        log.stored(index)
    end = time.monotonic() + _WAIT_SECONDS
    while (note := _covering(log, index)) is None:
        try:
            config = settings(directory, secrets=True)
            return ledger.open_ledger(
                store, crypto.FileKeyStore(config.keys.directory), config.log_origin, utc_now
            ).publish()
        except Conflict:  # the node is running and will publish
            if time.monotonic() > end:
                raise _not_published(index) from None
            time.sleep(0.2)
    return note


def _covering(log: "ledger.Log", index: int) -> str | None:
    note = log.checkpoint()
    return note if note is not None and ledger.verifier.Checkpoint.parse(note).size > index else None


def _record(stored: "ledger.Stored") -> dict[str, Any]:
    return {
        "index": stored.index,
        "entry": stored.entry.hex(),
        "destroyed": stored.json is None,
        "record": None if stored.json is None else json.loads(stored.json),
    }


def _whole(log: "ledger.Log") -> dict[str, Any]:
    epochs = log.epochs()
    _, origin, _, note = epochs[-1]
    size = log.size()
    return {
        "origin": origin,
        "size": size,
        "root": b64encode(log.root(size)).decode(),
        "epochs": len(epochs),
        "published": 0 if note is None else ledger.verifier.Checkpoint.parse(note).size,
    }


def trace_of(trace_id: str) -> str:
    """A trace id as records have it. Raises `Invalid`."""
    digits = trace_id.replace("-", "").lower()
    if len(digits) != 32 or any(digit not in "0123456789abcdef" for digit in digits):
        raise Invalid(
            "invalid-trace-id",
            Text("Dit is geen trace.", "This is not a trace."),
            Text("Een trace heeft 32 hexadecimale cijfers.", "A trace has 32 hex digits."),
            Text("Neem hem over uit een ontvangstbewijs of logregel.", "Copy it from a receipt or a record."),
        )
    return digits


def _not_published(index: int) -> NotFound:
    return NotFound(
        "not-published",
        Text(f"Regel {index} staat nog in geen checkpoint.", f"Record {index} is in no checkpoint yet."),
        Text("Het knooppunt heeft er nog geen getekend.", "The node has not signed one yet."),
        Text("Probeer het over een minuut opnieuw.", "Try again in a minute."),
    )
