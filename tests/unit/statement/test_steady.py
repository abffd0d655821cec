"""A question that stands has an answer that follows from the data alone."""

import pytest

from sluis.kernel import Invalid
from sluis.statement import parse, require_steady


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, b FROM t",
        "SELECT a, b FROM t ORDER BY a",
        "SELECT a, b FROM t ORDER BY b, a LIMIT 10",
        "SELECT a AS x, b FROM t ORDER BY 1, 2 DESC LIMIT 10 OFFSET 5",
        "SELECT upper(a), b FROM t ORDER BY upper(a), b LIMIT 1",
        "SELECT A, b FROM t ORDER BY a, B LIMIT 1",
        "SELECT count(*), sum(b) FROM t LIMIT 1",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a LIMIT 1)",
        "SELECT a FROM t UNION SELECT a FROM u ORDER BY a LIMIT 3",
        "SELECT rank() OVER (ORDER BY a) AS r, a FROM t",
        "SELECT sum(b) OVER (ORDER BY a) AS s, a FROM t",
        "SELECT string_agg(a, ',' ORDER BY a) FROM t",
        "SELECT a FROM t WHERE b < CURRENT_DATE",
    ],
)
def test_a_question_whose_rows_are_settled_may_stand(sql: str) -> None:
    require_steady(parse(sql))


@pytest.mark.parametrize(
    ("sql", "because"),
    [
        ("SELECT a, b FROM t LIMIT 10", "LIMIT"),
        ("SELECT a, b FROM t ORDER BY a LIMIT 10", "LIMIT"),
        ("SELECT a, b FROM t ORDER BY a OFFSET 10", "OFFSET"),
        ("SELECT * FROM t ORDER BY a LIMIT 10", "LIMIT"),
        ("SELECT a FROM t WHERE a IN (SELECT b FROM u LIMIT 1)", "LIMIT"),
        ("WITH x AS (SELECT a, b FROM t ORDER BY b LIMIT 1) SELECT a, b FROM x", "LIMIT"),
        ("SELECT a, count(*) AS n FROM t GROUP BY a ORDER BY n LIMIT 3", "LIMIT"),
        ("SELECT count(*) OVER () AS n, a FROM t LIMIT 1", "LIMIT"),
        ("SELECT a FROM t UNION SELECT a FROM u LIMIT 3", "LIMIT"),
        ("SELECT row_number() OVER (ORDER BY a) AS r, b FROM t", "ROW_NUMBER"),
        ("SELECT lag(a) OVER (ORDER BY b) AS p FROM t", "LAG"),
        ("SELECT any_value(a) FROM t", "ANY_VALUE"),
        ("SELECT first(a) FROM t", "FIRST"),
        ("SELECT mode(a) FROM t", "MODE"),
        ("SELECT string_agg(a, ',') FROM t", "GROUP_CONCAT"),
        ("SELECT array_agg(a ORDER BY b) FROM t", "ARRAY_AGG"),
        ("SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t", "ROWS"),
    ],
)
def test_a_question_whose_answer_hangs_on_the_order_of_rows_may_not(sql: str, because: str) -> None:
    with pytest.raises(Invalid) as invalid:
        require_steady(parse(sql))
    assert invalid.value.code == "answer-by-order"
    assert because in invalid.value.why.en


@pytest.mark.parametrize("call", ["random()", "now()", "current_timestamp", "uuid()", "nextval('s')"])
def test_what_draws_lots_or_reads_a_clock_is_in_no_question(call: str) -> None:
    with pytest.raises(Invalid) as invalid:
        parse(f"SELECT a FROM t WHERE b > {call}")
    assert invalid.value.code == "not-allowed"
