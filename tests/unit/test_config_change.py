"""Settings that are changed in a file of people: those lines, and nothing else."""

import tomllib

import pytest

from sluis.config import with_settings
from sluis.kernel import Invalid

FILE = """# Van de gemeente (fictief)
[node]
name = "Gemeente"   # zoals op de gevel

[tls]
authorities = [
    "een.pem",  # van vroeger
    "twee#.pem",
] # hier
key = "tls/key.pem"

[[fsc.auto_sign]]
name = "publicaties"
"""


def test_only_the_lines_of_a_setting_change() -> None:
    changed = with_settings(FILE, {("tls", "key"): "fsc/key.pem"}, "node.toml")
    assert changed == FILE.replace('key = "tls/key.pem"', 'key = "fsc/key.pem"')


def test_the_comment_behind_a_setting_stays() -> None:
    changed = with_settings(FILE, {("node", "name"): "Stad #1"}, "node.toml")
    assert 'name = "Stad #1"  # zoals op de gevel\n' in changed


def test_a_list_over_lines_is_replaced_as_a_whole() -> None:
    changed = with_settings(FILE, {("tls", "authorities"): ["drie.pem"]}, "node.toml")
    assert 'authorities = ["drie.pem"]  # hier\nkey = "tls/key.pem"' in changed
    assert "een.pem" not in changed


def test_a_setting_that_is_not_there_comes_under_its_table_or_in_a_new_one() -> None:
    changed = with_settings(FILE, {("node", "alias"): "g", ("fsc", "group"): "g.toml"}, "node.toml")
    assert changed.startswith('# Van de gemeente (fictief)\n[node]\nalias = "g"\nname')
    assert changed.endswith('name = "publicaties"\n\n[fsc]\ngroup = "g.toml"\n')
    assert tomllib.loads(changed)["fsc"] == {"auto_sign": [{"name": "publicaties"}], "group": "g.toml"}


def test_a_value_that_is_there_already_changes_nothing() -> None:
    same = {("tls", "authorities"): ["een.pem", "twee#.pem"], ("node", "name"): "Gemeente"}
    assert with_settings(FILE, same, "node.toml") == FILE


def test_a_key_above_all_tables_is_changed_there() -> None:
    text = 'anchors = ["../a.pem"]\nid = "groep"\n\n[directory]\npeer = "1"\n'
    changed = with_settings(text, {("", "anchors"): ["a.pem"]}, "group.toml")
    assert changed == text.replace("../a.pem", "a.pem")


@pytest.mark.parametrize("text", ['fsc = { plane = "nginx" }\n', 'fsc.plane = "nginx"\n[node]\nx = 1\n'])
def test_what_only_a_person_can_change_is_told_and_not_guessed(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        with_settings(text, {("fsc", "group"): "g.toml"}, "node.toml")
    assert refused.value.code == "settings-by-hand"
    assert '[fsc] group = "g.toml"' in refused.value.next.nl
