"""Access tokens of FSC: bound to the outway's certificate, made for one grant, good for a minute (Core 2.0.0)."""

from sluis.gateway.tokens.cache import Recent, Tokens
from sluis.gateway.tokens.model import SECONDS, Claims, Token
from sluis.gateway.tokens.rules import check, check_again, invalid, issue, read_token

__all__ = [
    "SECONDS",
    "Claims",
    "Recent",
    "Token",
    "Tokens",
    "check",
    "check_again",
    "invalid",
    "issue",
    "read_token",
]
