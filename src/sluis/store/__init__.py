"""The node's own database: SQLite beside the process or PostgreSQL on a server, with one SQL layer over both."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.store.commit import Commit, insert_values
    from sluis.store.engine import Store, open_store, see_through
    from sluis.store.files import write_durably
    from sluis.store.migrations import Migration, check_migrated, migrate
    from sluis.store.once import Once, open_once
    from sluis.store.outbox import Message, Outbox, Waiting, open_outbox
    from sluis.store.writer import attempt, unkept
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "Commit",
    "Message",
    "Migration",
    "Once",
    "Outbox",
    "Store",
    "Waiting",
    "attempt",
    "check_migrated",
    "insert_values",
    "migrate",
    "open_once",
    "open_outbox",
    "open_store",
    "see_through",
    "unkept",
    "write_durably",
]
