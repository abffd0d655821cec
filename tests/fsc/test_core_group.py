"""Core 2.0.0 sections 1.3.2 and 4.1: what a group decides on, and what the product refuses to run without."""

import pytest
from tests.fsc.authority import Authority
from tests.fsc.musts import holds
from tests.fsc.product import accepts_group

pytestmark = pytest.mark.fsc


@pytest.fixture
def rules(authority: Authority) -> dict[str, object]:
    """The rules of a group that decided on all it must."""
    directory = {"peer": "00000001888888888888", "address": "https://127.30.0.2:8443"}
    return {"id": "fictieve-groep.test", "anchors": [str(authority.root_file)], "directory": directory}


def test_good_rules_are_accepted(rules: dict[str, object]) -> None:
    assert accepts_group(**rules)


@holds("core-4.1.2-group-id")
@pytest.mark.parametrize("name", ["a", "A.b/c_d-9", "x" * 100])
def test_4_1_2_a_group_id_that_is_allowed(rules: dict[str, object], name: str) -> None:
    assert accepts_group(**{**rules, "id": name})


@holds("core-4.1.2-group-id")
@pytest.mark.parametrize("name", ["", "x" * 101, "a b", "é", "a\n", "a$", "a:b"])
def test_4_1_2_a_group_id_of_another_form_is_refused(rules: dict[str, object], name: str) -> None:
    assert not accepts_group(**{**rules, "id": name})


@holds("core-1.3.2-decisions")
@pytest.mark.parametrize("missing", ["id", "anchors", "directory"])
def test_1_3_2_a_group_has_decided(rules: dict[str, object], missing: str) -> None:
    assert not accepts_group(**{name: value for name, value in rules.items() if name != missing})


@holds("core-1.3.2-decisions", "core-4.1.5-anchors")
def test_1_3_2_a_group_has_an_anchor(rules: dict[str, object]) -> None:
    assert not accepts_group(**{**rules, "anchors": []})


@holds("core-4.1.1-ports", "core-1.3.2-decisions")
@pytest.mark.parametrize("ports", [[], [0], [65536], [8444], [22]])
def test_4_1_1_management_is_on_443_or_8443(rules: dict[str, object], ports: list[int]) -> None:
    assert not accepts_group(**{**rules, "ports": ports})


@holds("core-4.1.6.1-tls")
@pytest.mark.parametrize("version", ["1.0", "1.1", "", "1"])
def test_4_1_6_1_a_group_does_not_choose_old_tls(rules: dict[str, object], version: str) -> None:
    assert not accepts_group(**{**rules, "tls": version})
