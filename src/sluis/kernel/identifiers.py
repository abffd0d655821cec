"""Identifiers of people, organisations and peers: checked when made, never bare strings afterwards.

OIN: Logius OIN-stelsel 2.2.2 (20 digits). BSN: Wet algemene bepalingen burgerservicenummer, eleven-test.
KVK and vestiging: Handelsregister numbers, 8 and 12 digits. RSIN: number of a legal person or partnership, the
eleven-test of the BSN. Peer ID: FSC Core 2.0.0, subject serialNumber, here an OIN.
"""

from typing import Self

from sluis.kernel.problem import Invalid, Text


class _Identifier(str):
    """A string that was checked. `repr` hides the value, so that a log of a struct gives nothing away."""

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if not (isinstance(value, str) and cls.accepts(value)):
            raise Invalid(
                f"invalid-{cls.__name__.lower()}",
                Text("Dit nummer klopt niet.", "This number is not right."),
                Text(cls.shape.nl, cls.shape.en),
                Text("Controleer het nummer en probeer het opnieuw.", "Check the number and try again."),
            )
        return super().__new__(cls, value)

    shape: Text

    @classmethod
    def accepts(cls, value: str) -> bool:
        raise TypeError(f"{cls.__name__} names no check")


def _digits(value: str, count: int) -> bool:
    return len(value) == count and value.isascii() and value.isdigit()


class Oin(_Identifier):
    """Organisation identification number: 20 digits."""

    __slots__ = ()
    shape = Text("Een OIN heeft twintig cijfers.", "An OIN has twenty digits.")

    @classmethod
    def accepts(cls, value: str) -> bool:
        return _digits(value, 20)


class PeerId(Oin):
    """The identity of a peer in a group: the serialNumber in the subject of its certificate."""

    __slots__ = ()


class Kvk(_Identifier):
    """Number in the trade register: 8 digits."""

    __slots__ = ()
    shape = Text("Een KVK-nummer heeft acht cijfers.", "A KVK number has eight digits.")

    @classmethod
    def accepts(cls, value: str) -> bool:
        return _digits(value, 8)


class Vestiging(_Identifier):
    """Number of an establishment in the trade register (vestigingsnummer): 12 digits."""

    __slots__ = ()
    shape = Text("Een vestigingsnummer heeft twaalf cijfers.", "An establishment number has twelve digits.")

    @classmethod
    def accepts(cls, value: str) -> bool:
        return _digits(value, 12)


class Bsn(_Identifier):
    """Citizen service number: nine digits that pass the eleven-test."""

    __slots__ = ()
    shape = Text(
        "Een BSN heeft negen cijfers en doorstaat de elfproef.",
        "A BSN has nine digits and passes the eleven-test.",
    )

    def __repr__(self) -> str:
        return "Bsn(•)"

    @classmethod
    def accepts(cls, value: str) -> bool:
        return _digits(value, 9) and passes_eleven_test(value)


class Rsin(_Identifier):
    """Number of a legal person or partnership: nine digits that pass the eleven-test."""

    __slots__ = ()
    shape = Text(
        "Een RSIN heeft negen cijfers en doorstaat de elfproef.",
        "An RSIN has nine digits and passes the eleven-test.",
    )

    @classmethod
    def accepts(cls, value: str) -> bool:
        return _digits(value, 9) and passes_eleven_test(value)


def nine_digits(value: str, test: bool) -> bool:
    """Whether this is a BSN or an RSIN; on a test node also one that fails the eleven-test, as those of official test sets do.

    Args:
        value: the number.
        test: whether this is a test node.
    """
    return _digits(value, 9) and (test or passes_eleven_test(value))


def passes_eleven_test(digits: str) -> bool:
    """Whether nine digits d1…d9 satisfy 9·d1 + 8·d2 + … + 2·d8 − d9 ≡ 0 (mod 11), and are not all zero."""
    total = sum(
        weight * int(digit) for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True)
    )
    return total % 11 == 0 and digits != "000000000"
