"""Oversight of a node, from its settings and rooms; and in words how the node protects what it does, as far as its settings say."""

from collections.abc import Callable, Sequence
from datetime import date

from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.disclose import Use
from sluis.gateway import Operator
from sluis.kernel import Clock, PeerId, Text
from sluis.ledger import Anchors, Ledger
from sluis.oversight import Agreement, Given, Organisation, Oversight, Through
from sluis.policy import Versions
from sluis.store import Store

_MOST = 200_000  # counts: five weeks of a thousand agreements that are used every day, and more


def oversight_of(
    loaded: Loaded,
    store: Store,
    ledger: Ledger,
    versions: Versions,
    anchors: Anchors,
    operator: Operator | None,
    use: Use,
    name: Callable[[PeerId], str],
    clock: Clock,
) -> Oversight:
    """What the privacy officer and the auditor of a node work with.

    Args:
        loaded: what `config.load_node` read.
        store: of the node.
        ledger: of the node.
        versions: the policies that ever decided.
        anchors: timestamps of checkpoints.
        operator: tells of contracts; None where there is no group.
        use: counts what was used of this node's data.
        name: what organisations are called.
        clock: aware UTC.
    """
    config = loaded.config

    async def agreements() -> Sequence[Agreement]:
        assert operator is not None
        return [
            Agreement(one.contract, one.purpose, one.disclosures, one.notices)
            for one in await operator.granted()
        ]

    def uses(activity: str, since: date, until: date) -> Sequence[Through]:
        totals = use.totals(since, until, by=("peer", "disclosure"), only={"activity": activity})
        return [
            Through(one.peer or "", one.disclosure or "", one.questions, one.persons, one.refused)
            for one in totals
        ]

    def gave(since: date, until: date) -> Sequence[Given]:
        totals = use.totals(since, until, by=("day", "peer", "activity"), most=_MOST)
        return [Given(one.day, one.peer or "", one.activity or "", one.persons) for one in totals if one.day]

    of = Organisation(config.node.oin, config.node.name, security_of(config, operator is not None))
    agreed = agreements if operator is not None else None
    return Oversight(
        of,
        loaded.grounds,
        name,
        agreed,
        store,
        ledger,
        versions,
        anchors,
        loaded.directory,
        clock,
        uses,
        gave,
    )


def security_of(config: Config, in_group: bool) -> tuple[Text, ...]:
    """How a node protects what it does, as its settings are."""
    made = [
        Text("Gegevens blijven bij de bron; per vraag gaat alleen wat een verstrekking opent.",
             "Data stays at its source; a question gets only what a disclosure opens."),
        Text("Elke raadpleging staat in een logboek dat niemand ongemerkt verandert, met pseudoniemen in plaats van nummers.",
             "Every consultation is in a log that nobody changes unnoticed, with pseudonyms instead of numbers."),
        Text("Elk besluit is vastgelegd met de regels van toen, en is over te doen.",
             "Every decision is on record with the policies of then, and can be made again."),
    ]  # fmt: skip
    if in_group:
        made.append(Text("Organisaties bereiken elkaar alleen met certificaten aan beide kanten (mTLS) en onder een contract dat beide tekenden (FSC).",
                         "Organisations reach each other only with certificates on both sides (mTLS) and under a contract that both signed (FSC)."))  # fmt: skip
    if config.ledger.witnesses:
        count = len(config.ledger.witnesses)
        made.append(Text(f"Het logboek wordt meegetekend door getuigen bij andere organisaties: {count}.",
                         f"The log is cosigned by witnesses at other organisations: {count}."))  # fmt: skip
    if config.anchor.url is not None:
        made.append(Text(f"Elke {config.anchor.hours} uur zet een tijdstempelautoriteit de tijd onder het logboek (RFC 3161).",
                         f"Every {config.anchor.hours} hours a timestamping authority stamps the log (RFC 3161)."))  # fmt: skip
    if config.signin:
        made.append(Text("Mensen loggen in bij een erkende dienst, met een betrouwbaarheidsniveau.",
                         "People sign in with a recognised service, at a level of assurance."))  # fmt: skip
    return tuple(made)
