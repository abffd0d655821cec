"""axe-core, and which of its rules a page is held to: WCAG 2.2, levels A and AA."""

import json
from pathlib import Path

AXE = (Path(__file__).parent / "vectors/axe-core/axe.min.js").read_text(encoding="utf-8")
"""Its script; makes `axe` in a page."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

RUN = f"axe.run({{runOnly: {json.dumps(_RULES)}, resultTypes: ['violations'], preload: false}})"
"""A promise of what it finds: what is wrong wholly, of what is right an example. No rule among these reads style sheets again."""
