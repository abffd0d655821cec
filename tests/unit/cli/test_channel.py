"""`sluis channel test` sends one message and tells, in words, what was sent and what came back."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from click.testing import CliRunner
from tests.unit.contact.mailserver import Post, post_office

from sluis.cli import main

NODE = """
[node]
oin = "00000001000000000001"
name = "Voorbeelddienst (fictief)"
alias = "dienst"
url = "https://dienst.voorbeeld.nl:8443"
environment = "test"

[channels.mail]
kind = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "post@dienst.example"
"""


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A mail server beside the command, on a thread of its own."""
    taking, ended = Post(), threading.Event()
    ports: Queue[int] = Queue()

    async def serve() -> None:
        async with post_office(taking) as port:
            ports.put(port)
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    (tmp_path / "node.toml").write_text(NODE.format(port=ports.get(timeout=10)), encoding="utf-8")
    yield taking
    ended.set()
    thread.join()


def run(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--language", "nl", "channel", "test", *words, "--node", str(folder)])
    return result.exit_code, result.output


def test_what_was_sent_and_what_came_back_is_told(post: Post, tmp_path: Path) -> None:
    code, said = run(tmp_path, "mail", "--to", "beheer@voorbeeld.nl")
    assert code == 0
    assert "De server nam het bericht aan: 250 2.0.0 taken" in said
    assert said.endswith("Het kanaal heeft het bericht.\n")
    assert post.taken[0].rcpt_tos == ["beheer@voorbeeld.nl"]


def test_what_a_channel_refuses_is_told_too(post: Post, tmp_path: Path) -> None:
    post.recipient.append("550 5.1.1 no such user")
    code, said = run(tmp_path, "mail", "--to", "niemand@voorbeeld.nl")
    assert code == 3
    assert "De server antwoordde bij 'recipient': 550 5.1.1 no such user" in said
    assert "(no-such-address)" in said
    assert post.taken == []


def test_the_same_as_json(post: Post, tmp_path: Path) -> None:
    post.recipient.append("550 5.1.1 no such user")
    code, said = run(tmp_path, "mail", "--to", "niemand@voorbeeld.nl", "--json")
    told = json.loads(said)
    assert (code, told["sent"], told["trouble"]) == (3, False, "no-such-address")
    assert told["told"]


def test_a_channel_that_is_not_there_is_told(post: Post, tmp_path: Path) -> None:
    code, said = run(tmp_path, "duif", "--to", "x")
    assert code == 4
    assert "mail" in said


def test_a_server_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(NODE.format(port=1), encoding="utf-8")  # where nobody listens
    code, said = run(tmp_path, "mail", "--to", "beheer@voorbeeld.nl")
    assert code != 0
    assert "127.0.0.1:1 " in said
    assert said.endswith("probeer het opnieuw.\n")
    assert "[channels.mail]" in said
