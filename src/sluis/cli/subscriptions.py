"""`sluis events subscribe|subscriptions|resume|unsubscribe`: where events go, here and at other organisations. All of them ask the
running node."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option, settings
from sluis.cli.terminal import in_words, json_text, say, shown
from sluis.kernel import NotFound, Text

STATES = {
    "active": Text("actief", "active"),
    "waiting-for-proof": Text("wacht op het adres", "waits for the address"),
    "suspended": Text("staat stil", "stands still"),
}
_REQUEST = ("sink", "protocol", "source", "types", "filters", "config", "protocolsettings")
"""Of a subscription as it is shown, what its owner may write."""

AT = say("Bij deze organisatie (naam of OIN), niet hier.", "At this organisation (name or OIN), not here.")


@click.command(
    "subscribe",
    help=say(
        "Neem een abonnement: zeg waar gebeurtenissen moeten komen. SINK is een https-adres, `fsc:sluis/v1/inbox`, `urn:sluis:feed` of "
        "`urn:sluis:sse`.",
        "Subscribe: say where events are to go. SINK is an https address, `fsc:sluis/v1/inbox`, `urn:sluis:feed` or `urn:sluis:sse`.",
    ),
    epilog=example(
        "sluis events subscribe https://zaken.voorbeeld.nl/events --type nl.uitkeringen.beslissing-genomen"
    ),
)
@click.argument("sink")
@click.option(
    "--type",
    "types",
    multiple=True,
    help=say("Alleen dit soort; vaker kan.", "Only this type; may be repeated."),
)
@click.option(
    "--filter", "sql", help=say("Alleen wat aan deze CESQL voldoet.", "Only what meets this CESQL.")
)
@click.option(
    "--config", "config", multiple=True, metavar=say("NAAM=WAARDE", "NAME=VALUE"),
    help=say("Zoals content=binary of retryhours=24.", "Such as content=binary or retryhours=24."),
)  # fmt: skip
@click.option(
    "--source",
    help=say(
        "Neem het bij deze organisatie (naam of OIN), voor gebeurtenissen van daar.",
        "Take it at this organisation (name or OIN), for events from there.",
    ),
)
@node_option
@json_option
def subscribe(
    sink: str, types: tuple[str, ...], sql: str | None, config: tuple[str, ...], source: str | None,
    directory: Path, as_json: bool,
) -> None:  # fmt: skip
    body: dict[str, Any] = {"sink": sink, "protocol": "HTTP", "types": list(types)}
    body["config"] = dict(_pair(one) for one in config)
    body["filters"] = [{"sql": sql}] if sql else []
    path = "/v1/subscriptions"
    if source is not None:
        path, body = "/v1/registrations/subscriptions", {"source": source, "subscription": body}
    _tell(call(directory, "POST", path, body).document(), source, as_json)


@click.command("subscriptions", epilog=example("sluis events subscriptions --source gemeente"))
@click.option("--source", help=AT)
@node_option
@json_option
def subscriptions(source: str | None, directory: Path, as_json: bool) -> None:
    found = _there(directory, source) if source else call(directory, "GET", "/v1/events/standing").document()
    if as_json:
        click.echo(json_text(found))
        return
    names = {str.__str__(peer.oin): peer.name for peer in settings(directory).peers.values()}
    for one in found:
        click.echo("\n".join(_lines(one, source, names)))
    if not found:
        click.echo(say("Er zijn geen abonnementen.", "There are no subscriptions."))


subscriptions.help = say(
    "Noem de abonnementen bij dit knooppunt, en wat er wacht; met --source die van u bij een ander, en hoe ver die zijn.",
    "List the subscriptions at this node, and what waits; with --source yours at another, and how far they are.",
)


@click.command("resume", epilog=example("sluis events resume 5f0c… --source gemeente"))
@click.argument("subscription")
@click.option("--source", help=AT)
@node_option
@json_option
def resume(subscription: str, source: str | None, directory: Path, as_json: bool) -> None:
    if source is None:
        place = f"/v1/subscriptions/{quote(subscription, safe='')}"
        found = call(directory, "GET", place).document()
    else:
        place = f"/v1/registrations/subscriptions/{quote(source, safe='')}/{quote(subscription, safe='')}"
        found = next((one for one in _there(directory, source) if one["id"] == subscription), None)
        if found is None:
            raise _unknown(source)
    document = {name: found[name] for name in _REQUEST if name in found}
    _tell(call(directory, "PUT", place, document).document(), source, as_json)


resume.help = say(
    "Laat een abonnement verder gaan dat stilstaat, of vraag een adres opnieuw of het gebeurtenissen wil.",
    "Have a subscription go on that stands still, or ask an address again whether it wants events.",
)


@click.command("unsubscribe", epilog=example("sluis events unsubscribe 5f0c… --source gemeente"))
@click.argument("subscription")
@click.option("--source", help=AT)
@node_option
@json_option
def unsubscribe(subscription: str, source: str | None, directory: Path, as_json: bool) -> None:
    place = f"/v1/registrations/subscriptions/{quote(source, safe='')}" if source else "/v1/subscriptions"
    call(directory, "DELETE", f"{place}/{quote(subscription, safe='')}")
    click.echo(
        json_text({"ended": subscription})
        if as_json
        else say(f"Abonnement {subscription} is beëindigd.", f"Subscription {subscription} has ended.")
    )


unsubscribe.help = say(
    "Beëindig een abonnement van uw organisatie. Wat er nog voor wacht, gaat mee weg.",
    "End a subscription of your organisation. What still waits for it goes with it.",
)


def _there(directory: Path, source: str) -> list[dict[str, Any]]:
    """The subscriptions at a source as they stand there, with what this node has of each: all up to a number, and how many
    that wait for an earlier one."""
    place = f"/v1/registrations/subscriptions/{quote(source, safe='')}"
    found: list[dict[str, Any]] = call(directory, "GET", place).document()
    followed = call(directory, "GET", "/v1/registrations/subscriptions").document()
    here = {one["subscription"]: one for one in followed}
    for one in found:
        came = here.get(one["id"], {"upto": 0, "waiting": 0})
        one["upto"], one["held"] = came["upto"], came["waiting"]
    return found


def _lines(one: dict[str, Any], source: str | None, names: dict[str, str]) -> Iterator[str]:
    """A subscription in words, and what helps where it gets nothing."""
    owner = one.get("owner")
    of = say(f"  (van {names[owner]})", f"  (of {names[owner]})") if owner in names else ""
    yield shown(f"{one['id']}  {in_words(STATES[one['state']])}  {one['sink']}{of}")
    if source is None:
        yield say(f"   {one['waiting']} wachten, {one['dead']} onbestelbaar",
                  f"   {one['waiting']} wait, {one['dead']} dead letters")  # fmt: skip
    else:
        if one.get("types"):
            yield shown(f"   {', '.join(one['types'])}")
        if one["upto"] or one["held"]:
            yield say(f"   hier tot en met nummer {one['upto']}; {one['held']} wachten op een eerdere",
                      f"   here up to number {one['upto']}; {one['held']} wait for an earlier one")  # fmt: skip
    if one["state"] != "active" and not of:
        yield from _next(one, source)


def _next(one: dict[str, Any], source: str | None) -> Iterator[str]:
    at = f" --source {source}" if source else ""
    because = f" ({one['because']})" if one.get("because") else ""
    if one["state"] == "waiting-for-proof":
        yield shown(say(f"   Dit adres heeft nog niet gezegd dat het gebeurtenissen wil{because}.",
                        f"   This address has not said yet that it wants events{because}."))  # fmt: skip
        yield shown(say(f"   → Laat het op OPTIONS antwoorden met WebHook-Allowed-Origin, en geef: sluis events resume {one['id']}{at}",
                        f"   → Have it answer OPTIONS with WebHook-Allowed-Origin, and give: sluis events resume {one['id']}{at}"))  # fmt: skip
    else:
        yield shown(say(f"   De ontvanger wilde niets meer op dit adres{because}; wat komt, wacht.",
                        f"   The recipient wanted nothing more at this address{because}; what comes, waits."))  # fmt: skip
        yield shown(say(f"   → Wil die weer: sluis events resume {one['id']}{at}",
                        f"   → When it wants to again: sluis events resume {one['id']}{at}"))  # fmt: skip


def _tell(made: dict[str, Any], source: str | None, as_json: bool) -> None:
    if as_json:
        click.echo(json_text(made))
        return
    state = in_words(STATES[made["state"]])
    click.echo(shown(say(f"Abonnement {made['id']}: {state}.", f"Subscription {made['id']}: {state}.")))
    if made["state"] != "active":
        click.echo("\n".join(_next(made, source)))


def _pair(said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not equals:
        raise click.BadParameter(say("Schrijf NAAM=WAARDE.", "Write NAME=VALUE."), param_hint="--config")
    return name, value


def _unknown(source: str) -> NotFound:
    return NotFound(
        "unknown-subscription",
        Text("Dit abonnement bestaat niet.", "There is no such subscription."),
        Text("Het is daar niet, of het is niet van u.", "It is not there, or it is not yours."),
        Text(f"Noem ze met `sluis events subscriptions --source {source}`.",
             f"List them with `sluis events subscriptions --source {source}`."),
    )  # fmt: skip
