"""`sluis events standing …`: leave a question standing at another organisation, and hear when its answer changed."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from sluis.cli.local import call, question_of, question_options
from sluis.cli.options import example, json_option, node_option, source_option
from sluis.cli.terminal import json_text, say, shown, working


@click.group(
    "standing",
    help=say(
        "Staande vragen bij andere organisaties: u hoort dát het antwoord wijzigde.",
        "Standing questions at other organisations: you hear that the answer changed.",
    ),
    epilog=example("sluis events standing list --source rvig"),
)
def standing() -> None:
    """Standing questions of this organisation elsewhere."""


@standing.command(
    "ask",
    epilog=example(
        "sluis events standing ask 'select plaats from personen where bsn = $bsn' --source rvig --reference client-17 "
        "--until 2026-12-31 --activity https://sluiswijk.example/verwerkingen/adres-volgen --case ZAAK-2026-1 --set bsn=-"
    ),
)
@question_options
@source_option
@click.option(
    "--reference",
    required=True,
    help=say(
        "Uw eigen kenmerk; het komt terug in elk signaal.",
        "Your own reference; it comes back in every signal.",
    ),
)
@click.option("--until", required=True, help=say("Laatste dag, JJJJ-MM-DD.", "Last day, YYYY-MM-DD."))
@click.option(
    "--dataset",
    help=say("De dataset, als er meer open zijn.", "The dataset, where more than one is open."),
)
@node_option
@json_option
def ask(
    source: str,
    reference: str,
    until: str,
    dataset: str | None,
    directory: Path,
    as_json: bool,
    **options: Any,
) -> None:
    question = question_of(**options)
    values = question.pop("parameters")
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    body = {
        **question,
        "source": source,
        "reference": reference,
        "until": until,
        "dataset": dataset,
        "lists": lists,
        "parameters": {name: value for name, value in values.items() if name not in lists},
    }
    with working("Het knooppunt laat de vraag staan…", "The node is leaving the question standing…"):
        placed = call(directory, "POST", "/v1/registrations/standing-questions", body).document()
    if as_json:
        click.echo(json_text(placed))
        return
    click.echo(shown(_line(placed)))
    click.echo(say("Vraag het antwoord zelf na de eerste ronde; vanaf dan hoort u elke wijziging.",
                   "Ask for the answer itself after the first round; from then on you hear of every change."))  # fmt: skip


ask.help = say(
    "Laat een vraag over één dataset staan. Wijzigt het antwoord, dan komt er een CloudEvent met uw kenmerk, zonder het antwoord. "
    "Waarden geeft u met --set, zoals bij `sluis ask`.",
    "Leave a question about one dataset standing. When the answer changes, a CloudEvent comes with your reference, without the "
    "answer. Give values with --set, as with `sluis ask`.",
)


@standing.command("list", epilog=example("sluis events standing list --source rvig"))
@source_option
@node_option
@json_option
def listed(source: str, directory: Path, as_json: bool) -> None:
    body = {"source": source}
    with working("Het knooppunt vraagt het na…", "The node is asking…"):
        found = call(directory, "POST", "/v1/registrations/standing-questions/lists", body).document()
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        click.echo(shown(_line(one)))


listed.help = say(
    "Welke vragen er staan, en waarom er een eindigde.", "Which questions stand, and why one ended."
)


@standing.command("end", epilog=example("sluis events standing end q2Jv0Zr4Tq6mZq3c1X8kYw --source rvig"))
@click.argument("id")
@source_option
@node_option
def end(id: str, source: str, directory: Path) -> None:
    body = {"source": source, "id": id}
    with working("Het knooppunt beëindigt de vraag…", "The node is ending the question…"):
        call(directory, "POST", "/v1/registrations/standing-questions/ends", body)
    click.echo(say("De vraag staat er niet meer.", "The question stands no more."))


end.help = say("Beëindig een staande vraag.", "End a standing question.")


def _line(one: dict[str, Any]) -> str:
    if one["state"] == "ended":
        return f"{one['id']}  {one['reference']}: " + say("geëindigd", "ended") + f" ({one['because']})"
    coming = datetime.fromtimestamp(one["next"] / 1000).astimezone()
    trouble = f" ({one['because']})" if one.get("because") else ""
    said = say(f"volgende ronde {coming:%d-%m %H:%M}", f"next round {coming:%d-%m %H:%M}")
    return f"{one['id']}  {one['reference']}: {said}, {say('tot en met', 'until')} {one['until']}{trouble}"
