"""How the story reads: values as people write them, articles as lawyers cite them, questions made of what is offered."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console

from sluis.cli.terminal import choose_language
from sluis.grounds import Article
from sluis.kernel import Problem, Refused, Text
from sluis_demo.activities import BENEFIT, PARKING
from sluis_demo.command import Kinds
from sluis_demo.evidence import Looked
from sluis_demo.federation import Place
from sluis_demo.organisations import ORGANISATIONS
from sluis_demo.page import Page, cited
from sluis_demo.script import ABOUT_THE_APPLICANT, ABOUT_THE_PARTNER, Offered, about_the_applicant, question
from sluis_demo.story import by_question
from sluis_demo.titles import TITLES


@pytest.fixture
def offered() -> Offered:
    places = tuple(Place(one, Path(), "127.0.0.1", "sqlite") for one in ORGANISATIONS)
    return Offered(places)


@pytest.fixture(autouse=True)
def dutch() -> None:
    choose_language("nl")


def shown(offered: Offered, answer: dict[str, Any]) -> str:
    out = StringIO()
    Page(Console(file=out, width=100, highlight=False), offered).person(answer)
    return out.getvalue()


def test_chapters_are_counted_as_they_are_told(offered: Offered) -> None:
    out = StringIO()
    page = Page(Console(file=out, width=100, highlight=False), offered)
    page.heading("Vooraf")
    page.chapter("Eerst dit")
    page.chapter("Dan dat")
    assert "1. Eerst dit" in out.getvalue()
    assert "2. Dan dat" in out.getvalue()


def test_titles_of_columns_fit_whoever_reads_them() -> None:
    told = " ".join(f"{one.nl} {one.en}".lower() for one in TITLES.values()).split()
    assert not {"u", "uw", "your", "you"} & {*told}


def an_answer(column: str, kind: str, value: object, *origins: dict[str, str]) -> dict[str, Any]:
    return {
        "columns": [{"name": column, "type": kind}],
        "rows": [[value]],
        "provenance": [{"column": column, "origins": list(origins)}],
        "missing": [],
    }


WAGE = {"owner": "belastingdienst", "dataset": "inkomen", "column": "loon"}
BORN = {"owner": "rvig", "dataset": "personen", "column": "geboren"}


def test_eurocents_are_written_as_euros(offered: Offered) -> None:
    assert "€ 15.152,00" in shown(offered, an_answer("loon", "int64", 1_515_200, WAGE))


def test_a_day_is_written_the_dutch_way(offered: Offered) -> None:
    assert "17-04-1988" in shown(offered, an_answer("geboren", "date32[day]", "1988-04-17", BORN))


def test_a_masked_value_says_so(offered: Offered) -> None:
    plate = {"owner": "rdw", "dataset": "voertuigen", "column": "kenteken", "masked": "…"}
    assert "QI-***-*  afgeschermd" in shown(offered, an_answer("kenteken", "string", "QI-***-*", plate))


def test_what_an_absent_owner_did_not_give_differs_from_nothing(offered: Offered) -> None:
    assert "ontbreekt" in shown(offered, an_answer("kenteken", "null", None))
    assert "ontbreekt" not in shown(offered, an_answer("loon", "int64", None, WAGE))


def test_a_refusal_names_the_law(offered: Offered) -> None:
    out = StringIO()
    refused: Problem = Refused(
        "x", Text("Wat.", "What."), Text("Waarom.", "Why."), Text("Dan.", "Next."), legal="AWR, art. 67"
    )
    Page(Console(file=out, width=100), offered).refusal(refused)
    assert [line.strip() for line in out.getvalue().strip().splitlines()] == [
        "Wat. Waarom.",
        "Grond: AWR, art. 67.",
        "Dan.",
    ]


def test_each_law_is_cited_once() -> None:
    articles = (
        Article("Participatiewet", "11"),
        Article("Participatiewet", "31, lid 2"),
        Article("Wet BRP", "3.2"),
    )
    assert cited(articles) == "Participatiewet, art. 11 en 31 lid 2; Wet BRP, art. 3.2"


def test_the_question_about_the_applicant_goes_to_all_six_owners(offered: Offered) -> None:
    sql = question(ABOUT_THE_APPLICANT, offered)
    for owner in ("rvig", "belastingdienst", "uwv", "svb", "kvk", "rdw"):
        assert f"JOIN {owner}." in sql or f"FROM {owner}." in sql


def test_an_owner_that_is_down_does_not_name_the_applicant(offered: Offered) -> None:
    sql = question(about_the_applicant({"rvig"}), offered)
    assert "FROM belastingdienst.inkomen i" in sql
    assert sql.endswith("WHERE i.bsn = $bsn AND i.jaar = 2025")
    assert "LEFT JOIN rvig.personen p ON p.bsn = i.bsn" in sql


def test_the_partner_is_joined_on_a_number_that_is_not_shown(offered: Offered) -> None:
    sql = question(ABOUT_THE_PARTNER, offered, key="partner_bsn")
    assert "ON i.bsn = r.partner_bsn" in sql
    assert "partner_bsn" not in sql.partition("FROM")[0]


def test_the_plate_is_open_for_both_purposes_and_the_number_of_the_partner_for_neither(
    offered: Offered,
) -> None:
    assert offered.opens("rdw.voertuigen", ["kenteken"], BENEFIT.id)
    assert offered.opens("rdw.voertuigen", ["kenteken"], PARKING.id)
    assert not offered.opens("rvig.relaties", ["partner_bsn"], PARKING.id)


def test_lines_of_one_question_are_told_together() -> None:
    lines = [
        Looked(
            log, "sluiswijk", datetime(2026, 1, 1, 12, minute, tzinfo=UTC), "Raadpleging", BENEFIT.id, trace
        )
        for minute, (log, trace) in enumerate((("rvig", "a"), ("uwv", "b"), ("svb", "a")))
    ]
    assert [[line.log for line in group] for group in by_question(lines)] == [["rvig", "svb"], ["uwv"]]


def test_an_unknown_kind_of_database_is_refused() -> None:
    assert Kinds().convert("postgres, sqlite", None, None) == ("postgres", "sqlite")
    with pytest.raises(click.BadParameter, match="oracle"):
        Kinds().convert("sqlite,oracle", None, None)
