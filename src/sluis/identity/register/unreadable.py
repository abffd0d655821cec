"""What can be wrong with an answer of the trade register."""

from sluis.kernel import Invalid, NotFound, Text, Upstream

NOT_THERE = frozenset({"IPD0004", "IPD0005"})
"""Messages of the register that say there is no such registration."""


def not_understood(code: str) -> Invalid:
    return Invalid(
        "register-answer",
        Text("Dit antwoord van het handelsregister is niet te begrijpen.",
             "This answer of the trade register cannot be understood."),
        Text(f"Het is geen inschrijving van dit bedrijf zoals de KVK die levert ({code}).",
             f"It is no registration of this company as the KVK delivers it ({code})."),
        Text("Vraag het antwoord opnieuw op.", "Fetch the answer again."),
    )  # fmt: skip


def unknown() -> NotFound:
    return NotFound(
        "unknown-company",
        Text("Het handelsregister kent dit bedrijf niet.", "The trade register does not know this company."),
        Text(
            "Onder dit KVK-nummer staat niets ingeschreven.", "Nothing is registered under this KVK number."
        ),
        Text("Controleer het KVK-nummer.", "Check the KVK number."),
    )


def fault() -> Upstream:
    return Upstream(
        "register-fault",
        Text("Het handelsregister geeft nu geen antwoord.", "The trade register gives no answer now."),
        Text("Het meldde een storing.", "It reported a fault."),
        Text("Probeer het later opnieuw.", "Try again later."),
        retry=True,
    )
