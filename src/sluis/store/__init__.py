"""The node's own database: SQLite beside the process or PostgreSQL on a server, with one SQL layer over both."""

from sluis.store.commit import Commit
from sluis.store.engine import Store, open_store
from sluis.store.files import write_durably
from sluis.store.migrations import Migration, migrate
from sluis.store.writer import unkept

__all__ = [
    "Commit",
    "Migration",
    "Store",
    "migrate",
    "open_store",
    "unkept",
    "write_durably",
]
