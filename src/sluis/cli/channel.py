"""`sluis channel test NAME --to ADDRESS`: send one message by a channel of this node, and tell what was said and what came back."""

import asyncio
import json
import secrets
import time
from pathlib import Path

import click

from sluis.cli.options import example, json_option, node_option, settings
from sluis.cli.terminal import EXIT_CODES, in_words, say
from sluis.config import Config
from sluis.contact import Channel, Failed, Parcel, Sent
from sluis.kernel import NotFound, Refused, Text, Upstream

_SUBJECT = Text("Proefbericht van Sluis", "Test message of Sluis")
_TEXT = Text(
    "Dit is een proefbericht. U hoeft niets te doen.", "This is a test message. You need do nothing."
)
_HOW = {
    "later": Text("Het kanaal zegt: nu niet. Er is niets weggegaan.", "The channel says: not now. Nothing left."),
    "never": Text("Het kanaal neemt dit bericht niet aan. Er is niets weggegaan.", "The channel does not take this message. Nothing left."),
    "doubtful": Text("Niemand weet of het bericht weg is.", "Nobody knows whether the message left."),
}  # fmt: skip

_NEXT = {
    "later": Text("Kijk of de instellingen onder `[channels.{0}]` kloppen en of de dienst te bereiken is, en probeer het opnieuw.",
                  "See whether the settings under `[channels.{0}]` are right and the service can be reached, and try again."),
    "never": Text("Kijk of het adres bij dit kanaal past, en probeer een ander.",
                  "See whether the address suits this channel, and try another."),
    "doubtful": Text("Kijk bij de ontvanger of het er is, voor u het opnieuw probeert.",
                     "See at the recipient whether it is there, before you try again."),
}  # fmt: skip


@click.group(
    "channel",
    help=say("Probeer een kanaal om mensen te bereiken.", "Try a channel by which people are reached."),
    epilog=example("sluis channel test mail --to beheer@voorbeeld.nl"),
)
def command() -> None:
    """Sends only what is asked for here; nothing of it is kept."""


@command.command(
    "test",
    help=say(
        "Stuur één proefbericht, en zeg wat er werd verstuurd en wat er terugkwam.",
        "Send one test message, and tell what was sent and what came back.",
    ),
    epilog=example("sluis channel test mail --to beheer@voorbeeld.nl"),
)
@click.argument("name")
@click.option(
    "--to",
    "lines",
    required=True,
    multiple=True,
    help=say("Adres; van een brief elke regel apart.", "Address; of a letter each line apart."),
)
@node_option
@json_option
@click.pass_context
def test(context: click.Context, name: str, lines: tuple[str, ...], directory: Path, as_json: bool) -> None:
    """Exit code 0 when the channel took it."""
    from sluis.serve import channel_of

    config = settings(directory, secrets=True)
    if name not in config.channels:
        raise _no_channel(name, config)
    outcome = asyncio.run(_sent(channel_of(name, config.channels[name], config), _parcel(lines, config)))
    told = [in_words(one) for one in outcome.told]
    if as_json:
        problem = outcome.trouble if isinstance(outcome, Failed) else None
        click.echo(
            json.dumps({"sent": problem is None, "trouble": problem, "told": told}, ensure_ascii=False)
        )
    else:
        for line in told:
            click.echo(f"  {line}")
        click.echo(_end(name, outcome))
    if isinstance(outcome, Failed):
        context.exit(EXIT_CODES[Refused if outcome.how == "never" else Upstream])


async def _sent(channel: Channel, parcel: Parcel) -> Sent | Failed:
    try:
        return await channel.send(parcel)
    except Failed as failed:
        return failed
    finally:
        await channel.close()


def _parcel(lines: tuple[str, ...], config: Config) -> Parcel:
    subject, text = in_words(_SUBJECT), in_words(_TEXT)
    language = config.node.language
    reference = secrets.token_hex(17)
    return Parcel(
        reference,
        lines,
        language,
        subject,
        f"{text}\n",
        f"<p>{text}</p>",
        text,
        config.node.name,
        int(time.time()),
    )


def _end(name: str, outcome: Sent | Failed) -> str:
    if isinstance(outcome, Failed):
        after = in_words(_NEXT[outcome.how]).format(name)
        return f"{in_words(_HOW[outcome.how])} ({outcome.trouble})\n{after}"
    named = say(f" Het kanaal noemt het {outcome.remote}.", f" The channel calls it {outcome.remote}.")
    return say("Het kanaal heeft het bericht.", "The channel has the message.") + (
        named if outcome.remote else ""
    )


def _no_channel(name: str, config: Config) -> NotFound:
    known = ", ".join(config.channels) or "–"
    return NotFound(
        "unknown-channel",
        Text(f"Kanaal `{name}` is er niet.", f"Channel `{name}` is not there."),
        Text(f"Onder `[channels]` staat: {known}.", f"Under `[channels]` stands: {known}."),
        Text("Kies een van deze, of zet het kanaal in `node.toml`.",
             "Choose one of these, or put the channel in `node.toml`."),
    )  # fmt: skip
