"""How many questions an hour allows is not forgotten by a node that starts again."""

from pathlib import Path

from tests.integration.pair import Pair


def test_starting_again_gives_nobody_a_new_hour(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    disclosure = pair.owner / "disclosures" / "personen.toml"
    disclosure.write_text(disclosure.read_text() + "questions_per_hour = 2\n")
    pair.start()
    try:
        assert [pair.ask()[0] for _ in range(2)] == [200, 200]
        assert pair.end() == [0, 0]
        pair.start()
        status, problem = pair.ask()
        assert (status, problem["rule"]) == (403, "rate")
    finally:
        pair.end()
