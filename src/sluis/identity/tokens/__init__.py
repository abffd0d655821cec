"""Tokens that this node signs: access, identity, sign-out, and assertions about a person for one organisation."""

from sluis.identity.tokens.model import ID_TYPES, Access, Asserted, IdType
from sluis.identity.tokens.service import Tokens, open_tokens

__all__ = ["ID_TYPES", "Access", "Asserted", "IdType", "Tokens", "open_tokens"]
