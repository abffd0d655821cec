"""The owner's side of a node: its sources, what people allowed, and what answers others and counts that."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from sluis import disclose
from sluis.catalogue import Accepted
from sluis.config import Config
from sluis.disclose import Bounds, Discloser, Use, open_use
from sluis.events.standing import StandingQuestions, open_standing
from sluis.gateway import Agreed
from sluis.grounds import Grounds
from sluis.grounds.consents import Consents, open_consents
from sluis.kernel import milliseconds
from sluis.ledger import decisions
from sluis.serve.crossing import Crossing
from sluis.serve.events import EventRooms
from sluis.serve.foundation import Foundation
from sluis.serve.standing import OwnersSide
from sluis.sources import Source, open_source
from sluis.statement import Combiner


class Answering(msgspec.Struct, frozen=True):
    """What answers.

    Args:
        sources: by name.
        consents: that opens rows one by one.
        discloser: answers questions.
        use: counts what was answered.
    """

    sources: Mapping[str, Source]
    consents: Consents
    discloser: Discloser
    use: Use


def answering_of(base: Foundation, crossing: Crossing, combiner: Combiner, terms: Accepted) -> Answering:
    """This, for a node. Blocks. Raises `Problem`."""
    config, grounds, own = base.config, base.grounds, base.config.node
    sources = {name: open_source(source.url, source.pool_size) for name, source in config.sources.items()}
    kept = timedelta(days=config.consents.keep_days)
    consents = open_consents(base.store, base.ledger, base.keys, grounds, base.clock, kept)
    discloser = Discloser(
        own=own.oin,
        alias=own.alias,
        grounds=grounds,
        sources=sources,
        log=base.ledger,
        memory=base.memory,
        keys=base.keys,
        card=crossing.card,
        card_of=crossing.card_of,
        combiner=combiner,
        address=crossing.address,
        point=base.point,
        clock=base.clock,
        bounds=_bounds(config),
        contracts=crossing.membership is not None,
        consents=consents,
        terms=terms.lacking,
    )
    if any(one.questions_per_hour is not None for one in grounds.disclosures):
        since = milliseconds(base.clock() - timedelta(hours=1))
        discloser.recall(found for one in decisions(base.store, since) if (found := disclose.permit(one)))
    use = open_use(base.store, base.ledger, own.oin, _known_here(grounds))
    return Answering(sources, consents, discloser, use)


def standing_of(
    base: Foundation, crossing: Crossing, discloser: Discloser, events: EventRooms
) -> StandingQuestions:
    """The questions that others left standing here. Blocks."""
    membership, own = crossing.membership, base.config.node
    return open_standing(
        base.store,
        base.ledger,
        base.keys,
        OwnersSide(discloser, base.keys.public),
        Agreed(membership.contracts.allowed, base.clock) if membership else None,
        events.subscriptions,
        events.queue,
        own.oin,
        crossing.address,
        own.alias,
        base.clock,
    )


def _known_here(grounds: Grounds) -> frozenset[str]:
    """The datasets and activities that are counted by name."""
    return frozenset([one.name for one in grounds.datasets] + [one.id for one in grounds.activities])


def _bounds(config: Config) -> Bounds:
    """What a question may cost here: where sources differ, what the strictest allows."""
    sources = list(config.sources.values())
    if not sources:
        return Bounds()
    seconds = min(source.timeout_seconds for source in sources)
    return Bounds(seconds=seconds, scanned_rows=min(source.max_rows for source in sources))
