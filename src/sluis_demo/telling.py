"""Asking and showing, as every chapter does it: questions to nodes by their own people, and what comes back on a terminal."""

import os
from typing import Any

from rich.console import Console

from sluis.cli.terminal import say
from sluis.kernel import Problem
from sluis_demo import script
from sluis_demo.activities import BENEFIT
from sluis_demo.federation import Place
from sluis_demo.page import NOTE, SQL, Answer, Page
from sluis_demo.run import Running

CASE = "Z-2026-0001"


class Teller:
    """Who tells. `found` fills up with what `--json` prints."""

    def __init__(self, running: Running, console: Console) -> None:
        self.running, self.federation = running, running.federation
        self.offered = script.Offered(running.federation.places)
        self.page = Page(console, self.offered)
        self.bsn = running.federation.applicant
        self.found: dict[str, Any] = {}

    def can_ask(self, title: str, sql: str, *owners: str) -> bool:
        """Open a chapter; say so when there is nothing to ask (`sql` is empty), or an owner is down."""
        self.page.chapter(title)
        absent = ", ".join(owner for owner in owners if owner in self.running.down)
        if absent:
            self.page.write(say(f"Weggelaten: {absent} is er niet.", f"Left out: {absent} is down."), NOTE)
        elif not sql:
            self.page.write(
                say(
                    "Weggelaten: hiervoor ontbreken gegevens of een grond.",
                    "Left out: the data or the ground for this is missing.",
                ),
                NOTE,
            )
        return bool(sql) and not absent

    def show(self, sql: str) -> None:
        """The question itself."""
        self.page.write(sql, SQL)

    def ask(
        self,
        sql: str,
        activity: str = BENEFIT.id,
        parameters: dict[str, Any] | None = None,
        *,
        case: str = CASE,
        partial: bool = False,
        by: Place | None = None,
    ) -> Answer:
        """One question to somebody's own node, as `sluis ask` does it. Of the municipality, about the applicant, unless
        said."""
        question: dict[str, Any] = {"sql": sql, "activity": activity, "case": case}
        question["parameters"] = {"bsn": self.bsn} if parameters is None else parameters
        if partial:
            question["partial"] = "flagged"
        answer: Answer = (by or self.federation.asker).call("POST", "/v1/questions", question)
        return answer

    def refused(self, sql: str) -> None:
        """Ask what is closed, and show what comes back."""
        self.show(sql)
        try:
            self.ask(sql)
        except Problem as problem:
            self.page.refusal(problem)

    def example(self) -> str:
        """A command for who wants to ask something themselves while the federation is up."""
        node = os.path.relpath(self.federation.asker.directory)
        return (
            f"  .venv/bin/sluis ask --node {node} --case Z-2026-0003 --set bsn={self.bsn} \\\n"
            f"    --activity {BENEFIT.id} \\\n"
            "    'SELECT geboren, nationaliteit FROM rvig.personen WHERE bsn = $bsn'"
        )
