"""From text to a tree: the grammar of CESQL 1.0.0 (section 2), with the order of precedence of section 3.6.

Three things that surprise who knows SQL, all of the specification: NOT binds tighter than `=` and LIKE; AND, OR and XOR
bind equally, from left to right; keywords stand in any case, names of attributes only in lower case.
"""

from typing import Any

from lark import Lark, Token, Transformer, v_args

from sluis.events.cesql.model import MAX_DEPTH, unreadable
from sluis.events.cesql.tree import (
    Attribute,
    Binary,
    Call,
    Exists,
    In,
    Like,
    Literal,
    Node,
    Unary,
    depth,
    too_large,
)
from sluis.kernel import Text

_GRAMMAR = r"""
?start: logic
?logic: comparison | logic (AND | OR | XOR) comparison -> binary
?comparison: sum | comparison (EQUAL | UNEQUAL | ATMOST | ATLEAST | BELOW | ABOVE) sum -> binary
?sum: product | sum (PLUS | MINUS) product -> binary
?product: postfix | product (STAR | SLASH | PERCENT) postfix -> binary
?postfix: unary
    | postfix LIKE STRING -> like
    | postfix NOT LIKE STRING -> unlike
    | postfix IN "(" elements ")" -> among
    | postfix NOT IN "(" elements ")" -> not_among
?unary: atom
    | NOT unary -> unary
    | MINUS unary -> unary
    | EXISTS NAME -> exists
    | EXISTS DIGITS -> exists
?atom: "(" logic ")"
    | FUNCTION "(" [elements] ")" -> call
    | PLUS DIGITS -> positive
    | DIGITS -> digits
    | STRING -> string
    | TRUE -> true
    | FALSE -> false
    | NAME -> attribute
elements: logic ("," logic)*

AND.3: /and(?![A-Za-z0-9_])/i
OR.3: /or(?![A-Za-z0-9_])/i
XOR.3: /xor(?![A-Za-z0-9_])/i
NOT.3: /not(?![A-Za-z0-9_])/i
LIKE.3: /like(?![A-Za-z0-9_])/i
IN.3: /in(?![A-Za-z0-9_])/i
EXISTS.3: /exists(?![A-Za-z0-9_])/i
TRUE.3: /true(?![A-Za-z0-9_])/i
FALSE.3: /false(?![A-Za-z0-9_])/i
FUNCTION.2: /[A-Za-z][A-Za-z_]*(?=[ \t\r\n]*\()/
DIGITS.1: /[0-9]+(?![A-Za-z0-9_])/
NAME: /[a-z0-9]+(?![A-Za-z0-9_])/
STRING: /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/s
UNEQUAL.2: "!=" | "<>"
ATMOST.2: "<="
ATLEAST.2: ">="
EQUAL: "="
BELOW: "<"
ABOVE: ">"
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
PERCENT: "%"
%ignore /[ \t\r\n]+/
"""


def make_parser() -> Lark:
    """The parser, which gives a `Node` at once; making it takes a while, so it is kept."""
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Tree(), maybe_placeholders=False)


def _deep(at: int, *operands: Node) -> int:
    found = 1 + max((depth(operand) for operand in operands), default=0)
    if found > MAX_DEPTH:
        raise unreadable(
            Text(f"Zij is dieper dan {MAX_DEPTH} genest.", f"It is nested deeper than {MAX_DEPTH}."), at
        )
    return found


def _at(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _text(token: Token) -> str:
    """The text between quotes. Only the quote that it began with can be escaped; every other backslash is itself."""
    quote, inside = token[0], token[1:-1]
    return inside.replace("\\" + quote, quote)


@v_args(inline=True)
class _Tree(Transformer[Token, Node]):
    """What the parser makes of each rule, at once; there is no tree in between."""

    def binary(self, left: Node, operator: Token, right: Node) -> Node:
        sign: Any = "!=" if operator == "<>" else operator.upper()
        return Binary(_at(operator), sign, left, right, _deep(_at(operator), left, right))

    def like(self, operand: Node, like: Token, pattern: Token) -> Node:
        return Like(_at(like), operand, _text(pattern), False, _deep(_at(like), operand))

    def unlike(self, operand: Node, no: Token, like: Token, pattern: Token) -> Node:
        return Like(_at(like), operand, _text(pattern), True, _deep(_at(like), operand))

    def among(self, operand: Node, among: Token, elements: tuple[Node, ...]) -> Node:
        return In(_at(among), operand, elements, False, _deep(_at(among), operand, *elements))

    def not_among(self, operand: Node, no: Token, among: Token, elements: tuple[Node, ...]) -> Node:
        return In(_at(among), operand, elements, True, _deep(_at(among), operand, *elements))

    def elements(self, *elements: Node) -> Any:
        return elements

    def unary(self, operator: Token, operand: Node) -> Node:
        if operator == "-" and isinstance(operand, Literal) and operand.bare:
            return Literal(_at(operator), -int(operand.value))
        sign: Any = operator.upper()
        return Unary(_at(operator), sign, operand, _deep(_at(operator), operand))

    def exists(self, exists: Token, name: Token) -> Node:
        return Exists(_at(exists), str(name))

    def call(self, name: Token, arguments: tuple[Node, ...] = ()) -> Node:
        return Call(_at(name), name.upper(), arguments, _deep(_at(name), *arguments))

    def positive(self, sign: Token, digits: Token) -> Node:
        if int(digits) >= 2**31:
            raise too_large(_at(digits))
        return Literal(_at(sign), int(digits))

    def digits(self, digits: Token) -> Node:
        value = int(digits)
        if value > 2**31:
            raise too_large(_at(digits))
        return Literal(_at(digits), value, bare=True)

    def string(self, text: Token) -> Node:
        return Literal(_at(text), _text(text))

    def true(self, word: Token) -> Node:
        return Literal(_at(word), True)

    def false(self, word: Token) -> Node:
        return Literal(_at(word), False)

    def attribute(self, name: Token) -> Node:
        return Attribute(_at(name), str(name))
