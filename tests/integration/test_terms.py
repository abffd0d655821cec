"""Where an owner requires it, a question is answered only after the asker's organisation accepted the terms, over the gateway."""

import asyncio
from pathlib import Path
from typing import Any

from tests.integration.nodes import ASKER, OWNER, until
from tests.integration.pair import Pair
from tests.unit.catalogue.examples import write
from tests.unit.catalogue.test_files import WHOLE

DESCRIPTION = """
kind = "dataset"
name = "personen"
published = true
[terms]
version = "2026-1"
text = { nl = "Alleen voor het doel.", en = "For the purpose alone." }
required = true
"""


def on(node: Any, work: Any) -> Any:
    """What a node does, on its own loop."""
    return asyncio.run_coroutine_threadsafe(work, node._loop).result(60)


def test_a_question_waits_for_the_terms_to_be_accepted(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    write(pair.owner, "catalogue.toml", WHOLE)
    write(pair.owner, "descriptions/personen.toml", DESCRIPTION)
    pair.start()
    owner, asker = pair.running
    try:
        status, refused = pair.ask()
        assert "terms-not-accepted" in str(refused), (status, refused)
        parts = asker.node.parts  # type: ignore[union-attr]
        until(lambda: OWNER not in parts.harvester.lacking(), 60)  # it reads the catalogue by itself
        (found,) = [one for one in parts.harvester.found() if one.peer == OWNER]
        (entry,) = [one for one in found.entries if one.kind == "dataset"]
        assert entry.terms is not None
        assert (entry.terms.version, entry.terms.required, entry.terms.text.nl) == (
            "2026-1",
            True,
            "Alleen voor het doel.",
        )
        on(asker, parts.terms.accept("p-1", "Fenna", OWNER, entry.iri, entry.title, entry.terms))
        until(lambda: parts.terms.every("given")[0].told is not None, 60)
        (received,) = owner.node.parts.terms.every("received")  # type: ignore[union-attr]
        assert (received.peer, received.digest) == (ASKER, entry.terms.digest)
        status, answer = pair.ask()
        assert (status, "Ann" in str(answer)) == (200, True), answer
    finally:
        pair.end()
