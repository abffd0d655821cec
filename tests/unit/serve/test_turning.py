"""The keys of tokens and assertions take turns in one place, whatever else a node does."""

from pathlib import Path

import pytest
from tests.attacks.test_signing_in import Site

from sluis.identity.tokens import Tokens


async def test_the_node_turns_the_keys_and_nobody_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned: list[Tokens] = []
    monkeypatch.setattr(Tokens, "turn", lambda tokens: turned.append(tokens))
    site = Site(tmp_path)
    try:
        assert site.node.portal is not None
        await site.node.portal.tidy()
        assert turned == []
        await site.node._turn_keys()
        assert turned == [site.node.parts.tokens]
    finally:
        await site.node.stop()
