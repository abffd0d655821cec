"""What stands in the way of the Notificaties API is told before a node starts, at its line."""

from pathlib import Path

import pytest
from tests.unit.test_config import DAY, NODE, line_of, whole_node

from sluis.config import applications_of, examine_node, load_node
from sluis.kernel import Invalid

SETTINGS = """\
[portal]
address = "https://mijn.voorbeeld.nl"

[notificaties]
activity = "https://register.voorbeeld.nl/a/1"

[notificaties.applications.openzaak]
title = "Open Zaak"
secret_file = "secrets/openzaak"
scopes = ["notificaties.publiceren", "notificaties.consumeren"]
callbacks = ["https://zaken.voorbeeld.nl/"]

"""


def directory(tmp_path: Path, old: str = "", new: str = "", secret: str = "s" * 32) -> tuple[Path, str]:
    place = whole_node(tmp_path)
    activity = load_node(place, {}, DAY).grounds.activities[0].id
    settings = SETTINGS.replace("https://register.voorbeeld.nl/a/1", activity).replace(old or "\0", new)
    text = NODE.replace("[people.anna]", f"{settings}[people.anna]")
    whole_node(tmp_path, text)
    (place / "secrets").mkdir()
    (place / "secrets/openzaak").write_text(f"{secret}\n")
    return place, text


def test_applications_come_with_their_secret(tmp_path: Path) -> None:
    place, _ = directory(tmp_path)
    assert examine_node(place, {}, DAY) == ()
    (application,) = applications_of(load_node(place, {}, DAY).config).values()
    assert (application.id, application.secret) == ("openzaak", b"s" * 32)
    assert "s" * 32 not in repr(application)


@pytest.mark.parametrize(
    ("old", "new", "secret", "code", "line"),
    [
        (
            'address = "https://mijn.voorbeeld.nl"',
            "",
            "s" * 32,
            "notificaties-without-portal",
            "[notificaties]",
        ),
        ("activity = ", 'activity = "onbekend" # ', "s" * 32, "notificaties-without-activity", "activity ="),
        ("", "", "s" * 31, "weak-secret", "[notificaties.applications.openzaak]"),
        (
            "secrets/openzaak",
            "secrets/niets",
            "s" * 32,
            "weak-secret",
            "[notificaties.applications.openzaak]",
        ),
        ('nl/"]', 'nl"]', "s" * 32, "unfit-callbacks", "[notificaties.applications.openzaak]"),
    ],
)
def test_with_what_is_not_right_a_node_does_not_start(
    tmp_path: Path, old: str, new: str, secret: str, code: str, line: str
) -> None:
    place, text = directory(tmp_path, old, new, secret)
    problems = examine_node(place, {}, DAY)
    assert [(one.code, one.place.line) for one in problems if one.place] == [(code, line_of(text, line))]
    with pytest.raises(Invalid) as raised:
        load_node(place, {}, DAY)
    assert raised.value.code == code
