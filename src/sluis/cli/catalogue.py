"""`sluis catalogue list|search|show|export`: what this node offers, as its own people see it and as others do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sluis.catalogue import ACCESS_RIGHTS, FOLDERS, FREQUENCIES, KINDS, LICENCES, THEMES
from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import EXIT_CODES, all_shown, in_words, json_text, say, shown, working
from sluis.grounds import SENSITIVITIES
from sluis.kernel import NotFound, Text, Upstream, euros

COSTS = {
    "free": Text("gratis", "free"),
    "call": Text("per vraag", "per question"),
    "run": Text("per keer draaien", "per run"),
    "subscription": Text("abonnement", "subscription"),
    "agreed": Text("zoals verstrekkingen zeggen", "as disclosures say"),
}
TURTLE = "text/turtle"
LINKED = "application/ld+json"
HARVESTS = "/v1/catalogue/harvests"
_MOST = 10  # values of a facet that are shown

turtle_option = click.option("--turtle", is_flag=True, help=say("Schrijf Turtle.", "Write Turtle."))


@click.group(
    "catalogue",
    help=say(
        "Wat dit knooppunt aanbiedt, en wie dat mag weten.", "What this node offers, and who may know of it."
    ),
    epilog=example("sluis catalogue list --node /etc/sluis"),
)
def command() -> None:
    """Asks this organisation's own node."""


@command.command(
    "list",
    help=say(
        "Noem alles wat dit knooppunt aanbiedt, ook wat niet gepubliceerd is.",
        "List everything that this node offers, also what is not published.",
    ),
    epilog=example("sluis catalogue list --all --node /etc/sluis"),
)
@click.option(
    "--all",
    "of_all",
    is_flag=True,
    help=say("Ook wat andere organisaties aanbieden.", "Also what other organisations offer."),
)
@node_option
@json_option
def list_entries(of_all: bool, directory: Path, as_json: bool) -> None:
    if of_all:
        _list_all(call(directory, "GET", HARVESTS).document(), directory, as_json)
        return
    found = _entries(directory)
    if as_json:
        click.echo(json_text(found, indent=2))
        return
    rows = [(_kind(one), one["name"], _text(one["title"]), _state(one), _rows(one)) for one in found]
    head = (
        say("soort", "kind"),
        say("naam", "name"),
        say("titel", "title"),
        say("stand", "state"),
        say("rijen", "rows"),
    )
    click.echo("\n".join(_table([head, *rows])))


@command.command(
    "search",
    help=say(
        "Zoek in wat deze organisatie en andere publiceren.",
        "Search in what this organisation and others publish.",
    ),
    epilog=example("sluis catalogue search uitkeringen --kind dataset --node /etc/sluis"),
)
@click.argument("words", nargs=-1)
@click.option("--kind", multiple=True, type=click.Choice([*KINDS]), help=say("Soort.", "Kind."))
@click.option("--owner", multiple=True, metavar="OIN", help=say("Organisatie.", "Organisation."))
@click.option("--theme", multiple=True, type=click.Choice([*THEMES]), help=say("Thema.", "Theme."))
@click.option(
    "--access", multiple=True, type=click.Choice([*ACCESS_RIGHTS]), help=say("Hoe open.", "How open.")
)
@click.option("--page", default=1, type=click.IntRange(1), help=say("Bladzijde.", "Page."), show_default=True)
@node_option
@json_option
def search(
    words: tuple[str, ...],
    kind: tuple[str, ...],
    owner: tuple[str, ...],
    theme: tuple[str, ...],
    access: tuple[str, ...],
    page: int,
    directory: Path,
    as_json: bool,
) -> None:
    from urllib.parse import urlencode

    facets = {"kind": kind, "owner": owner, "theme": theme, "access": access}
    asked = urlencode({"q": " ".join(words), "page": page, **facets}, doseq=True)
    found = call(directory, "GET", f"/v1/catalogue/search?{asked}").document()
    click.echo(json_text(found, indent=2) if as_json else "\n".join(_found_told(all_shown(found))))


@command.command(
    "harvest",
    help=say(
        "Lees de catalogi van andere organisaties nu; anders gebeurt het elk uur.",
        "Read the catalogues of other organisations now; otherwise it happens every hour.",
    ),
    epilog=example("sluis catalogue harvest --node /etc/sluis"),
)
@node_option
@json_option
@click.pass_context
def harvest(context: click.Context, directory: Path, as_json: bool) -> None:
    with working("De catalogi worden gelezen…", "The catalogues are being read…"):
        found = call(directory, "POST", HARVESTS).document()
    if as_json:
        click.echo(json_text(found, indent=2))
    else:
        click.echo("\n".join(shown(line) for one in found for line in _harvest_told(one)) or _nobody())
    context.exit(EXIT_CODES[Upstream] if any(one["trouble"] for one in found) else 0)


@command.command(
    "show",
    help=say(
        "Toon één dataset, dienst of gebeurtenistype, met wat gemeten is.",
        "Show one dataset, service or event type, with what was measured.",
    ),
    epilog=example("sluis catalogue show inkomen --node /etc/sluis"),
)
@click.argument("name")
@node_option
@json_option
@turtle_option
def show_entry(name: str, directory: Path, as_json: bool, turtle: bool) -> None:
    found = [one for one in _entries(directory) if one["name"] == name]
    if not found:
        raise NotFound(
            "not-offered",
            Text(f"`{name}` wordt hier niet aangeboden.", f"`{name}` is not offered here."),
            Text("Geen dataset, dienst of gebeurtenistype heet zo.", "No dataset, service or event type has that name."),
            Text("`sluis catalogue list` noemt alles.", "`sluis catalogue list` lists everything."),
        )  # fmt: skip
    for one in found:
        if turtle:
            path = f"/v1/catalogue/{FOLDERS[one['kind']]}/{one['iri'].rpartition('/')[2]}"
            click.echo(call(directory, "GET", path, accept=TURTLE).raw.decode(), nl=False)
        else:
            click.echo(json_text(one, indent=2) if as_json else "\n".join(_told(all_shown(one))))


@command.command(
    "export",
    help=say(
        "Schrijf de catalogus zoals anderen haar zien: DCAT-AP-NL 3.0 als JSON-LD, of als Turtle.",
        "Write the catalogue as others see it: DCAT-AP-NL 3.0 as JSON-LD, or as Turtle.",
    ),
    epilog=example("sluis catalogue export --turtle --node /etc/sluis > catalogus.ttl"),
)
@node_option
@turtle_option
def export(directory: Path, turtle: bool) -> None:
    click.echo(
        call(directory, "GET", "/v1/catalogue", accept=TURTLE if turtle else LINKED).raw.decode(), nl=False
    )


def _list_all(harvests: list[dict[str, Any]], directory: Path, as_json: bool) -> None:
    """What this organisation publishes or keeps to itself, and what others publish."""
    try:
        own = _entries(directory)
    except NotFound:  # who has no catalogue reads those of others all the same
        own = []
    if as_json:
        click.echo(json_text({"own": own, "others": harvests}, indent=2))
        return
    head = (
        say("organisatie", "organisation"),
        say("soort", "kind"),
        say("titel", "title"),
        say("gelezen", "read"),
    )
    here = say("(hier)", "(here)")
    rows = [(here, _kind(one), _text(one["title"]), "") for one in own]
    rows += [
        (each["name"], _kind(one), _text(one["title"]), each["at"][:10])
        for each in harvests
        for one in each["entries"]
    ]
    click.echo("\n".join(_table([head, *rows])))
    for each in harvests:
        if each["trouble"] or not each["at"]:
            click.echo("\n".join(map(shown, _harvest_told(each))), err=True)


def _found_told(found: dict[str, Any]) -> Iterator[str]:
    """A line about how many, a table of this page, and by which facets it can be narrowed."""
    total, page, pages = found["total"], found["page"], found["pages"]
    of_page = say(f", bladzijde {page} van {pages}", f", page {page} of {pages}") if pages > 1 else ""
    yield say(f"{total} gevonden", f"{total} found") + of_page
    if not total:
        yield say("Probeer een ander of minder woorden.", "Try another word, or fewer.")
    head = (
        say("organisatie", "organisation"),
        say("soort", "kind"),
        say("titel", "title"),
        say("gevonden woorden", "words found"),
    )
    rows = [
        (
            one["organisation"],
            _kind(one),
            _text(one["title"]),
            ("~ " if one["like"] else "") + ", ".join(one["words"]),
        )
        for one in found["found"]
    ]
    if rows:
        yield from ("", *_table([head, *rows]), "")
    for option, counts in found["facets"].items():
        if len(counts) > 1:
            told = ", ".join(
                f"{one['value']} ({_text(one['title'])}: {one['count']})" for one in counts[:_MOST]
            )
            yield f"--{option} {told}" + (" …" if len(counts) > _MOST else "")


def _harvest_told(one: dict[str, Any]) -> Iterator[str]:
    if one["trouble"]:
        kept = (
            say(f"; bewaard is die van {one['at'][:10]}", f"; kept is that of {one['at'][:10]}")
            if one["at"]
            else ""
        )
        yield say(
            f"{one['name']}: NIET GELEZEN ({one['trouble']}){kept}",
            f"{one['name']}: NOT READ ({one['trouble']}){kept}",
        )
    elif not one["at"]:
        yield say(f"{one['name']}: nog niet gelezen", f"{one['name']}: not read yet")
    else:
        yield f"{one['name']}: {len(one['entries'])}"


def _nobody() -> str:
    return say(
        "Er zijn geen andere organisaties in deze groep.", "There are no other organisations in this group."
    )


def _entries(directory: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(directory, "GET", "/v1/catalogue/entries").document()
    return found


def _text(text: dict[str, str]) -> str:
    return say(text["nl"], text["en"])


def _kind(one: dict[str, Any]) -> str:
    return in_words(KINDS[one["kind"]])


def _state(one: dict[str, Any]) -> str:
    public = (
        say("gepubliceerd", "published") if one["published"] else say("niet gepubliceerd", "not published")
    )
    return (
        public
        if one["described"] or one["kind"] == "service"
        else f"{public}, {say('niet beschreven', 'not described')}"
    )


def _rows(one: dict[str, Any]) -> str:
    return f"{one['measured']['rows']:,}".replace(",", ".") if "measured" in one else ""


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Columns under each other; the last stands to the right, for it is a number."""
    cells: list[list[str]] = all_shown([list(row) for row in rows])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        *words, number = row
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(words, widths, strict=False))
        yield f"{line}  {number:>{widths[-1]}}".rstrip()


def _told(one: dict[str, Any]) -> Iterator[str]:
    yield _text(one["title"])
    yield f"  {_kind(one)} {one['name']}, {_state(one)}"
    yield f"  {one['iri']}"
    if one["description"] != one["title"]:
        yield ""
        yield _text(one["description"])
    yield ""
    yield say("Contact: ", "Contact: ") + ", ".join(one["contact"].values())
    yield say("Thema's: ", "Themes: ") + ", ".join(in_words(THEMES[theme]) for theme in one["themes"])
    yield (
        say("Toegang: ", "Access: ")
        + in_words(ACCESS_RIGHTS[one["access_rights"]][1])
        + _after(one.get("access"))
    )
    yield say("Licentie: ", "Licence: ") + in_words(LICENCES[one["licence"]][1])
    if "cost" in one:
        yield say("Kosten: ", "Cost: ") + _cost(one)
    if "articles" in one:
        yield say("Wet: ", "Law: ") + "; ".join(
            f"{law['law']}, art. {law['article']}" for law in one["articles"]
        )
    if "frequency" in one:
        yield say("Bijgewerkt: ", "Updated: ") + in_words(FREQUENCIES[one["frequency"]][1])
    if "measured" in one:
        yield from _measured(one["measured"])
    shares = {share["column"]: share["percent"] for share in one.get("measured", {}).get("filled", ())}
    for column in one.get("columns", ()):
        title = f": {_text(column['title'])}" if "title" in column else ""
        filled = (
            say(f", {shares[column['name']]}% gevuld", f", {shares[column['name']]}% filled")
            if column["name"] in shares
            else ""
        )
        unit = f", {column['unit']}" if "unit" in column else ""
        yield f"  {column['name']} ({column['type']}, {in_words(SENSITIVITIES[column['sensitivity']])}{unit}{filled}){title}"


def _after(text: dict[str, str] | None) -> str:
    return f". {_text(text)}" if text else ""


def _cost(one: dict[str, Any]) -> str:
    cost, told = one["cost"], COSTS[one["cost"]["kind"]]
    cents = f", {in_words(euros(cost['cents']))}" if cost.get("cents") else ""
    return in_words(told) + cents + _after(cost.get("note"))


def _measured(found: dict[str, Any]) -> Iterator[str]:
    day = f"{found['at'][:10]}"
    yield say(
        f"Gemeten op {day}: ongeveer {found['rows']} rijen, in {found['milliseconds']} ms",
        f"Measured on {day}: about {found['rows']} rows, in {found['milliseconds']} ms",
    ) + (
        say(f", bijgewerkt tot {found['newest']}", f", updated until {found['newest']}")
        if "newest" in found
        else ""
    )
