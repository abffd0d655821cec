"""Passkeys and digital passports, from a node's settings."""

import msgspec

from sluis.config import Config
from sluis.config.model import PassportIssuerConfig, PassportWayConfig
from sluis.crypto import KeyStore, read_certificates, read_pair
from sluis.identity import passkeys, passport
from sluis.identity.passport import Fetching, Issuer, Passports, Signer, StatusLists, Verifier
from sluis.identity.sessions import Current
from sluis.kernel import Clock, Text
from sluis.ledger import Ledger
from sluis.store import Store


def passkeys_of(
    config: Config, store: Store, ledger: Ledger, keys: KeyStore, clock: Clock, current: Current
) -> passkeys.Passkeys | None:
    """Passkeys of staff; None where staff have no other way of signing in. Raises `Problem`."""
    if config.portal.address is None or all(way.audience != "staff" for way in config.signin.values()):
        return None
    settings = passkeys.settings_of(
        config.portal.address, config.node.name, **msgspec.structs.asdict(config.passkeys)
    )

    return passkeys.open_passkeys(store, ledger, keys, clock, settings, current)


def passports_of(config: Config, clock: Clock) -> Passports | None:
    """Digital passports; None where nobody signs in with one. Raises `Problem`."""
    address, settings, test = config.portal.address, config.passport, config.node.test
    if address is None or not settings.ways:
        return None
    signer = Signer(
        *read_pair(
            settings.certificate or config.portal.certificate or config.tls.certificate,
            settings.key or config.portal.key or config.tls.key,
        )
    )
    verifier = Verifier(
        address=address.rstrip("/"),
        name=config.node.name,
        signer=signer,
        mode="direct_post.jwt" if settings.encrypted else "direct_post",
        wallet=settings.wallet,
        test=test,
    )
    issuers = [_issuer(name, one) for name, one in settings.issuers.items()]
    ways = {name: _way(name, one) for name, one in settings.ways.items()}
    statuses = StatusLists(Fetching(settings.authorities), clock, test)
    return Passports(verifier, issuers, ways, statuses, clock)


def _issuer(name: str, settings: PassportIssuerConfig) -> Issuer:
    anchors = tuple(one for file in settings.certificates for one in read_certificates(file))
    status = tuple(host.rstrip("/") for host in settings.status)
    return Issuer(name, settings.title, anchors, frozenset(settings.types), settings.identifier, status)


def _way(name: str, settings: PassportWayConfig) -> passport.Way:
    return passport.Way(
        name=name,
        title=Text(settings.title, settings.title),
        audience=settings.audience,
        type=settings.type,
        claims={
            what: tuple(tuple(path.split(".")) for path in paths) for what, paths in settings.claims.items()
        },
        level=settings.level,
        why=Text(settings.why, settings.why),
    )
