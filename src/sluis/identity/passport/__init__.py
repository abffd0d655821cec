"""Digital passport: signing in with what somebody has in a wallet (OpenID4VP, SD-JWT VC)."""

from sluis.identity.passport.fetching import Fetching
from sluis.identity.passport.http import routes, ways
from sluis.identity.passport.model import Issuer, Path, Signer, Way
from sluis.identity.passport.service import Passports, Verifier
from sluis.identity.passport.status import StatusLists

__all__ = [
    "Fetching",
    "Issuer",
    "Passports",
    "Path",
    "Signer",
    "StatusLists",
    "Verifier",
    "Way",
    "routes",
    "ways",
]
