"""The published API document follows the API Design Rules, by the linter that the rules themselves publish."""

import json
import os
import subprocess
from pathlib import Path

from tests.conftest import SHARED
from tests.servers import missing, node_path

from sluis.serve import published

ROOT = Path(__file__).resolve().parents[2]
SPECTRAL = ROOT / "node_modules" / ".bin" / "spectral"
RULES = Path("specs/standards/adr/adr-2.2-spectral-ruleset.yaml")


def lint(document: Path) -> "subprocess.CompletedProcess[str]":
    """Run the linter; it needs no network."""
    if SHARED is None or not (SHARED / RULES).exists():
        missing("the rule set of the API Design Rules does not lie beside the checkout")
    if not SPECTRAL.exists():
        missing("Spectral is not installed: tools/setup tests")
    path = f"{node_path().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [
        str(SPECTRAL),
        "lint",
        "--fail-severity",
        "warn",
        "--ruleset",
        str(SHARED / RULES),
        str(document),
    ]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
    )


def test_published_document_breaks_no_design_rule(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(published().document()))
    result = lint(path)
    assert result.returncode == 0, result.stdout


def test_linter_finds_what_breaks_the_rules(tmp_path: Path) -> None:
    document = published().document()
    document["paths"]["/Not_Kebab"] = {"get": {"responses": {"200": {"description": "no version header"}}}}
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    result = lint(path)
    assert result.returncode == 1
    assert "kebab" in result.stdout
    assert "missing-header" in result.stdout
