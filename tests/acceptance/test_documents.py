"""The README and the tutorials do what they say: every command in them is run, in order.

A fenced block is marked `sh`; the word behind that says what to expect: `demo` and `serve` start something that stays
up, `refused` is answered with a refusal.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFUSED = 3
_BLOCK = re.compile(r"^```sh ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str) -> list[tuple[str, str]]:
    """The marks and texts of the blocks, as this test runs them: with the programs of this environment."""
    text = (ROOT / document).read_text(encoding="utf-8")
    programs = f"{sys.prefix}/bin/"
    return [(mark, block.replace(".venv/bin/", programs)) for mark, block in _BLOCK.findall(text)]


def run(block: str, folder: Path, code: int = 0) -> str:
    environment = {**os.environ, "SLUIS_LANGUAGE": "nl"}
    done = subprocess.run(
        ["bash", "-euc", block],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@contextmanager
def staying(command: str, folder: Path, sign: str) -> Iterator[None]:
    """Something that stays up: begun, and seen to say `sign`."""
    with subprocess.Popen(
        ["bash", "-euc", f"exec {command}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen = ""
        try:
            for line in process.stdout:
                seen += line
                if sign in line:
                    break
            assert sign in seen, seen
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
    assert process.returncode == 0


def test_every_make_command_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"make (\w+)", text)) <= targets


def test_a_first_own_source_goes_as_the_tutorial_says(tmp_path: Path) -> None:
    port = free_port()
    before: list[str] = []
    after: list[str] = []
    serve = ""
    for mark, block in blocks("docs/tutorial/first-own-source.md"):
        if mark == "serve":
            serve = block.strip()
        else:
            (after if serve else before).append(
                block.replace("--alias permits", f"--alias permits --url https://localhost:{port}")
            )
    for block in before:
        run(block, tmp_path)
    with staying(serve, tmp_path, '"ready"'):
        answers = [run(block, tmp_path) for block in after]
    assert "dormer window" in answers[0]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_links_in_the_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path}: {link}"
