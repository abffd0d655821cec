"""`sluis ledger costs`: what answers cost in a month, per organisation, added up from this node's own log."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from sluis.cli.options import example, json_option, log_store, node_option, settings
from sluis.cli.terminal import in_words, json_text, say
from sluis.kernel import Invalid, Text, euros, milliseconds, plain, utc_now

if TYPE_CHECKING:
    from sluis.store import Store


class Total(msgspec.Struct):
    """What one organisation owes another over a month. `subjects` counts a person once for each answer."""

    payer: str
    payee: str
    questions: int = 0
    subjects: int = 0
    cents: int = 0


@click.command(
    "costs",
    help=say(
        "Tel op wat antwoorden in een maand kosten: aan wie u betaalt, en wie aan u.",
        "Add up what answers cost in a month: whom you pay, and who pays you.",
    ),
    epilog=example("sluis ledger costs --month 2026-06 --node /etc/sluis"),
)
@click.option(
    "--month",
    help=say(
        "De maand (UTC), zoals 2026-06; zonder is dat deze.", "The month (UTC), as 2026-06; this one without."
    ),
)
@node_option
@json_option
def costs(month: str | None, directory: Path, as_json: bool) -> None:
    config = settings(directory)
    since, until = _bounds(month)
    names = {str.__str__(peer.oin): peer.name for peer in config.peers.values()}
    store = log_store(directory)
    try:
        totals = added_up(store, milliseconds(since), milliseconds(until))
    finally:
        store.close()
    if as_json:
        click.echo(json_text({"month": f"{since:%Y-%m}", "totals": [plain(total) for total in totals]}))
    else:
        click.echo("\n".join([f"{since:%Y-%m}", *_told(totals, config.node.oin, names)]))


def added_up(store: "Store", since: int, until: int) -> list[Total]:
    """Per payer and payee the total over a period (ms since the epoch), the largest first."""
    from sluis.ledger import lines_with
    from sluis.statement import CHARGE

    totals: dict[tuple[str, str], Total] = {}
    for line in lines_with(store, CHARGE, since, until):
        told = line.attributes[CHARGE]
        if told["payer"] == told["payee"]:  # a node that asks itself pays nobody
            continue
        total = totals.setdefault((told["payer"], told["payee"]), Total(told["payer"], told["payee"]))
        total.questions += 1
        total.subjects += told["subjects"]
        total.cents += told["cents"]
    return sorted(totals.values(), key=lambda total: -total.cents)


def _told(totals: list[Total], own: str, names: Mapping[str, str]) -> Iterator[str]:
    for total in totals:
        pays = total.payer == own
        who = total.payee if pays else total.payer
        way = say("te betalen aan", "to pay to") if pays else say("te ontvangen van", "to receive from")
        yield (
            f"  {way} {names.get(who, who)}: {in_words(euros(total.cents))} "
            + say(
                f"({total.questions} vragen, {total.subjects} personen)",
                f"({total.questions} questions, {total.subjects} people)",
            )
        )
    if not totals:
        yield "  " + say("Geen kosten.", "No costs.")


def _bounds(month: str | None) -> tuple[datetime, datetime]:
    """The first moment of a month, and of the next. Raises `Invalid`."""
    try:
        first = datetime.strptime(month, "%Y-%m") if month else utc_now()
    except ValueError:
        raise Invalid(
            "invalid-month",
            Text("Dit is geen maand.", "This is not a month."),
            Text(
                "Een maand is een jaar en een maand, zoals 2026-06.",
                "A month is a year and a month, as 2026-06.",
            ),
            Text("Schrijf --month 2026-06.", "Write --month 2026-06."),
        ) from None
    since = datetime(first.year, first.month, 1, tzinfo=UTC)
    return since, datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
