"""Amounts of money as people read them, from whole cents. Pure."""

from sluis.kernel import Text


def euros(cents: int) -> Text:
    """An amount, written as is usual in each language.

    Args:
        cents: whole eurocents; below zero for what is given back.
    """
    sign, whole = ("-" if cents < 0 else ""), abs(cents)
    english = f"{whole // 100:,}.{whole % 100:02}"
    return Text(f"€ {sign}{dutch(english)}", f"{sign}€{english}")


def dutch(number: str) -> str:
    """A number as English writes it, with the marks of Dutch."""
    return number.translate(str.maketrans(",.", ".,"))
