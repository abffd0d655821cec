"""People, organisations, representation, sign-in, tokens, sessions."""

__all__: list[str] = []
