"""One frozen tree from `node.toml` and SLUIS_* variables; production unless it says test."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from tests.unit.grounds.examples import DATASET, DAY, DISCLOSURE, OWNER, RECIPIENT, THIRD, write_node

from sluis.config import Address, Config, examine_node, load_config, load_node, read_group
from sluis.config.read import read_config
from sluis.kernel import Invalid

NODE = f"""\
[node]
oin = "{OWNER}"
name = "Voorbeelddienst (fictief)"
alias = "dienst"
url = "https://dienst.voorbeeld.nl:8443"

[peers.gemeente]
oin = "{RECIPIENT}"
name = "Gemeente Voorbeeld (fictief)"

[sources.main]
url = "postgresql://sluis@localhost/inkomen"

[people.anna]
os_user = "anna"
roles = ["consulent"]
"""


def node_file(directory: Path, text: str = NODE) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "node.toml").write_text(text)
    return directory / "node.toml"


def whole_node(directory: Path, text: str = NODE, **changed: str) -> Path:
    """A node directory in which nothing is wrong."""
    node_file(write_node(directory, **changed), text)
    (directory / "tls").mkdir(exist_ok=True)
    for name in ("certificate", "key", "authority"):
        (directory / "tls" / f"{name}.pem").touch()
    return directory


def found(file: Path, environ: dict[str, str] | None = None) -> list[tuple[str, str, int]]:
    problems = read_config(file, environ or {}, secrets=True)[1]
    return [(one.code, Path(one.place.file).name, one.place.line) for one in problems if one.place]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_production_is_the_default(tmp_path: Path) -> None:
    assert load_config(node_file(tmp_path), {}).node.environment == "production"


def test_a_test_node_says_so(tmp_path: Path) -> None:
    text = NODE.replace("[node]", '[node]\nenvironment = "test"')
    assert load_config(node_file(tmp_path, text), {}).node.test


def test_the_tree_is_frozen(tmp_path: Path) -> None:
    config = load_config(node_file(tmp_path), {})
    with pytest.raises(AttributeError):
        config.node.environment = "test"  # type: ignore[misc]
    assert all(
        kind.__struct_config__.frozen
        for kind in msgspec.Struct.__subclasses__()
        if "config" in kind.__module__
    )


def test_relative_paths_count_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = NODE + '\n[sources.klein]\nurl = "sqlite:///data/klein.db"\n[tls]\nkey = "/etc/key.pem"\n'
    node_file(tmp_path, text)
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("node.toml"), {})
    assert config.keys.directory == tmp_path / "keys"
    assert config.store.url == f"sqlite:///{tmp_path}/var/node.db"
    assert config.sources["klein"].url == f"sqlite:///{tmp_path}/data/klein.db"
    assert (config.tls.key, config.tls.authorities) == (
        Path("/etc/key.pem"),
        (tmp_path / "tls/authority.pem",),
    )


@pytest.mark.parametrize(
    ("variable", "value", "path", "expected"),
    [
        ("SLUIS_STORE_URL", "postgresql://x/y", "store.url", "postgresql://x/y"),
        ("SLUIS_MANAGER_PORT", "9000", "manager.port", 9000),
        ("SLUIS_LIMITS_QUESTION_SECONDS", "2.5", "limits.question_seconds", 2.5),
        ("SLUIS_NODE_ENVIRONMENT", "test", "node.environment", "test"),
        ("SLUIS_TLS_AUTHORITIES", "/a.pem, /b.pem", "tls.authorities", (Path("/a.pem"), Path("/b.pem"))),
    ],
)
def test_a_variable_overrides_its_setting(
    tmp_path: Path, variable: str, value: str, path: str, expected: object
) -> None:
    section, setting = path.split(".")
    config = load_config(node_file(tmp_path), {variable: value})
    assert getattr(getattr(config, section), setting) == expected


def test_a_variable_overrides_a_setting_of_a_named_source(tmp_path: Path) -> None:
    text = NODE.replace("[sources.main]", "[sources.Main-2]")
    config = load_config(node_file(tmp_path, text), {"SLUIS_SOURCES_MAIN_2_MAX_ROWS": "5"})
    assert config.sources["Main-2"].max_rows == 5


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("SLUIS_MANAGER_PROT", "9000", "unknown-setting"),
        ("SLUIS_SOURCES_OTHER_URL", "x", "unknown-setting"),
        ("SLUIS_MANAGER_PORT", "many", "wrong-type"),
        ("SLUIS_MANAGER_PORT", "99999", "wrong-value"),
        ("SLUIS_NODE_ENVIRONMENT", "Test", "wrong-value"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, code: str) -> None:
    assert found(node_file(tmp_path), {variable: value}) == [(code, f"${variable}", 0)]


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    assert found(node_file(tmp_path), {"SLUIS_NODE": "/x", "SLUIS_LANGUAGE": "nl", "SLUIS_TEST_X": "1"}) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("[node]", "[noed]", "unknown-key", "[noed]"),
        ('alias = "dienst"', 'alias = "De Dienst"', "wrong-value", "alias"),
        ("https://dienst", "http://dienst", "wrong-value", "url"),
        ('alias = "dienst"', 'alias = "gemeente"', "name-used-twice", "[peers.gemeente]"),
        (f'oin = "{RECIPIENT}"', f'oin = "{OWNER}"', "name-used-twice", None),
        ("[people.anna]", '[people.bob]\nos_user = "anna"\n[people.anna]', "name-used-twice", 'os_user = "anna"\nroles'),
        ("[people.anna]", '[ledger]\nwitnesses = ["gemeent"]\n[people.anna]', "unknown-peer", "witnesses"),
        ("sluis@localhost", "sluis:geheim@localhost", "password-in-file", "postgresql"),
        ("sluis@localhost", "sluis:${NERGENS}@localhost", "variable-not-set", "postgresql"),
        ('/inkomen"', '/inkomen"\npassword_file = "no"', "unreadable-file", "password_file"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, at: str | None
) -> None:
    assert old in NODE
    text = NODE.replace(old, new, 1)
    problems = found(node_file(tmp_path, text))
    if at is None:
        line = text[: text.index("[peers")].count("\n") + 2
    else:
        line = text[: text.index(at)].count("\n") + 1
    assert (code, "node.toml", line) in problems


def test_a_password_comes_from_a_file_only_when_asked(tmp_path: Path) -> None:
    text = NODE.replace('/inkomen"', '/inkomen"\npassword_file = "secret"')
    file = node_file(tmp_path, text)
    assert load_config(file, {}).sources["main"].url == "postgresql://sluis@localhost/inkomen"
    (tmp_path / "secret").write_text("p@ss/woord\n")
    assert (
        load_config(file, {}, secrets=True).sources["main"].url
        == "postgresql://sluis:p%40ss%2Fwoord@localhost/inkomen"
    )


def test_a_password_comes_from_the_environment(tmp_path: Path) -> None:
    text = NODE.replace("sluis@", "sluis:${DB_PASSWORD}@")
    config = load_config(node_file(tmp_path, text), {"DB_PASSWORD": "a b"}, secrets=True)
    assert config.sources["main"].url == "postgresql://sluis:a%20b@localhost/inkomen"


def test_a_password_is_never_shown() -> None:
    assert "geheim" not in repr(Address("postgresql://sluis:geheim@localhost/x"))
    assert Address("postgresql://sluis:geheim@localhost/x").masked == "postgresql://sluis:•••@localhost/x"


def test_a_log_has_a_name_of_its_own(tmp_path: Path) -> None:
    assert load_config(node_file(tmp_path), {}).log_origin == f"dienst.voorbeeld.nl/{OWNER}"


def test_a_whole_node_loads_and_has_no_problems(tmp_path: Path) -> None:
    directory = whole_node(tmp_path)
    assert examine_node(directory, {}, DAY) == ()
    node = load_node(directory, {}, DAY)
    assert (node.config.node.alias, len(node.grounds.disclosures)) == ("dienst", 1)


def test_a_missing_certificate_is_told(tmp_path: Path) -> None:
    (whole_node(tmp_path) / "tls/key.pem").unlink()
    assert [one.code for one in examine_node(tmp_path, {}, DAY)] == ["missing-file"]


@pytest.mark.parametrize(
    ("settings", "keys", "code"),
    [
        ('keys = "portaal.jwks"', None, "client-keys-unreadable"),
        ('keys = "portaal.jwks"', "{}", "client-misconfigured"),
        ('keys = "portaal.jwks"', '{"keys": []}', "client-misconfigured"),
        ('keys = "portaal.jwks"\npublic = true', '{"keys": []}', "client-misconfigured"),
        ("", None, "client-misconfigured"),
    ],
)
def test_a_portal_with_which_a_node_would_not_start_is_told_at_its_line(
    tmp_path: Path, settings: str, keys: str | None, code: str
) -> None:
    client = f'[clients.portaal]\ntitle = "Portaal"\nredirect_uris = ["https://portaal.example/terug"]\n{settings}\n'
    text = NODE.replace("[people.anna]", f"{client}[people.anna]")
    directory = whole_node(tmp_path, text)
    if keys is not None:
        (directory / "portaal.jwks").write_text(keys)
    line = line_of(text, "[clients.portaal]")
    problems = examine_node(directory, {}, DAY)
    assert [(one.code, one.place.line) for one in problems if one.place] == [(code, line)]


@pytest.mark.parametrize(
    "settings",
    [
        '[portal]\naddress = "https://mijn.voorbeeld.nl"\ncertificate = "no.pem"\n',
        '[trust.ander]\nissuer = "https://ander.example"\nkeys = "no.jwks"\n',
    ],
)
def test_a_missing_file_of_the_pages_or_of_another_provider_is_told(tmp_path: Path, settings: str) -> None:
    directory = whole_node(tmp_path, NODE.replace("[people.anna]", f"{settings}[people.anna]"))
    assert [one.code for one in examine_node(directory, {}, DAY)] == ["missing-file"]


def test_a_kind_of_source_that_does_not_exist_is_told_at_its_line(tmp_path: Path) -> None:
    wrong = NODE.replace("postgresql://", "postgrsql://")
    [problem] = examine_node(whole_node(tmp_path, wrong), {}, DAY)
    assert problem.code == "unknown-source-kind"
    assert problem.place is not None
    assert wrong.splitlines()[problem.place.line - 1] == 'url = "postgrsql://sluis@localhost/inkomen"'


def test_files_are_held_against_the_settings(tmp_path: Path) -> None:
    combined = DISCLOSURE.replace("[columns]", f'[aggregate]\nminimum = 5\ncombiner = "{THIRD}"\n\n[columns]')
    whole_node(tmp_path, dataset=DATASET.replace('"main"', '"mian"'), disclosure=combined)
    problems = examine_node(tmp_path, {}, DAY)
    assert [one.code for one in problems] == ["unknown-source", "unknown-peer"]
    assert problems[0].next.nl == "Bedoelde u `main`?"
    with pytest.raises(Invalid):
        load_node(tmp_path, {}, DAY)


def test_expiry_is_told_and_a_node_starts_all_the_same(tmp_path: Path) -> None:
    later = date(2030, 1, 1)
    assert [one.code for one in examine_node(whole_node(tmp_path), {}, later)] == ["expired-disclosure"]
    assert load_node(tmp_path, {}, later)


def test_one_file_is_held_against_the_others_and_only_its_own_problems_told(tmp_path: Path) -> None:
    whole_node(
        tmp_path,
        dataset=DATASET.replace('"main"', '"x"'),
        disclosure=DISCLOSURE.replace('"inkomen"', '"x"', 1),
    )
    (problem,) = examine_node(tmp_path / "disclosures/disclosure.toml", {}, DAY)
    assert problem.code == "unknown-dataset"
    assert problem.place is not None
    assert problem.place.file == str(tmp_path / "disclosures/disclosure.toml")


@pytest.mark.parametrize("name", ["disclosures/disclosure.toml", "x.toml"])
def test_one_file_outside_a_node_is_known_by_its_folder_or_content(tmp_path: Path, name: str) -> None:
    (tmp_path / "disclosures").mkdir()
    (tmp_path / name).write_text(DISCLOSURE.replace("version =", "verison ="))
    assert [one.code for one in examine_node(tmp_path / name, {}, DAY)] == ["missing-key", "unknown-key"]


def test_a_file_of_no_kind_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("a = 1")
    assert [one.code for one in examine_node(tmp_path / "x.toml", {}, DAY)] == ["unknown-file"]


def test_the_defaults_are_settings_too() -> None:
    required = {field.name for field in msgspec.structs.fields(Config) if field.required}
    assert required == {"node"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('rows = "jaar >= 2020"', 'rows = "jaren(jaar) > 1"', "expression-does-not-work"),
        ('rows = "jaar >= 2020"', 'rows = "jaar"', "expression-does-not-work"),
        ('rows = "jaar >= 2020"', 'rows = "jaar + bsn > 1"', "expression-does-not-work"),
        ("round(inkomen / 100) * 100", "'verborgen'", "expression-does-not-work"),
        ("round(inkomen / 100) * 100", "afgerond(inkomen)", "expression-does-not-work"),
        ("round(inkomen / 100) * 100", "NULL", None),
        ("round(inkomen / 100) * 100", "CASE WHEN inkomen > 0 THEN 1 END -- teken", None),
        ("round(inkomen / 100) * 100", "salaris", "expression"),
    ],
)
def test_the_owners_sql_is_tried_in_duckdb(tmp_path: Path, old: str, new: str, code: str | None) -> None:
    assert old in DISCLOSURE
    directory = whole_node(tmp_path, disclosure=DISCLOSURE.replace(old, new))
    assert [one.code for one in examine_node(directory, {}, DAY)] == ([code] if code else [])


GROUP = f"""\
id = "voorbeeld-groep"
anchors = ["autoriteit.pem"]

[directory]
peer = "{THIRD}"
address = "https://directory.voorbeeld.nl:8443"
"""


def test_the_rules_of_a_group_are_one_file_for_all_its_peers(tmp_path: Path) -> None:
    (tmp_path / "group.toml").write_text(GROUP)
    group = read_group(tmp_path / "group.toml")
    assert (group.id, group.directory.peer) == ("voorbeeld-groep", THIRD)
    assert group.anchors == (tmp_path / "autoriteit.pem",)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (('id = "voorbeeld-groep"', 'id = "met spatie"'), "group-rules"),
        ((':8443"', ':8444"'), "manager-address"),
        (("[directory]", "[directry]"), "missing-key"),
        ((f'peer = "{THIRD}"', 'peer = "12"'), "wrong-value"),
    ],
)
def test_rules_of_a_group_that_nobody_can_hold_to_are_refused(
    tmp_path: Path, change: tuple[str, str], code: str
) -> None:
    (tmp_path / "group.toml").write_text(GROUP.replace(*change))
    with pytest.raises(Invalid) as caught:
        read_group(tmp_path / "group.toml")
    assert caught.value.code == code


def test_two_listeners_cannot_have_the_same_address(tmp_path: Path) -> None:
    text = NODE + '\n[fsc]\ngroup = "group.toml"\n[inway]\nport = 8443\n'
    assert [code for code, _, _ in found(node_file(tmp_path, text))] == ["address-used-twice"]
    text = NODE + '\n[fsc]\ngroup = "group.toml"\n[inway]\nport = 8443\nhost = "127.0.0.2"\n'
    assert found(node_file(tmp_path, text)) == []


def test_names_under_which_peers_reach_a_node_follow_from_its_own(tmp_path: Path) -> None:
    config = load_config(node_file(tmp_path), {})
    assert config.manager_address == "https://dienst.voorbeeld.nl:8443"
    assert config.inway_address == "https://dienst.voorbeeld.nl:443"
