"""The reference page for who writes policies: its examples are right, and it names what there is."""

import re
from pathlib import Path

import pytest
from tests.unit.policy.samples import NOW

from sluis.grounds import Grounds
from sluis.identity.people.model import Facts
from sluis.identity.people.rules import properties
from sluis.kernel import Acting
from sluis.policy import STANDARD, examine_own, person, policies_of, read_own, try_cases
from sluis.policy.cedar import read_policies
from sluis.policy.engine import _OWN, Engine
from sluis.policy.http import _ENDPOINTS, WELL_KNOWN
from sluis.policy.rules import _STEPS

PAGE = (Path(__file__).parents[3] / "docs/reference/policy.md").read_text()


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_its_examples_are_read_and_their_tests_come_out(tmp_path: Path) -> None:
    for name, language in (("a.cedar", "cedar"), ("entities.json", "json"), ("a.test.toml", "toml")):
        (tmp_path / name).write_text(blocks(language))
    own = read_own(tmp_path)
    policies = policies_of(own, Grounds(), "dienst", False)
    assert examine_own(own, policies, lambda: NOW) == ()
    assert len(list(try_cases(own, Engine(policies), lambda: NOW))) == 4


@pytest.mark.parametrize("name", sorted(_OWN))
def test_it_names_all_that_policies_find_in_the_context(name: str) -> None:
    assert f"| `context.{name}` |" in PAGE


@pytest.mark.parametrize("rule", [*dict(_STEPS), "no-policy", "policy-failed"])
def test_it_names_every_reason_to_refuse(rule: str) -> None:
    assert f"| `{rule}` |" in PAGE


@pytest.mark.parametrize("path", [WELL_KNOWN, *(path for _, path in _ENDPOINTS.values())])
def test_it_names_every_address(path: str) -> None:
    assert f" {path}` |" in PAGE


def test_it_names_every_action_that_a_node_permits() -> None:
    standard = [one for file, text in STANDARD.items() for one in read_policies(text, file)]
    named = {action for one in standard for action in one.actions} | {"consult", "autosign_contract"}
    assert [name for name in sorted(named) if f"`{name}`" not in PAGE] == []


def test_it_names_all_that_policies_find_of_a_person() -> None:
    acting = Acting("p", "urn:nl:kvk:90000003", "urn:nl:kvk:90000010")
    represents = properties(acting, NOW, Facts())
    told = person(acting, "-", audience="company", level="low", represents=represents).properties
    assert [name for name in told if f"| `principal.{name}` |" not in PAGE] == []
