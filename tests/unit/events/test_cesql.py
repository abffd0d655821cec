"""CESQL 1.0.0, table by table: literals, operators, precedence, casts, functions, missing attributes and every error."""

from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.events.cesql import MAX_DEPTH, MAX_TEXT, Fault, Outcome, compile_expression
from sluis.kernel import Invalid

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "abc-1",
    "source": "https://voorbeeld.nl/zaken",
    "type": "nl.zaken.zaak-geopend",
    "time": "2026-11-22T10:00:00+01:00",
    "myint": 10,
    "mybool": True,
    "no": False,
    "mytext": "abc123123%456_dzf",
    "raw": b"\x00\x01",
    "hop": "5",
    "ttl": "10",
    "sequence": "5",
    "empty": "",
    "123": "cijfers",
}

LITERALS = [
    ("TRUE", True),
    ("tRuE", True),
    ("FALSE", False),
    ("fAlSe", False),
    ("0", 0),
    ("1", 1),
    ("+7", 7),
    ("-7", -7),
    ("007", 7),
    ("2147483647", 2147483647),
    ("-2147483648", -2147483648),
    ("'abc'", "abc"),
    ('"abc"', "abc"),
    ("'aBcD'", "aBcD"),
    (r"""'a"b\'c'""", "a\"b'c"),
    (r'''"a'b\"c"''', "a'b\"c"),
    (r"'a\"b'", 'a\\"b'),
    (r"'a\\b'", r"a\\b"),
    (r"'a\nb'", r"a\nb"),
    ("''", ""),
    ("'é😀'", "é😀"),
    ("'regel\nregel'", "regel\nregel"),
    ("  \t\r\n 1 \n", 1),
    ("((1))", 1),
]

ATTRIBUTES = [
    ("id", "abc-1"),
    ("myint", 10),
    ("mybool", True),
    ("raw", "AAE="),
    ("time", "2026-11-22T10:00:00+01:00"),
    ("empty", ""),
    ("EXISTS id", True),
    ("exists missing", False),
    ("EXISTS empty", True),
    ("EXISTS 123", True),
    ("NOT EXISTS missing", True),
]

UNARY = [
    ("NOT TRUE", False),
    ("NOT FALSE", True),
    ("NOT 'TRUE'", False),
    ("NOT 'FALSE'", True),
    ("NOT 10", False),
    ("NOT 0", True),
    ("not not true", True),
    ("--10", 10),
    ("-'10'", -10),
    ("--'10'", 10),
    ("-TRUE", -1),
    ("- 5", -5),
    ("-myint", -10),
    ("-(-2147483647)", 2147483647),
]

LOGIC = [
    (f"{a} {sign} {b}", result)
    for sign, table in {
        "AND": (False, False, False, True),
        "OR": (False, True, True, True),
        "XOR": (False, True, True, False),
    }.items()
    for (a, b), result in zip(
        (("FALSE", "FALSE"), ("FALSE", "TRUE"), ("TRUE", "FALSE"), ("TRUE", "TRUE")), table, strict=True
    )
] + [
    ("false and (1 != 1 / 0)", False),
    ("true or (1 != 1 / 0)", True),
    ("false AND missing", False),
    ("true OR missing", True),
    ("'true' AND 1", True),
    ("no OR 'FALSE'", False),
    ("mybool XOR 0", True),
    ("TRUE AND TRUE AND TRUE", True),
    ("TRUE AND TRUE AND FALSE", False),
    ("TRUE AND FALSE AND missing", False),
    ("TRUE AND TRUE AND 1 AND 'true'", True),
    ("TRUE AND TRUE AND TRUE AND FALSE", False),
    ("TRUE AND TRUE AND FALSE AND missing", False),
    ("FALSE OR FALSE OR TRUE", True),
    ("FALSE OR FALSE OR FALSE", False),
    ("FALSE OR FALSE OR TRUE OR missing", True),
    ("TRUE AND FALSE OR TRUE AND TRUE", True),
    ("FALSE OR TRUE AND FALSE OR FALSE", False),
]

COMPARISONS = [
    ("TRUE = FALSE", False),
    ("FALSE = FALSE", True),
    ("1 = 2", False),
    ("2 = 2", True),
    ("'abc' = '123'", False),
    ("'abc' = 'abc'", True),
    ("'abc' = 'ABC'", False),
    ("TRUE != FALSE", True),
    ("1 != 1", False),
    ("'a' != 'b'", True),
    ("TRUE <> FALSE", True),
    ("2 <> 2", False),
    ("'a' <> 'b'", True),
    ("2 <= 2", True),
    ("3 <= 2", False),
    ("1 < 2", True),
    ("2 < 2", False),
    ("2 >= 2", True),
    ("2 >= 3", False),
    ("2 > 1", True),
    ("2 > 2", False),
    ("-1 < 0", True),
    # the right operand gives the type
    ("true = 'TRUE'", False),
    ("TRUE = 'true' AND FALSE = 'false'", True),
    ("'TRUE' = true", True),
    ("1 = TRUE", True),
    ("TRUE = 1", True),
    ("2 = TRUE", True),
    ("sequence = 5", True),
    ("sequence = 6", False),
    ("myint = '10'", True),
    ("myint = sequence", False),
    ("sequence = (2 + 3)", True),
    ("(2 + 3) = sequence", True),
    ("mybool = 'true'", True),
    ("raw = 'AAE='", True),
    ("'AAE=' = raw", True),
    ("hop < ttl", True),
    ("'9' < '10'", True),
    ("TRUE > FALSE", True),
    ("int(hop) < int(ttl) and int(hop) < 1000", True),
    ("1 = 1 = TRUE", True),
    ("3 > 2 > 0", True),
]

ARITHMETIC = [
    ("4 * 2 + 4 / 2", 10),
    ("4 * (2 + 4) / 2", 12),
    ("4 * (2 + 3)", 20),
    ("10 - 3 - 2", 5),
    ("100 / 10 / 5", 2),
    ("7 - 2 * 3 % 4", 5),
    ("5 / 3", 1),
    ("-5 / 3", -1),
    ("5 / -3", -1),
    ("-5 / -3", 1),
    ("5 % 2", 1),
    ("-5 % 3", -2),
    ("5 % -3", 2),
    ("-5 % -3", -2),
    ("4 + 1", 5),
    ("4+1", 5),
    ("4 - 1", 3),
    ("4-1", 3),
    ("4 -1", 3),
    ("4 + -1", 3),
    ("4 - -1", 5),
    ("-4 + 1", -3),
    ("-4 + -1", -5),
    ("'5' + 3", 8),
    ("5 + '3'", 8),
    ("'5' + '3'", 8),
    ("'+5' + '-3'", 2),
    ("5 + TRUE", 6),
    ("myint * hop", 50),
    ("46341 * 46340", 46341 * 46340),
]

PRECEDENCE = [
    ("NOT TRUE = FALSE", True),
    ("NOT FALSE = TRUE", True),
    ("NOT (FALSE = FALSE)", False),
    ("-2 * -3", 6),
    ("1 + 2 = 3", True),
    ("1 + 2 * 3 = 7 AND TRUE", True),
    ("TRUE OR TRUE AND FALSE", False),  # equal precedence, from left to right
    ("TRUE OR (TRUE AND FALSE)", True),
    ("FALSE AND TRUE OR TRUE", True),
    ("TRUE XOR TRUE OR TRUE", True),
    ("'a' LIKE 'a' = TRUE", True),
    ("1 + 1 IN (1)", 2),  # IN before +
    ("(1 + 1) IN (2)", True),
    ("-1 IN (-1)", True),
    ("'ab' LIKE 'a%' AND 'b' IN ('b')", True),
    ("1 IN (1) IN (TRUE)", True),
    ("1 IN (1) LIKE 'tr__'", True),
    ("INT('1') + 1", 2),
]

LIKES = [
    ("'abc' LIKE 'abc'", True),
    (r"'ab\c' LIKE 'ab\c'", True),
    ("'abc' NOT LIKE 'abc'", False),
    ("'abc' LIKE 'a%b%c'", True),
    ("'azbc' LIKE 'a%b%c'", True),
    ("'azzzbzzzc' LIKE 'a%b%c'", True),
    ("'a%b%c' LIKE 'a%b%c'", True),
    ("'ac' LIKE 'abc'", False),
    ("'' LIKE 'abc'", False),
    ("'' LIKE ''", True),
    ("'' LIKE '%'", True),
    ("'' LIKE '_'", False),
    ("'a' LIKE ''", False),
    ("'.ab.cde.' LIKE '.%.%.'", True),
    ("'ab.cde' LIKE '.%.%.'", False),
    ("'abc' LIKE 'a_b_c'", False),
    ("'a_b_c' LIKE 'a_b_c'", True),
    ("'abzc' LIKE 'a_b_c'", False),
    ("'azbc' LIKE 'a_b_c'", False),
    ("'azbzc' LIKE 'a_b_c'", True),
    ("'.a.b.' LIKE '._._.'", True),
    ("'abcd.' LIKE '._._.'", False),
    (r"'a_b_c' LIKE 'a\_b\_c'", True),
    (r"'a_b_c' NOT LIKE 'a\_b\_c'", False),
    (r"'azbzc' LIKE 'a\_b\_c'", False),
    (r"'abc' LIKE 'a\_b\_c'", False),
    (r"'a%b%c' LIKE 'a\%b\%c'", True),
    (r"'azbzc' LIKE 'a\%b\%c'", False),
    (r"mytext LIKE 'abc%123\%456\_d_f'", True),
    (r"mytext NOT LIKE 'abc%123\%456\_d_f'", False),
    ("'Abc' LIKE 'a%'", False),
    ("'a\nb' LIKE 'a_b'", True),
    ("'a\nb\n' LIKE 'a%'", True),
    ("'a\n' LIKE 'a'", False),
    ("'a.c' LIKE 'a.c'", True),
    ("'abc' LIKE 'a.c'", False),
    ("'a*' LIKE 'a*'", True),
    ("'[a]' LIKE '[a]%'", True),
    ("'abcabc' LIKE '%abc'", True),
    ("'abcab' LIKE '%abc'", False),
    ("'xabcx' LIKE '%abc%'", True),
    ("'ab' LIKE 'ab%ab'", False),
    ("'aba' LIKE 'ab%ba'", False),
    ("'abab' LIKE 'ab%ab'", True),
    ("'aab' LIKE '%_ab%'", True),
    ("'ab' LIKE '%_ab%'", False),
    ("'a%%b' LIKE 'a%%b'", True),
    ("'é😀' LIKE '__'", True),
    ("234 LIKE '23_'", True),
    ("2344 LIKE '23%'", True),
    ("2344 LIKE '23_'", False),
    ("TRUE LIKE 'tr%'", True),
    ("TRUE LIKE '%ue'", True),
    ("FALSE LIKE 'tr%'", False),
    ("FALSE LIKE 'fal%'", True),
    ("raw LIKE 'AA%'", True),
    ("source LIKE 'https://%'", True),
    ("type like '%.error'", False),
]

INS = [
    ("123 IN (1, 2, 3, 12, 13, 23, 123)", True),
    ("123 NOT IN (1, 2, 3, 12, 13, 23, 123)", False),
    ("123 IN (1)", False),
    ("'abc' IN ('abc', \"bcd\")", True),
    ("'aaa' IN ('abc', \"bcd\")", False),
    ("'aaa' NOT IN ('abc')", True),
    ("TRUE IN (TRUE, FALSE)", True),
    ("TRUE IN (FALSE)", False),
    ("source IN (mytext, source)", True),
    ("source IN (id, 'xyz')", False),
    ("'true' IN (TRUE, 'false')", True),
    ("'true' IN ('TRUE', 'false')", False),
    ("TRUE IN ('true', 'false')", True),
    ("'TRUE' IN (TRUE, 'false')", False),
    ("1 IN ('1', '2')", True),
    ("'1' IN (1, 2)", True),
    ("raw IN ('AAE=')", True),
    ("'AAE=' IN (raw)", True),
    ("1 IN (1, missing)", True),  # found before the missing one is looked at
    ("2 IN (1 + 1)", True),
]

CASTS = [
    ("INT('1')", 1),
    ("INT('-1')", -1),
    ("INT('+1')", 1),
    ("INT('000000000000005')", 5),
    ("INT('2147483647')", 2147483647),
    ("INT(1)", 1),
    ("INT(TRUE)", 1),
    ("INT(FALSE)", 0),
    ("int(sequence)", 5),
    ("BOOL('TRUE')", True),
    ('BOOL("false")', False),
    ("BOOL(TRUE)", True),
    ("BOOL(1)", True),
    ("BOOL(0)", False),
    ("BOOL(100)", True),
    ("BOOL(-50)", True),
    ("STRING(TRUE)", "true"),
    ("STRING(FALSE)", "false"),
    ("STRING(1)", "1"),
    ("STRING(-1)", "-1"),
    ("STRING(007)", "7"),
    ("STRING('abc')", "abc"),
    ("STRING(raw)", "AAE="),
    ("IS_INT('10')", True),
    ("IS_INT('abc')", False),
    ("IS_INT(TRUE)", True),
    ("IS_INT('2147483648')", False),
    ("IS_BOOL('true')", True),
    ("IS_BOOL('abc')", False),
    ("IS_BOOL(3)", True),
]

FUNCTIONS = [
    ("LENGTH('abc')", 3),
    ("LENGTH('')", 0),
    ("LENGTH('é😀')", 2),
    ("LENGTH(2)", 1),
    ("LENGTH(TRUE)", 4),
    ("CONCAT('a', 'b', 'c')", "abc"),
    ("CONCAT()", ""),
    ("CONCAT('a')", "a"),
    ("CONCAT(1, TRUE, 'a')", "1truea"),
    ("CONCAT_WS(',', 'a', 'b', 'c')", "a,b,c"),
    ("CONCAT_WS(',')", ""),
    ("CONCAT_WS(',', 'a')", "a"),
    ("concat_ws(0, 1, 2)", "102"),
    ("LOWER('AbC')", "abc"),
    ("UPPER('AbC')", "ABC"),
    ("UPPER('é')", "É"),
    ("TRIM('   a b c   ')", "a b c"),
    ("TRIM('\t\u00a0\u2003a\u3000\n')", "a"),
    ("TRIM('\x1fa\x1c')", "\x1fa\x1c"),
    ("TRIM('\u200ba')", "\u200ba"),
    ("LEFT('abc', 2)", "ab"),
    ("LEFT('abc', 10)", "abc"),
    ("LEFT('', 0)", ""),
    ("LEFT('abc', 0)", ""),
    ("LEFT(12345, '2')", "12"),
    ("RIGHT('abc', 2)", "bc"),
    ("RIGHT('abc', 10)", "abc"),
    ("RIGHT('abc', 0)", ""),
    ("SUBSTRING('abcdef', 1)", "abcdef"),
    ("SUBSTRING('abcdef', 6)", "f"),
    ("SUBSTRING('Quadratically', 5)", "ratically"),
    ("SUBSTRING('Sakila', -3)", "ila"),
    ("SUBSTRING('Sakila', -6)", "Sakila"),
    ("SUBSTRING('abcdef', 0)", ""),
    ("SUBSTRING('abcdef', 1, 6)", "abcdef"),
    ("SUBSTRING('abcdef', 2, 4)", "bcde"),
    ("SUBSTRING('abcdef', 2, 400)", "bcdef"),
    ("SUBSTRING('abcdef', 2, 0)", ""),
    ("SUBSTRING('Sakila', -5, 3)", "aki"),
    ("SUBSTRING('abcdef', 0, 1)", ""),
    ("SUBSTRING('', 0)", ""),
    ("ABS(10)", 10),
    ("ABS(-10)", 10),
    ("ABS(0)", 0),
    ("ABS('-7')", 7),
    ("LENGTH(CONCAT(LOWER(type), myint)) > 3", True),
]

EVALUATED = [
    *LITERALS, *ATTRIBUTES, *UNARY, *LOGIC, *COMPARISONS, *ARITHMETIC, *PRECEDENCE, *LIKES, *INS, *CASTS, *FUNCTIONS
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), EVALUATED)
def test_an_expression_has_its_value_and_no_error(text: str, value: Any) -> None:
    expression = compile_expression(text)
    outcome = expression.evaluate(EVENT)
    assert (outcome.value, type(outcome.value), outcome.error) == (value, type(value), None)
    assert expression.holds(EVENT) is (value is True)


ERRORS = [
    ("5 / 0", 0, "math"),
    ("5 % 0", 0, "math"),
    ("2147483647 + 1", 0, "math"),
    ("-2147483648 - 1", 0, "math"),
    ("65536 * 65536", 0, "math"),
    ("-2147483648 / -1", 0, "math"),
    ("--2147483648", 0, "math"),
    ("ABS(-2147483648)", 2147483647, "math"),
    ("ABS(-2147483648) + 1", 0, "math"),
    ("true and (1 != 1 / 0)", False, "math"),
    ("false or (1 != 1 / 0)", False, "math"),
    ("1 = 1 / 0", False, "math"),
    ("INT('ABC')", 0, "cast"),
    ("INT('')", 0, "cast"),
    ("INT('1.5')", 0, "cast"),
    ("INT(' 1')", 0, "cast"),
    ("INT('1\n')", 0, "cast"),
    ("INT('٣')", 0, "cast"),
    ("INT('--1')", 0, "cast"),
    ("INT('1_000')", 0, "cast"),
    ("INT('2147483648')", 0, "cast"),
    ("INT('-2147483649')", 0, "cast"),
    ("INT('" + "9" * 4000 + "')", 0, "cast"),
    ("INT(raw)", 0, "cast"),
    ("BOOL('ABC')", False, "cast"),
    ("BOOL('1')", False, "cast"),
    ("BOOL('')", False, "cast"),
    ("BOOL(raw)", False, "cast"),
    ("NOT 'ja'", False, "cast"),
    ("-'a'", 0, "cast"),
    ("TRUE AND 'ja'", False, "cast"),
    ("'ja' OR TRUE", False, "cast"),
    ("TRUE XOR 'ja'", False, "cast"),
    ("TRUE AND TRUE AND 'ja'", False, "cast"),
    ("FALSE OR 'ja' OR TRUE", False, "cast"),
    ("FALSE OR FALSE OR FALSE OR 'ja'", False, "cast"),
    ("'a' < 1", False, "cast"),
    ("1 >= 'a'", False, "cast"),
    ("'a' + 1", 0, "cast"),
    ("'abc' = 1", False, "cast"),
    ("'abc' != 1", False, "cast"),
    ("id = myint", False, "cast"),
    ("id = TRUE", False, "cast"),
    ("1 IN ('a', 1)", False, "cast"),
    ("1 NOT IN ('a')", False, "cast"),
    ("LEFT('abc', 'a')", "", "cast"),
    ("missing", False, "missing-attribute"),
    ("missing = 2", False, "missing-attribute"),
    ("missing != 2", False, "missing-attribute"),
    ("missing <> 2", False, "missing-attribute"),
    ("2 = missing", False, "missing-attribute"),
    ("missing <= 2", False, "missing-attribute"),
    ("missing * 5", 0, "missing-attribute"),
    ("missing / 0", 0, "missing-attribute"),
    ("missing % 0", 0, "missing-attribute"),
    ("1 / missing", 0, "missing-attribute"),
    ("-missing", 0, "missing-attribute"),
    ("NOT missing", False, "missing-attribute"),
    ("missing AND TRUE", False, "missing-attribute"),
    ("true AND (missing = '')", False, "missing-attribute"),
    ("missing LIKE 'a%'", False, "missing-attribute"),
    ("missing NOT LIKE 'a%'", False, "missing-attribute"),
    ("missing IN ('a')", False, "missing-attribute"),
    ("missing NOT IN ('a')", False, "missing-attribute"),
    ("'a' IN (missing, 'a')", False, "missing-attribute"),
    ("CONCAT('a', missing)", "", "missing-attribute"),
    ("LENGTH(missing)", 0, "missing-attribute"),
    ("IS_INT(missing)", False, "missing-attribute"),
    ("FOO()", False, "missing-function"),
    ("foo_bar(1, 2)", False, "missing-function"),
    ("LENGTH()", False, "missing-function"),
    ("LENGTH('a', 'b')", False, "missing-function"),
    ("CONCAT_WS()", False, "missing-function"),
    ("SUBSTRING('a')", False, "missing-function"),
    ("SUBSTRING('a', 1, 1, 1)", False, "missing-function"),
    ("FOO() = 1", False, "missing-function"),
    ("LEFT('abc', -2)", "abc", "function-evaluation"),
    ("RIGHT('abc', -2)", "abc", "function-evaluation"),
    ("LENGTH(LEFT('abc', -2))", 0, "function-evaluation"),
    ("CONCAT(LEFT('abc', -2))", "", "function-evaluation"),
    ("SUBSTRING('abcdef', 10)", "", "function-evaluation"),
    ("SUBSTRING('abcdef', -10)", "", "function-evaluation"),
    ("SUBSTRING('abcdef', 7)", "", "function-evaluation"),
    ("SUBSTRING('abcdef', 10, 10)", "", "function-evaluation"),
    ("SUBSTRING('abcdef', -10, 10)", "", "function-evaluation"),
    ("SUBSTRING('abcdef', 1, -1)", "", "function-evaluation"),
    ("SUBSTRING('abcdef', 0, -1)", "", "function-evaluation"),
]


@pytest.mark.parametrize(("text", "value", "kind"), ERRORS)
def test_an_error_has_its_kind_and_there_still_is_a_value(text: str, value: Any, kind: str) -> None:
    expression = compile_expression(text)
    outcome = expression.evaluate(EVENT)
    assert outcome.error is not None
    assert (outcome.value, type(outcome.value), outcome.error.kind) == (value, type(value), kind)
    assert not expression.holds(EVENT)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("   ", 4),
        ("ABC(", 5),
        ("(1", 3),
        ("1)", 2),
        ("1 +", 4),
        ("+ 'a'", 3),
        ("+ +1", 3),
        ("1 2", 3),
        ("a b", 3),
        ("Type = 'a'", 1),
        ("type_a = 'a'", 1),
        ("'a", 1),
        ("'a\\'", 1),
        ("a = $", 5),
        ("a LIKE b", 8),
        ("a LIKE 5", 8),
        ("a LIKE CONCAT('a')", 8),
        ("a LIKE ('a')", 8),
        ("a IN ()", 7),
        ("a IN 'b'", 6),
        ("a IN (1,)", 9),
        ("EXISTS", 7),
        ("EXISTS 'a'", 8),
        ("EXISTS (id)", 8),
        ("a NOT = 1", 7),
        ("NOT", 4),
        ("AND", 1),
        ("a ! = 1", 3),
        ("a == 1", 4),
        ("1 AND OR 2", 7),
        ("FOO(1,)", 7),
        ("a1(2)", 3),
        ("1.5", 2),
        ("2147483648", 1),
        ("+2147483648", 2),
        ("-2147483649", 2),
        ("1 + 99999999999999999999", 5),
        ("9" * MAX_TEXT, 1),
        ("1 " * MAX_TEXT, MAX_TEXT + 1),
    ],
)
def test_what_is_no_expression_is_a_parse_error_with_its_place(text: str, at: int) -> None:
    with pytest.raises(Invalid) as raised:
        compile_expression(text)
    assert raised.value.code == "unreadable-expression"
    assert f"teken {at} " in raised.value.what.nl


def test_a_problem_shows_nothing_of_the_expression() -> None:
    with pytest.raises(Invalid) as raised:
        compile_expression("naam = 'Jansen' EN geheim")
    assert "Jansen" not in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_an_error_says_where_and_of_what_in_two_languages() -> None:
    error = compile_expression("TRUE AND ontbreekt = 'x'").evaluate(EVENT).error
    assert error is not None
    assert (error.kind, error.at, error.name) == ("missing-attribute", 10, "ontbreekt")
    assert [
        compile_expression("TRUE AND TRUE AND 'x'").evaluate(EVENT).error,
        compile_expression("TRUE AND 'x' AND TRUE").evaluate(EVENT).error,
    ] == [Fault("cast", 15, "AND"), Fault("cast", 6, "AND")]
    assert error.text.nl == "Dit attribuut heeft de gebeurtenis niet (`ontbreekt`, teken 10)."
    assert error.text.en == "The event does not have this attribute (`ontbreekt`, character 10)."


@pytest.mark.parametrize(
    "deep",
    [
        "NOT " * (MAX_DEPTH + 1) + "true",
        "LOWER(" * (MAX_DEPTH + 1) + "'a'" + ")" * (MAX_DEPTH + 1),
        " AND ".join(["true"] * (MAX_DEPTH + 2)),
        "1" + " IN (1)" * (MAX_DEPTH + 1),
        "'a'" + " LIKE 'a'" * (MAX_DEPTH + 1),
    ],
)
def test_depth_is_bounded(deep: str) -> None:
    with pytest.raises(Invalid) as raised:
        compile_expression(deep)
    assert str(MAX_DEPTH) in raised.value.why.en


def test_an_expression_at_the_bounds_is_evaluated() -> None:
    assert compile_expression("NOT " * (MAX_DEPTH - 1) + "true").evaluate({}).error is None
    assert compile_expression("(" * 2_000 + "1" + ")" * 2_000).evaluate({}).value == 1
    assert compile_expression("1 IN (" + ",".join(["2"] * 2_000) + ")").evaluate({}).value is False


@pytest.mark.parametrize(
    "pattern",
    ["%a" * 1_000, "%a%" * 600 + "b", "%" + "_" * 2_000 + "b", "%a_a_a_b%" * 200, "%" * 4_000 + "b"],
)
def test_no_pattern_takes_more_than_a_moment(pattern: str) -> None:
    expression = compile_expression(f"mytext LIKE '{pattern}'")
    started = monotonic()
    expression.evaluate({"mytext": "a" * 10_000})
    assert monotonic() - started < 1  # with backtracking it would be years


def test_an_expression_knows_its_attributes_and_what_can_never_be() -> None:
    expression = compile_expression("EXISTS subject AND INT(size) < 100 OR type IN (a, b) OR FOO(c)")
    assert expression.names == {"subject", "size", "type", "a", "b", "c"}
    assert [(doubt.kind, doubt.name) for doubt in expression.doubts] == [("missing-function", "FOO")]


def test_what_is_no_type_of_the_language_is_read_as_text() -> None:
    assert compile_expression("bedrag = '12.5'").holds({"bedrag": 12.5})
    assert not compile_expression("bedrag = '12.5'").holds({"bedrag": None})
    assert compile_expression("bedrag").evaluate({"bedrag": 12.5}).value == "12.5"


def test_evaluating_changes_nothing() -> None:
    event = dict(EVENT)
    for text, _ in EVALUATED:
        compile_expression(text).evaluate(event)
    assert event == EVENT


LEAVES = st.sampled_from(
    [
        "true",
        "0",
        "-1",
        "2147483647",
        "-2147483648",
        "'a'",
        "'true'",
        "'12'",
        "''",
        "id",
        "myint",
        "mybool",
        "raw",
        "gone",
    ]
)


def larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, st.sampled_from("= != <> < <= > >= + - * / % AND OR XOR".split()), parts).map(
            "({0[0]} {0[1]} {0[2]})".format
        ),
        parts.map("NOT {}".format),
        parts.map("-{}".format),
        st.tuples(parts, st.sampled_from(["a%", "_", "%1%", "\\%"])).map("({0[0]} LIKE '{0[1]}')".format),
        st.tuples(parts, parts, parts).map("({0[0]} NOT IN ({0[1]}, {0[2]}))".format),
        st.tuples(
            st.sampled_from(["LENGTH", "ABS", "INT", "BOOL", "STRING", "TRIM", "IS_INT", "FOO"]), parts
        ).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["LEFT", "RIGHT", "SUBSTRING"]), parts, parts).map(
            "{0[0]}({0[1]}, {0[2]})".format
        ),
        st.just("EXISTS subject"),
    )


@given(
    st.recursive(LEAVES, larger, max_leaves=12),
    st.dictionaries(
        st.sampled_from(["id", "gone", "subject", "myint"]),
        st.one_of(st.text(), st.integers(), st.booleans(), st.binary(), st.none()),
    ),
)
def test_evaluation_never_raises_and_always_has_a_value_of_the_language(
    text: str, changed: dict[str, Any]
) -> None:
    expression = compile_expression(text)
    event = {**EVENT, **changed}
    outcome = expression.evaluate(event)
    assert type(outcome.value) in (str, int, bool)
    assert expression.holds(event) is (outcome.value is True and outcome.error is None)
    assert expression.evaluate(event) == outcome
    if type(outcome.value) is int and text not in ("id", "gone", "myint"):
        assert -(2**31) <= outcome.value < 2**31


@given(st.text(max_size=60))
def test_no_text_makes_reading_fail_otherwise(text: str) -> None:
    with suppress(Invalid):
        compile_expression(text).evaluate(EVENT)


@given(text=st.text("ab%_\\\n", max_size=8), pattern=st.text("ab%_\\\n", max_size=6))
def test_like_is_what_trying_every_split_says(text: str, pattern: str) -> None:
    event = {"x": text}
    assert compile_expression(f"x LIKE '{_escaped(pattern)}'").evaluate(event).value is fits(
        text, _escaped(pattern)
    )


def _escaped(pattern: str) -> str:
    """So that no backslash takes the quote behind it."""
    return pattern + ("a" if pattern.endswith("\\") else "")


def fits(text: str, pattern: str) -> bool:
    """The definition itself, by trying everything."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(fits(text[place:], pattern[1:]) for place in range(len(text) + 1))
    if pattern[0] == "\\" and pattern[1:2] in ("%", "_"):
        return text[:1] == pattern[1] and fits(text[1:], pattern[2:])
    if pattern[0] == "_":
        return bool(text) and fits(text[1:], pattern[1:])
    return text[:1] == pattern[0] and fits(text[1:], pattern[1:])


@pytest.mark.parametrize("call", ["CONCAT({})", "CONCAT_WS('--', {})"])
def test_no_expression_makes_a_text_of_megabytes(call: str) -> None:
    texts = ", ".join(["dataref"] * 400)
    made = compile_expression(call.format(texts)).evaluate({"dataref": "x" * 2000})
    assert made == Outcome("", Fault("function-evaluation", 1, call.partition("(")[0]))
