"""What the reference says of own policies: every action of a node is in it, and its example does what it says."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sluis.grounds import Grounds
from sluis.policy import STANDARD, Engine, policies_of, read_own, try_cases
from sluis.policy.cedar import read_policies

PAGE = (Path(__file__).parents[3] / "docs/reference/policies.md").read_text(encoding="utf-8")


def test_the_example_is_read_and_its_test_comes_out(tmp_path: Path) -> None:
    [cedar], [test] = (re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) for kind in ("cedar", "toml"))
    (tmp_path / "example.cedar").write_text(cedar)
    (tmp_path / "example.test.toml").write_text(test)
    own = read_own(tmp_path)
    assert own.problems == ()
    [tried] = try_cases(
        own, Engine(policies_of(own, Grounds(), "own", contracts=False)), lambda: datetime.now(UTC)
    )
    assert tried.problem is None


def test_every_action_that_a_node_permits_is_in_the_reference() -> None:
    standard = [one for file, text in STANDARD.items() for one in read_policies(text, file)]
    named = {action for one in standard for action in one.actions} | {"consult", "autosign_contract"}
    assert [name for name in sorted(named) if f"`{name}`" not in PAGE] == []
