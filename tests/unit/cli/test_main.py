"""The command line starts fast, speaks two languages, and turns a problem into words and an exit code."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sluis import cli
from sluis.cli import terminal
from sluis.kernel import (
    Conflict,
    Invalid,
    NotFound,
    Place,
    Problem,
    Refused,
    Text,
    Unidentified,
    Unkept,
    Upstream,
)

TEXTS = Text("Wat er is.", "What it is."), Text("Waarom.", "Why."), Text("Doe dit.", "Do this.")


@pytest.fixture(autouse=True)
def _no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLUIS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG", "SLUIS_NODE"):
        monkeypatch.delenv(name, raising=False)
    terminal.choose_language(None)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """Puts a command `check` that raises the first problem of this list in place of the real one."""
    problems: list[Problem] = []

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:
        raise problems[0]

    monkeypatch.setattr("sluis.cli.check.command", command)
    return problems


@pytest.mark.parametrize(
    ("kind", "code"),
    [(Invalid, 2), (Refused, 3), (Unidentified, 3), (NotFound, 4), (Conflict, 5), (Upstream, 6), (Unkept, 6)],
)
def test_each_kind_of_problem_has_its_exit_code(
    failing: list[Problem], kind: type[Problem], code: int
) -> None:
    failing.append(kind("x", *TEXTS))
    assert CliRunner().invoke(cli.main, ["check"]).exit_code == code


def test_a_problem_reads_as_place_what_why_next_and_law(failing: list[Problem]) -> None:
    failing.append(Refused("x", *TEXTS, legal="AVG, art. 6", peer="UWV", place=Place("a.toml", 3)))
    result = CliRunner().invoke(cli.main, ["check"])
    assert result.stdout == ""
    assert result.stderr == (
        "a.toml:3: Wat er is.\n  Waarom.\n  Grond: AVG, art. 6.\n  Organisatie: UWV.\n  → Doe dit.\n"
    )


def test_a_problem_is_json_when_json_was_asked(failing: list[Problem]) -> None:
    failing.append(NotFound("unknown-x", *TEXTS))
    result = CliRunner().invoke(cli.main, ["check", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (4, "unknown-x")


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ([], {}, "Wat"),
        ([], {"LANG": "en_GB.UTF-8"}, "What"),
        ([], {"LANG": "C.UTF-8"}, "Wat"),
        ([], {"LANG": "en_US", "SLUIS_LANGUAGE": "nl"}, "Wat"),
        (["--language", "en"], {"LANG": "nl_NL"}, "What"),
    ],
)
def test_the_language_is_chosen_then_the_environments_then_dutch(
    failing: list[Problem], arguments: list[str], environ: dict[str, str], expected: str
) -> None:
    failing.append(Invalid("x", *TEXTS))
    assert CliRunner().invoke(cli.main, [*arguments, "check"], env=environ).stderr.split()[0] == expected


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--nope"], "De optie --nope bestaat niet."),
        (["nope"], "De opdracht nope bestaat niet."),
        (["ledger", "shwo"], "Bedoelt u show?"),
        (["ask"], "SQL ontbreekt."),
        (["ask", "x", "--activity", "a"], "--case ontbreekt."),
        (["ask", "x", "--case"], "Bij --case ontbreekt de waarde"),
        (["ask", "select", "1", "--activity", "a", "--case", "c"], "tussen aanhalingstekens"),
        (["ask", "x", "--activity", "a", "--case", "c", "--set", "999"], "Schrijf NAAM=WAARDE."),
        (["--language", "fr", "check"], "Kies uit: nl, en."),
        (["ledger", "prove", "twee"], "Het is geen geheel getal."),
        (["ledger", "verify", "--earlier", "/nergens"], "Controleer de naam."),
    ],
)
def test_wrong_usage_is_told_in_dutch_with_a_next_step(typed: list[str], told: str) -> None:
    result = CliRunner().invoke(cli.main, typed, prog_name="sluis")
    assert result.exit_code == 2
    assert told in result.stderr
    assert "--help`" in result.stderr
    assert "Error" not in result.stderr


def test_wrong_usage_repeats_nothing_that_may_be_about_a_person() -> None:
    for typed in (
        ["ask", "x", "999990019"],
        ["ledger", "prove", "999990019x"],
        ["ask", "x", "--set", "999990019"],
    ):
        assert "999990019" not in CliRunner().invoke(cli.main, typed).output


_ALL_HELP = """
import json, sys
import click
from click.testing import CliRunner
from sluis.cli import main
ask = lambda *path: CliRunner().invoke(main, ["--language", sys.argv[1], *path, "--help"]).output
print(json.dumps({name: ask(*name.split()) for name in ["", *main.list_commands(click.Context(main))]}))
"""


@pytest.mark.parametrize(("language", "told"), [("nl", "Gebruik: "), ("en", "Usage: ")])
def test_all_help_is_in_one_language_and_has_an_example(language: str, told: str) -> None:
    """In a process of its own: which language, is known before a command is loaded."""
    run = [sys.executable, "-c", _ALL_HELP, language]
    shown = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert set(shown) == {"", *cli.main.list_commands(click.Context(cli.main))}
    for path, text in shown.items():
        assert text.startswith(told), path
        assert ("Voorbeeld" if language == "nl" else "Example") in text, path
        assert ("Show this message" in text) is (language == "en"), path


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\nfrom sluis.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('sluis.cli.', 'sqlglot', 'duckdb', 'pyarrow', 'litestar'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['sluis.cli.terminal']"


def test_a_command_that_is_not_installed_does_not_exist_and_breaks_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "demo", ("nowhere.at.all", TEXTS[0]))
    result = CliRunner().invoke(cli.main, ["--help"])
    assert "check" in result.output
    assert "demo" not in result.output
    assert CliRunner().invoke(cli.main, ["demo"]).exit_code == 2


def test_every_command_module_that_is_there_exposes_a_command_with_an_example() -> None:
    context = click.Context(cli.main)
    for name in cli.main.list_commands(context):
        command = cli.main.get_command(context, name)
        assert isinstance(command, click.Command), name
        leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        assert all("sluis " in (leaf.epilog or "") + (leaf.help or "") for leaf in leaves), name


NAMED = re.compile(r"(?<![\w/.-])sluis((?: (?:--)?[a-z][a-z-]*)+)")
"""A command with its options, in a text."""


def texts(file: Path) -> Iterator[str]:
    """What a file may say to people: a template whole, of code the constants."""
    written = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        nodes = ast.walk(ast.parse(written))
        yield from (
            one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)
        )
    else:
        yield written


def is_there(words: list[str]) -> bool:
    """Whether a command of these words exists; what follows its name and options is not looked at."""
    command: click.Command | None = cli.main
    for word in words:
        if not isinstance(command, click.Group) or word.startswith("--"):
            break
        command = command.get_command(click.Context(command), word)
    if command is None:
        return False
    known = {one for parameter in command.get_params(click.Context(command)) for one in parameter.opts}
    return known.issuperset(word for word in words if word.startswith("--"))


def test_every_command_that_a_text_names_exists() -> None:
    """A text that helps who is stuck must not name a command that nobody can run."""
    rooms = [*Path(cli.__file__).parents[1].rglob("*.py"), *Path(cli.__file__).parents[1].rglob("*.html")]
    named = {(file.name, one[1]) for file in rooms for text in texts(file) for one in NAMED.finditer(text)}
    assert len(named) > 50
    assert [one for one in sorted(named) if not is_there(one[1].split())] == []


def test_the_demo_is_reached_by_name_only() -> None:
    for file in Path(cli.__file__).parents[1].rglob("*.py"):
        assert "import sluis_demo" not in file.read_text()
        assert "from sluis_demo" not in file.read_text()
