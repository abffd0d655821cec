"""`sluis apply -f FILE`: make the node what YAML documents say: what it offers, publishes and connects to."""

from pathlib import Path
from typing import Any

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import in_words, json_text, say, shown, working
from sluis.gateway import read_documents
from sluis.grounds import read_text, refuse_any
from sluis.kernel import Text

CHANGES = {
    "unchanged": Text("ongewijzigd", "unchanged"),
    "made": Text("gemaakt", "made"),
    "changed": Text("gewijzigd", "changed"),
    "withdrawn": Text("ingetrokken", "withdrawn"),
}
STATES = {
    "proposed": Text("voorgesteld", "proposed"),
    "valid": Text("geldig", "valid"),
    "rejected": Text("afgewezen", "rejected"),
    "revoked": Text("ingetrokken", "revoked"),
    "expired": Text("verlopen", "expired"),
}


@click.command(
    "apply",
    help=say(
        "Maak het knooppunt wat documenten in YAML zeggen: groep, organisaties, diensten, publicaties, verbindingen en"
        " links. Een tweede keer verandert niets. Een contract wordt voorgesteld; anderen tekenen in hun eigen tijd.",
        "Make the node what YAML documents say: group, peers, services, publications, connections and links. A second"
        " time changes nothing. A contract is proposed; others sign it in their own time.",
    ),
    epilog=example("sluis apply -f diensten.yaml --node /etc/sluis"),
)
@click.option(
    "-f",
    "--file",
    "files",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help=say("Bestand met documenten; mag vaker.", "File with documents; may be given more often."),
)
@click.option(
    "--check", is_flag=True, help=say("Kijk alleen of het zou kunnen.", "Only see whether it could be done.")
)
@click.option(
    "--prune",
    is_flag=True,
    help=say(
        "Trek in wat eerder is toegepast en in geen van deze bestanden meer staat; vraagt eerst of dat moet.",
        "Withdraw what was applied before and is in none of these files any more; asks first whether it should.",
    ),
)
@click.option("--yes", is_flag=True, help=say("Vraag bij --prune niets.", "Do not ask with --prune."))
@node_option
@json_option
def command(
    files: tuple[Path, ...], check: bool, prune: bool, yes: bool, directory: Path, as_json: bool
) -> None:
    outcomes: list[dict[str, Any]] = []
    keep: list[dict[str, str]] = []
    for file in files:
        text = read_text(file)
        declared, problems = read_documents(text, str(file))
        refuse_any(list(problems))  # here, where the file and its lines are at hand
        keep += [dict(zip(("kind", "name"), one.key, strict=True)) for one in declared]
        body = {"text": text, "name": str(file), "check": check}
        with working("De documenten worden toegepast…", "The documents are being applied…"):
            outcomes += call(directory, "POST", "/v1/group/declarations", body).document()["outcomes"]
    if not as_json:
        done = "\n".join(map(_declared_told, outcomes))
        click.echo(say("Dit kan zo worden toegepast.", "This can be applied as it is.") if check else done)
    if prune:
        outcomes += _pruned(directory, keep, check, yes, as_json)
    if as_json:
        click.echo(json_text({"outcomes": outcomes}))


def _pruned(
    directory: Path, keep: list[dict[str, str]], check: bool, yes: bool, as_json: bool
) -> list[dict[str, Any]]:
    """Withdraw what is not to be kept, once it was told and agreed to; gives what was, or with `check` would be."""

    def withdrawn(check: bool) -> list[dict[str, Any]]:
        body = {"keep": keep, "check": check}
        found = call(directory, "POST", "/v1/group/declarations/withdrawals", body).document()
        return list(found["outcomes"])

    found = withdrawn(check=True)
    if not as_json:
        click.echo(_leaving_told(found))
    if check or not found:
        return found
    if not yes:
        _confirmed()
    return withdrawn(check=False)


def _confirmed() -> None:
    """Ask whether to withdraw, in the reader's language, which click's own question is not; anything else stops."""
    answer = click.prompt(
        say("Intrekken? [j/N]", "Withdraw? [y/N]"),
        default="",
        show_default=False,
        prompt_suffix=" ",
        err=True,
    )
    if answer.strip().lower() not in ("j", "ja", "y", "yes"):
        raise click.Abort


def _leaving_told(found: list[dict[str, Any]]) -> str:
    if not found:
        return say("Er is niets in te trekken.", "There is nothing to withdraw.")
    lines = [
        say("Dit staat er niet meer, en wordt ingetrokken:", "This is no longer there, and is withdrawn:")
    ]
    for one in found:
        line = f"  {shown(one['kind'])} {shown(one['name'])}"
        if one.get("state") in ("proposed", "valid"):
            line += say(f": contract {in_words(STATES[one['state']])}, wordt ingetrokken",
                        f": contract {in_words(STATES[one['state']])}, is revoked")  # fmt: skip
        lines.append(line)
    return "\n".join(lines)


def _declared_told(outcome: dict[str, Any]) -> str:
    """The same of a document in a file, which proposes nothing again while its contract is closed."""
    told = outcome_told(outcome)
    if outcome.get("state") in ("rejected", "revoked"):
        told += "\n  " + say(
            "→ Wilt u opnieuw een contract voorstellen? Geef het document dan een nieuwe naam.",
            "→ To propose a contract again, give the document a new name.",
        )
    return told


def outcome_told(outcome: dict[str, Any]) -> str:
    """What applying one document did, for a person."""
    told = f"{shown(outcome['kind'])} {shown(outcome['name'])}: {in_words(CHANGES[outcome['change']])}"
    if "state" in outcome:
        told += say(
            f"; contract {in_words(STATES[outcome['state']])}",
            f"; contract {in_words(STATES[outcome['state']])}",
        )
        told += f"\n  {outcome['contract']}"
    return told
