"""Tokens that this node signs: access, identity, sign-out, and assertions about a person for one organisation."""

from sluis.identity.tokens.model import ACCESS_SECONDS, ID_TYPES, LOGOUT_EVENT, Access, Asserted, IdType
from sluis.identity.tokens.service import Tokens, draw_jti, open_tokens

__all__ = [
    "ACCESS_SECONDS",
    "ID_TYPES",
    "LOGOUT_EVENT",
    "Access",
    "Asserted",
    "IdType",
    "Tokens",
    "draw_jti",
    "open_tokens",
]
