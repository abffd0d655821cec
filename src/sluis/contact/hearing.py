"""What channels say afterwards of what they took: that it was delivered, or read, or came back."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection

from sluis.contact import sql
from sluis.contact.channels.base import Channel, Failed, Report, Waiting
from sluis.contact.keeping import Keeping, Place, with_state
from sluis.contact.model import TRY
from sluis.kernel import Clock, cause_of
from sluis.store import Store

log = logging.getLogger("sluis.contact")

_LONGEST = 60 * 86_400  # seconds that a report may still come
_TURNS: Final = ((sql.UNDER_WAY, 30), (sql.UNREAD, 10))
"""What is asked of a channel in one round. Each round goes on where the last one ended, and begins again at the end: none is
forgotten, however many there are, and what decides about the next channel comes round soonest."""


class Hearing:
    """The reports of channels.

    Args:
        store, keeping: where tries are.
        channels: by name.
        clock: aware UTC.
    """

    def __init__(self, store: Store, keeping: Keeping, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._store, self._keeping, self._channels, self._clock = store, keeping, channels, clock
        self._asked: dict[tuple[str, str], Place] = {}

    async def take(self, channel: str, reports: Sequence[Report]) -> None:
        """Keep what a channel says of what it took itself; durable when this returns. Raises `Unkept`."""
        for report in reports:
            await self._store.write(partial(self._take, channel=channel, report=report))

    async def listen(self, name: str) -> None:
        """Hear of a channel what became of what it took."""
        channel = self._channels[name]
        try:
            waiting = await asyncio.to_thread(self._under_way, name)
            reports = await channel.reports(waiting)
            await self.take(name, [one for one in reports if one.reference])
            if reports:
                await channel.heed(reports)
        except Failed as failed:
            log.warning("channel %s tells nothing: %s", name, failed.trouble)
        except Exception as failure:  # the others go on being heard
            log.error("channel %s tells nothing: %s", name, cause_of(failure))

    def _under_way(self, channel: str) -> list[Waiting]:
        with self._store.read() as connection:
            return [one for turn, most in _TURNS for one in self._next(connection, channel, turn, most)]

    def _next(self, connection: Connection, channel: str, turn: str, most: int) -> list[Waiting]:
        begin = (int(self._clock().timestamp()) - _LONGEST, "", 0)
        after = max(begin, self._asked.get((channel, turn), begin))
        found = self._keeping.under_way(connection, turn, channel, after, most)
        self._asked[channel, turn] = found[-1][1] if len(found) == most else begin
        return [waiting for waiting, _ in found]

    def _take(self, connection: Connection, channel: str, report: Report) -> None:
        tried, now = self._keeping.tried(connection, report.reference), int(self._clock().timestamp())
        # Who knows the reference of one try can tell those of the others of the same message.
        if tried is None or tried.channel != channel or report.state not in TRY[tried.state]:
            return
        self._keeping.keep_try(connection, with_state(tried, report.state, now, trouble=report.trouble))
        # What this means is decided at the next look, which is now.
        self._keeping.set_message(connection, tried.message, "open", now)
