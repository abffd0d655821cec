"""What a doctor found, as every command that has one says it: a step a line, what helps below it."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from sluis.cli.terminal import UNWELL, in_words, json_text, language, say, shown
from sluis.gateway import DOCTOR_STEPS


def tell_diagnosis(found: Mapping[str, Any], as_json: bool) -> None:
    """Print what was found.

    Raises:
        click.exceptions.Exit: with `UNWELL`, when not all is well.
    """
    if as_json:
        click.echo(json_text(found))
    else:
        click.echo("\n".join(line for step in found["steps"] for line in _step_told(step)))
    if not found["well"]:
        raise click.exceptions.Exit(UNWELL)


def _step_told(step: Mapping[str, str]) -> Iterator[str]:
    mark = {"ok": "✓", "wrong": "✗", "skipped": "·"}[step["result"]]
    spoken = language()
    told = step[spoken] or say("niet bekeken", "not looked at")
    yield shown(f"{mark} {in_words(DOCTOR_STEPS[step['name']])}: {told}")
    if step[f"next_{spoken}"]:
        yield shown(f"  → {step[f'next_{spoken}']}")
