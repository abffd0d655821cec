"""What is wrong with a command as it was typed, as a `Problem`: what, why and next, in the language of this process.

The library that reads the command line says it in English only. What was typed is not repeated beyond names of options
and commands: it may be about a person.
"""

import click

from sluis.cli.terminal import say
from sluis.kernel import Invalid, Text


def problem_of(error: click.UsageError) -> Invalid:
    """The problem behind an error of the command line."""
    path = error.ctx.command_path if error.ctx else "sluis"
    what, why, step = _told(error, path)
    help_nl, help_en = f"Zie `{path} --help`.", f"See `{path} --help`."
    next = Text(f"{step.nl} {help_nl}", f"{step.en} {help_en}") if step else Text(help_nl, help_en)
    return Invalid("wrong-usage", what, why, next)


def _told(error: click.UsageError, path: str) -> tuple[Text, Text, Text | None]:
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        return (
            Text(f"De optie {name} bestaat niet.", f"There is no option {name}."),
            Text(f"`{path}` kent haar niet.", f"`{path}` does not know it."),
            _meant(error.possibilities),
        )
    if isinstance(error, click.NoSuchCommand):
        return (
            Text(f"De opdracht {error.command_name} bestaat niet.", f"There is no command {error.command_name}."),
            Text(f"`{path}` kent haar niet.", f"`{path}` does not know it."),
            _meant(error.possibilities),
        )  # fmt: skip
    if isinstance(error, click.MissingParameter):
        return _missing(error, path)
    if isinstance(error, click.BadParameter):
        return _wrong(error)
    if isinstance(error, click.BadOptionUsage):
        name = error.option_name
        return (
            Text(f"Bij {name} ontbreekt de waarde, of zij is er te veel.",
                 f"The value of {name} is missing, or one too many."),
            Text("De ene optie heeft een waarde, de andere niet.", "One option takes a value, another does not."),
            None,
        )  # fmt: skip
    if "extra argument" in error.message:
        return (
            Text("Er staat te veel achter de opdracht.", "There is too much behind the command."),
            Text(f"`{path}` verwacht minder woorden.", f"`{path}` expects fewer words."),
            Text("Zet tekst met spaties, zoals SQL, tussen aanhalingstekens.",
                 "Put text with spaces, such as SQL, between quotation marks."),
        )  # fmt: skip
    return (
        Text("De opdracht is niet te begrijpen.", "The command cannot be understood."),
        Text("Zij is onvolledig, of haar delen passen niet bij elkaar.",
             "It is incomplete, or its parts do not fit together."),
        None,
    )  # fmt: skip


def _missing(error: click.MissingParameter, path: str) -> tuple[Text, Text, Text | None]:
    name, meaning = _name(error), getattr(error.param, "help", None)
    because = f" ({meaning.rstrip('.')})" if meaning else ""
    return (
        Text(f"{name} ontbreekt.", f"{name} is missing."),
        Text(f"`{path}` kan niet zonder{because}.", f"`{path}` cannot do without it{because}."),
        Text(f"Geef {name} mee.", f"Give {name}."),
    )


def _wrong(error: click.BadParameter) -> tuple[Text, Text, Text | None]:
    name = _name(error)
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice):
        choices = ", ".join(map(str, kind.choices))
        why = Text("Deze keuze is er niet.", "There is no such choice.")
        step: Text | None = Text(f"Kies uit: {choices}.", f"Choose from: {choices}.")
    elif isinstance(kind, click.types.IntParamType):
        why, step = Text("Het is geen geheel getal.", "It is not a whole number."), None
    elif isinstance(kind, click.Path):
        why = Text("Het bestand of de map is er niet, of is van een andere soort.",
                   "The file or directory is not there, or is of another kind.")  # fmt: skip
        step = Text("Controleer de naam.", "Check the name.")
    else:  # said by a command itself, in the language of this process
        why, step = Text(error.message, error.message), None
    return Text(f"De waarde van {name} klopt niet.", f"The value of {name} is wrong."), why, step


def _name(error: click.BadParameter) -> str:
    hint = error.param_hint or (error.param.get_error_hint(error.ctx) if error.param and error.ctx else None)
    names = [hint] if isinstance(hint, str) else list(hint or ())
    return " / ".join(names).replace("'", "") or say("een waarde", "a value")


def _meant(near: list[str] | tuple[str, ...] | None) -> Text | None:
    if not near:
        return None
    names = ", ".join(sorted(near))
    return Text(f"Bedoelt u {names}?", f"Did you mean {names}?")
