"""`sluis policy test|explain|simulate|replay`: what the decision point would say and why, and whether the log tells the
truth about what it said. Reads files and database; the node itself may be running.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sluis import policy
from sluis.cli.ledger import UNSOUND, trace_of
from sluis.cli.options import example, json_option, log_store, node_option
from sluis.cli.requests import (
    changed_engine,
    evaluation_of,
    moment_of,
    node_engine,
    request_options,
    subject_of,
    subject_options,
)
from sluis.cli.terminal import in_words, json_text, language, lines, many, say, shown
from sluis.kernel import Conflict, NotFound, Place, Problem, Text, plain, utc_now

if TYPE_CHECKING:
    from sluis.config import Config
    from sluis.ledger import Decision, Log

RULES = {
    "disclosed": Text("een verstrekking opent dit", "a disclosure opens this"),
    "not-disclosed": Text("geen verstrekking opent dit", "no disclosure opens this"),
    "contract-missing": Text("geen contract dekt dit", "no contract covers this"),
    "activity-ended": Text("de verwerkingsactiviteit geldt niet", "the activity is not in force"),
    "not-valid-today": Text("de verstrekking geldt vandaag niet", "the disclosure is not in force today"),
    "sign-in-refused": Text("zo aanmelden volstaat niet", "this way of signing in does not suffice"),
    "sign-in-too-weak": Text("het betrouwbaarheidsniveau is te laag", "the assurance level is too low"),
    "no-policy": Text("geen regel staat dit toe", "no policy permits this"),
    "policy-failed": Text("een regel was niet uit te rekenen", "a policy could not be worked out"),
}


@click.group(
    "policy",
    help=say("Wat het beslispunt zou zeggen, en waarom.", "What the decision point would say, and why."),
    epilog=example("sluis policy test --node /etc/sluis"),
)
def command() -> None:
    """Asks nobody and records nothing: what is decided here, is decided for whoever types."""


@command.command(
    "test",
    help=say(
        "Doe de tests die bij de eigen regels staan (*.test.toml).",
        "Run the tests that stand beside the own policies (*.test.toml).",
    ),
    epilog=example("sluis policy test policies --node /etc/sluis"),
)
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@node_option
@json_option
@click.pass_context
def run_tests(context: click.Context, path: Path | None, directory: Path, as_json: bool) -> None:
    own, engine = _tested(path, directory)
    tried = list(policy.try_cases(own, engine, utc_now))
    failed = [one.problem for one in tried if one.problem is not None]
    if as_json:
        click.echo(
            json_text([_as_document(one.case.name, one.place, one.problem) for one in tried], indent=2)
        )
    else:
        for one in tried:
            click.echo(
                shown(
                    f"{say('goed', 'good') if one.problem is None else say('FOUT', 'WRONG')}  {one.case.name}"
                )
            )
        for problem in failed:
            click.echo(lines(problem))
        told = many(len(tried), Text("test", "test"), Text("tests", "tests"))
        click.echo(say(f"{told}, niet goed: {len(failed)}.", f"{told}, not right: {len(failed)}."))
    context.exit(2 if failed else 0)


@command.command(
    "explain",
    help=say("Zeg of iets mag, en waarom.", "Tell whether something is allowed, and why."),
    epilog=example(
        "sluis policy explain --subject peer:00000001001000001000 --level substantial --action consult "
        "--resource dataset:uwv.inkomen --activity https://register.voorbeeld.nl/bijstand"
    ),
)
@request_options
@node_option
@json_option
def explain(directory: Path, as_json: bool, at: str | None, **options: Any) -> None:
    _, engine = node_engine(directory)
    why = policy.explained(engine, evaluation_of(engine, options), moment_of(at))
    click.echo(json_text(plain(why), indent=2) if as_json else "\n".join(map(shown, _why_told(why))))


@command.command(
    "simulate",
    help=say(
        "Toon wat iemand mag, over alles wat bekend is; met --with wat er verandert.",
        "Show what someone is allowed, over all that is known; with --with what changes.",
    ),
    epilog=example("sluis policy simulate --subject person:jansen --role handhaver --with nieuwe-regels"),
)
@subject_options
@click.option("--all", "everything", is_flag=True, help=say("Ook wat niet mag.", "Also what is not allowed."))
@click.option(
    "--with",
    "changed",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=say(
        "Een andere map met eigen regels, of een andere map van het knooppunt.",
        "Another folder of own policies, or another directory of the node.",
    ),
)
@node_option
@json_option
def simulate(
    directory: Path, as_json: bool, at: str | None, everything: bool, changed: Path | None, **options: Any
) -> None:
    config, engine = node_engine(directory)
    subject, moment = subject_of(options), moment_of(at)
    also = _of_the_node(config)
    found = policy.simulated(engine, subject, moment, also)
    if changed is not None:
        other = policy.differences(
            found, policy.simulated(changed_engine(directory, changed), subject, moment, also)
        )
        _show_differences(other, as_json)
        return
    shown_ones = [one for one in found if everything or one.decided.permit]
    if as_json:
        click.echo(json_text(plain(shown_ones), indent=2))
    else:
        heads = [say("actie", "action"), say("waarmee", "with what"), say("activiteit", "activity"), say("mag", "allowed"), say("waarom", "why")]  # fmt: skip
        _print(heads, (_row(one) for one in shown_ones))


@command.command(
    "replay",
    help=say(
        "Beslis opnieuw wat in het logboek staat, met de regels van toen. RECORD is het nummer van een regel, of een trace.",
        "Decide again what stands in the log, by the policies of then. RECORD is the number of a record, or a trace.",
    ),
    epilog=example("sluis policy replay 1042 --node /etc/sluis"),
)
@click.argument("record")
@node_option
@json_option
@click.pass_context
def replay_record(context: click.Context, record: str, directory: Path, as_json: bool) -> None:
    from sluis.ledger import Log

    store = log_store(directory)
    try:
        versions = policy.Versions(store)
        found = [_replayed(index, one, versions) for index, one in _decisions(Log(store), record)]
    finally:
        store.close()
    if as_json:
        click.echo(json_text(found, indent=2))
    else:
        click.echo("\n".join(shown(_replay_told(one)) for one in found))
    context.exit(UNSOUND if any(one["outcome"] != "same" for one in found) else 0)


def _of_the_node(config: "Config") -> tuple[tuple[str, "policy.Resource"], ...]:
    """What can be done with the node itself, beside its data."""
    own = str.__str__(config.node.oin)
    contracts = policy.READ_CONTRACTS, policy.REQUEST_CONTRACT, policy.DECIDE_CONTRACT
    return tuple(
        (action, policy.Resource(kind, id))
        for kind, id, actions in (
            (policy.LOG, config.log_origin, (policy.READ_LOG, policy.READ_OWN_LINES)),
            (policy.GROUP, own, (policy.READ_GROUP, policy.CHANGE_GROUP, *contracts)),
            (policy.ACCESS, own, (policy.READ_ACCESS, policy.CHANGE_ACCESS)),
            (policy.PEOPLE, own, (policy.READ_PEOPLE, policy.CHANGE_PEOPLE)),
            (policy.EVENTS, own, (policy.READ_EVENTS, policy.CHANGE_EVENTS)),
        )
        for action in actions
    )


def _tested(path: Path | None, directory: Path) -> tuple["policy.Own", "policy.Engine"]:
    """The policies in a folder and what decides by them: with what the node knows, where there is one."""
    from sluis.config import NODE_FILE
    from sluis.grounds import Grounds, refuse_any

    if path is not None and not (directory / NODE_FILE).exists():
        own = policy.read_own(path)
        refuse_any(list(own.problems))
        return own, policy.Engine(policy.policies_of(own, Grounds(), "own", contracts=False))
    config, engine = node_engine(directory)
    if path is None:
        return policy.read_own(config.policy.directory), engine
    return policy.read_own(path), changed_engine(directory, path)


def _as_document(name: str, place: Any, problem: Problem | None) -> dict[str, Any]:
    at = {"name": name, "file": place.file, "line": place.line, "right": problem is None}
    return at if problem is None else {**at, "problem": problem.members(language())}


def _where(place: Place | None) -> str:
    """Where a policy stands, for people; those of disclosures stand in no file."""
    if place is None:
        return ""
    if place.file.startswith("("):  # in `policy.STANDARD`, where no file can be
        return say(" (in elk knooppunt)", " (in every node)")
    return f" ({place.file}:{place.line})"


def _why_told(why: "policy.Why") -> Iterable[str]:
    decided = why.decided
    yield f"{say('Mag', 'Allowed') if decided.permit else say('Mag niet', 'Not allowed')}: {_rule(decided.rule)}."
    if decided.reason is not None:
        yield "  " + in_words(decided.reason)
    if decided.disclosure is not None:
        yield "  " + say(f"Verstrekking: {decided.disclosure}.", f"Disclosure: {decided.disclosure}.")
    if decided.legal is not None:
        yield "  " + say(f"Grond: {decided.legal}.", f"Ground: {decided.legal}.")
    for id, place in why.policies.items():
        yield "  " + say("Regel: ", "Policy: ") + id + _where(place)
    if decided.failed:
        yield "  " + say(
            "Vaak ontbreekt er een eigenschap, of staat de naam verkeerd. Vraag er eerst naar met `has`.",
            "Often an attribute is missing, or its name is wrong. Ask for it with `has` first.",
        )
    for one in why.disclosures:
        fell = say("laat dit toe", "permits this") if one.fell is None else _rule(one.fell)
        asks = (
            say(f"; vraagt niveau {one.minimum_level}", f"; asks level {one.minimum_level}")
            if one.minimum_level
            else ""
        )
        yield f"  - {one.disclosure} {say('versie', 'version')} {one.version}, {one.activity}: {fell}{asks}"


def _rule(rule: str) -> str:
    return in_words(RULES[rule]) if rule in RULES else say(f"regel {rule}", f"policy {rule}")


def _row(one: "policy.Would | None") -> list[str]:
    if one is None:
        return [""] * 5
    decided, said = one.decided, say("ja", "yes") if one.decided.permit else say("nee", "no")
    why = decided.disclosure if decided.permit and decided.disclosure else _rule(decided.rule)
    return [one.action, f"{one.resource.type}:{one.resource.id}", one.activity or "", said, why]


def _show_differences(found: "list[policy.Difference]", as_json: bool) -> None:
    if as_json:
        click.echo(json_text(plain(found), indent=2))
        return
    if not found:
        click.echo(say("Er verandert niets.", "Nothing changes."))
        return
    heads = [say("actie", "action"), say("waarmee", "with what"), say("activiteit", "activity"), say("nu", "now"), say("dan", "then")]  # fmt: skip
    _print(heads, (_changed(one) for one in found))


def _changed(one: "policy.Difference") -> list[str]:
    what = _row(one.before or one.after)[:3]
    return [*what, *(": ".join(_row(side)[3:]) if side else "–" for side in (one.before, one.after))]


def _print(heads: list[str], rows: Iterable[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Line

    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Line(shown(cell)) for cell in row))
    Console().print(table)


def _decisions(log: "Log", record: str) -> "list[tuple[int, Decision]]":
    """The record of that number, or the decisions of a trace. Raises `NotFound`, `Conflict`, `Invalid`."""
    from sluis.ledger import Decision

    if record.isdecimal() and len(record) < 20:
        stored = log.stored(int(record))
        if stored.json is None:
            raise _not_there(Text("Deze regel is vernietigd.", "This record was destroyed."))
        try:
            return [(stored.index, msgspec.json.decode(stored.json, type=Decision))]
        except msgspec.ValidationError:
            raise Conflict(
                "no-decision",
                Text("Deze regel is geen beslissing.", "This record is no decision."),
                Text("Er is niets over te doen.", "There is nothing to do again."),
                Text("Kies een regel van het beslispunt.", "Choose a record of the decision point."),
            ) from None
    found = log.decisions(trace_of(record))
    if not found:
        raise _not_there(Text("Deze trace heeft geen beslissingen.", "This trace has no decisions."))
    return found


def _not_there(why: Text) -> NotFound:
    return NotFound(
        "nothing-to-replay",
        Text("Er is niets om over te doen.", "There is nothing to replay."),
        why,
        Text("Zie `sluis ledger show` voor wat er staat.", "See `sluis ledger show` for what is there."),
    )


def _replayed(index: int, record: "Decision", versions: Any) -> dict[str, Any]:
    try:
        again = policy.replay(record, versions)
    except Problem as problem:
        return {"index": index, "outcome": "not-replayable", "problem": problem.members(language())}
    return {"index": index, "outcome": "same" if again.same else "different", **plain(again)}


def _replay_told(one: dict[str, Any]) -> str:
    if one["outcome"] == "not-replayable":
        problem = one["problem"]
        return say(
            f"regel {one['index']}: niet over te doen. {problem['detail']}",
            f"record {one['index']}: not replayable. {problem['detail']}",
        )
    then, now = (_answer_told(one[side]) for side in ("recorded", "again"))
    if one["outcome"] == "same":
        return say(f"regel {one['index']}: hetzelfde, {then}", f"record {one['index']}: the same, {then}")
    return say(
        f"regel {one['index']}: ANDERS. In het logboek: {then}; volgens de regels van toen: {now}",
        f"record {one['index']}: DIFFERENT. In the log: {then}; by the policies of then: {now}",
    )


def _answer_told(answer: dict[str, Any]) -> str:
    """One answer as words; of a call with many, how many of each."""
    if "results" in answer:
        return say(f"gevonden: {len(answer['results'])}", f"found: {len(answer['results'])}")
    if "evaluations" in answer:
        permits = sum(one["decision"] for one in answer["evaluations"])
        return say(
            f"ja: {permits} van {len(answer['evaluations'])}",
            f"yes: {permits} of {len(answer['evaluations'])}",
        )
    word = say("ja", "yes") if answer["decision"] else say("nee", "no")
    return f"{word} ({answer.get('context', {}).get('rule', '-')})"
