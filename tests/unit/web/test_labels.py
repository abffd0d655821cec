"""What somebody filled in is told them by the words of the form, never by names of fields."""

import pytest

from sluis.kernel import Text
from sluis.web.labels import Said, filled_in, forms


def test_every_field_of_every_form_has_a_label_that_is_found() -> None:
    fields = [(form.path.pattern, name, label) for form in forms() for name, label in form.fields.items()]
    assert len(fields) > 40
    assert [(path, name) for path, name, label in fields if label is None] == []
    assert all(label.nl and label.en for _, _, label in fields if label is not None)


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/contracts/$1$1$x/reject", {"reason": "Geen grond", "seen": "proposed.1"}, [("Waarom?", "Geen grond")]),
        ("/guardians", {"kind": "curator", "born": "", "ward_name": "Niemand (fictief)"},
         [("Hoe handelt deze persoon voor de ander?", "Als curator: voor alles. Zie de uitspraak en het curatele- en bewindregister."),
          ("Naam van de ander", "Niemand (fictief)")]),
        ("/consents/narrow", {"consent": "c1", "until": "2027-01-01"}, [("Tot en met", "2027-01-01")]),
        ("/messages/address", {"kind": "email", "value": "a@voorbeeld.example"}, [("Nieuw adres", "a@voorbeeld.example")]),
        ("/ask/explain", {"c1.value": "10", "partial": "on", "mode": "form"},
         [("Waarde", "10"), ("Geef ook antwoord als een bronhouder niet antwoordt. Wat ontbreekt, staat erbij.", "ja")]),
        ("/nowhere", {"some_thing": "x"}, [("Some thing", "x")]),
    ],
)  # fmt: skip
def test_a_form_is_told_in_its_own_words(
    path: str, form: dict[str, str], said: list[tuple[str, str]]
) -> None:
    assert [(one.label.nl, one.value.nl) for one in filled_in(path, form)] == said


def test_values_that_a_template_makes_up_are_named_by_the_route() -> None:
    words = {"kind": {"objection": Text("bezwaar", "objection")}}
    assert filled_in("/requests", {"kind": "objection", "trace": "x"}, words) == (
        Said(Text("Wat wilt u?", "What do you want?"), Text("bezwaar", "objection")),
    )
