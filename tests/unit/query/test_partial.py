"""What remains of a question when an owner's part cannot be had."""

import pytest

from sluis.kernel import Invalid
from sluis.query.partial import without
from sluis.statement import parse, text


def rest(sql: str) -> str:
    return text(without(parse(sql), {"rdw"}))


def test_what_was_selected_from_the_missing_owner_is_null() -> None:
    assert rest(
        "select p.naam, v.kenteken, coalesce(v.merk, '?') m from rvig.p p left join rdw.v v on v.bsn = p.bsn"
    ) == ("SELECT p.naam, NULL AS kenteken, COALESCE(NULL, '?') AS m FROM rvig.p AS p")


def test_an_inner_join_with_the_missing_owner_drops_no_row() -> None:
    assert rest(
        "select p.naam from rvig.p p join rdw.v v on v.bsn = p.bsn and p.x = 1 where p.bsn = $b and v.k > 3"
    ) == ("SELECT p.naam FROM rvig.p AS p WHERE p.bsn = $b AND p.x = 1")


def test_keys_that_were_equal_through_the_missing_owner_still_are() -> None:
    assert rest(
        "select i.x from rdw.v v join rvig.p p on v.bsn = p.bsn left join bd.i i on i.bsn = v.bsn"
    ) == ("SELECT i.x FROM rvig.p AS p LEFT JOIN bd.i AS i ON i.bsn = p.bsn")


def test_what_was_tied_to_the_rest_through_the_missing_owner_only_goes_too() -> None:
    assert rest(
        "select p.naam, i.x from rvig.p p left join rdw.v v on v.bsn = p.bsn left join bd.i i on i.nr = v.nr"
    ) == ("SELECT p.naam, NULL AS x FROM rvig.p AS p")


def test_what_was_tied_to_the_rest_by_nothing_stays() -> None:
    sql = "select p.naam, i.x from rvig.p p left join bd.i i on true left join rdw.v v on v.bsn = p.bsn"
    assert rest(sql) == "SELECT p.naam, i.x FROM rvig.p AS p LEFT JOIN bd.i AS i ON TRUE"


@pytest.mark.parametrize("negated", ["", "not "])
def test_a_condition_on_a_missing_subquery_falls_away(negated: str) -> None:
    sql = f"select p.naam from rvig.p p where {negated}exists (select 1 from rdw.v v where v.bsn = p.bsn) and p.bsn = $b"
    assert rest(sql) == "SELECT p.naam FROM rvig.p AS p WHERE p.bsn = $b"
    sql = f"select p.naam from rvig.p p where p.bsn {negated}in (select v.bsn from rdw.v v)"
    assert rest(sql) == "SELECT p.naam FROM rvig.p AS p WHERE TRUE"


@pytest.mark.parametrize(
    "condition",
    [
        "p.bsn = $b or exists (select 1 from rdw.v v where v.bsn = p.bsn)",
        "not (exists (select 1 from rdw.v v)) or p.bsn = $b",
        "(p.bsn = $b or (p.bsn in (select v.bsn from rdw.v v)))",
    ],
)
def test_an_or_with_what_is_missing_opens_no_more_than_before(condition: str) -> None:
    told = rest(f"select p.naam from rvig.p p where {condition}")
    assert told.replace("(", "").replace(")", "") == "SELECT p.naam FROM rvig.p AS p WHERE p.bsn = $b"


def test_of_an_or_the_sides_that_speak_of_what_is_missing_go() -> None:
    told = rest(
        "select p.naam from rvig.p p left join rdw.v v on v.bsn = p.bsn "
        "where p.x = 1 or v.k = 2 or (p.y = 3 and v.k = 4) or p.z = 5"
    )
    assert told == "SELECT p.naam FROM rvig.p AS p WHERE (p.x = 1 OR p.z = 5)"


def test_a_common_table_of_the_missing_owner_is_missing() -> None:
    sql = "with c as (select v.bsn, count(*) n from rdw.v v group by v.bsn) select p.naam, c.n from rvig.p p left join c on c.bsn = p.bsn"
    assert rest(sql) == "SELECT p.naam, NULL AS n FROM rvig.p AS p"


def test_a_value_from_a_missing_subquery_is_null() -> None:
    assert (
        rest("select p.naam, (select max(v.k) from rdw.v v) m from rvig.p p")
        == "SELECT p.naam, NULL AS m FROM rvig.p AS p"
    )


def test_when_nothing_remains_that_is_said() -> None:
    with pytest.raises(Invalid) as caught:
        rest("select kenteken from rdw.v")
    assert caught.value.code == "nothing-left"
    with pytest.raises(Invalid):
        rest("select p.naam from rvig.p p union all select v.merk from rdw.v v")
