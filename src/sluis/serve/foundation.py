"""What every room of a node rests on: its certificate and keys, its database and log, and the point that decides."""

import msgspec

from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.crypto import FileKeyStore, KeyStore, Revocations
from sluis.grounds import Grounds
from sluis.kernel import Clock, Text, Unkept
from sluis.ledger import Ledger, open_ledger
from sluis.policy import DecisionPoint, Versions, open_versions
from sluis.serve.certificate import Certificate
from sluis.statement import Memory, open_memory
from sluis.store import Store, open_store
from sluis.web import Refusals


class Foundation(msgspec.Struct, frozen=True):
    """What rooms rest on.

    Args:
        loaded: settings and files.
        certificate: under which the node is known.
        revocations: which certificates of others are not taken any more.
        keys: its own.
        store: its database.
        ledger: its log.
        memory: of groups that were answered about.
        versions: the policies that ever decided.
        point: decides.
        refusals: puts those of callers on record.
        clock: aware UTC.
    """

    loaded: Loaded
    certificate: Certificate
    revocations: Revocations
    keys: KeyStore
    store: Store
    ledger: Ledger
    memory: Memory
    versions: Versions
    point: DecisionPoint
    refusals: Refusals
    clock: Clock

    @property
    def config(self) -> Config:
        """The settings."""
        return self.loaded.config

    @property
    def grounds(self) -> Grounds:
        """What data may move for."""
        return self.loaded.grounds


def keys_and_store(config: Config) -> tuple[KeyStore, Store]:
    """The keys and the database of a node. Raises `Unkept` where the one or the other cannot be used."""
    try:
        return FileKeyStore(config.keys.directory), open_store(config.store.url)
    except OSError as failure:
        raise _cannot_keep(failure) from None


def foundation_of(
    loaded: Loaded, certificate: Certificate, keys: KeyStore, store: Store, clock: Clock
) -> Foundation:
    """This, for a node. Blocks. Raises `Problem`: a log that another process writes, lists that cannot be read."""
    config = loaded.config
    revocations = Revocations(config.tls.crl, certificate.anchors, certificate.identity.chain[1:])
    newest = config.keys.directory / "newest.checkpoint"
    ledger = open_ledger(store, keys, config.log_origin, clock, memory=newest)
    versions = open_versions(store)
    versions.keep(loaded.policies, clock())
    return Foundation(
        loaded=loaded,
        certificate=certificate,
        revocations=revocations,
        keys=keys,
        store=store,
        ledger=ledger,
        memory=open_memory(store, keys),
        versions=versions,
        point=DecisionPoint(loaded.policies, config.node.alias, ledger, clock),
        refusals=Refusals(ledger, clock),
        clock=clock,
    )


def _cannot_keep(failure: OSError) -> Unkept:
    cause = failure.strerror or "?"
    return Unkept(
        "cannot-keep",
        Text("Dit knooppunt kan niet starten.", "This node cannot start."),
        Text(f"De map voor sleutels of database is niet te gebruiken: {cause}.",
             f"The directory for keys or database cannot be used: {cause}."),
        Text("Controleer pad, rechten en ruimte.", "Check path, permissions and space."),
    )  # fmt: skip
