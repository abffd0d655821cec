"""Letters for a print street: PDF/A-2a as far as its objects show, with a manifest that comes last."""

import asyncio
import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from tests.contract.contact.kinds import ADDRESS, REFERENCE, parcel
from tests.pango import need_pango
from tests.unit.contact.pdfa import faults

from sluis.contact.channels import Failed, Folder, Paper, Street
from sluis.contact.channels.letter import make_letter
from sluis.contact.channels.street import Manifest

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of WeasyPrint's colour profile

Change = Callable[[PdfWriter], Any]

LETTER = parcel(
    *ADDRESS, html="<p>Uw aanvraag is <strong>afgewezen</strong>: \u20ac 250 \u2013 \u00eb\u2713</p>"
)


@pytest.fixture(scope="module", autouse=True)
def _pango() -> None:
    need_pango()


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return make_letter(LETTER)


def texts(pdf: bytes) -> list[tuple[float, float, str]]:
    """What is written on the first page: millimetres from the left and from the top, and the text."""
    found = list[tuple[float, float, str]]()

    def visit(text: str, _cm: Any, matrix: Any, _font: Any, _size: Any) -> None:
        if text.strip():
            x, y = _cm[4] + matrix[4] * _cm[0], _cm[5] + matrix[5] * _cm[3]
            found.append((x / 72 * 25.4, 297 - y / 72 * 25.4, text.strip()))

    PdfReader(BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
    return found


def test_nothing_was_found_that_pdf_a_2a_forbids(pdf: bytes) -> None:
    assert faults(pdf) == []


def _without(name: str) -> Change:
    def change(writer: PdfWriter) -> None:
        del writer.root_object[name]

    return change


def _fonts(name: str) -> Change:
    def change(writer: PdfWriter) -> None:
        for font in writer.pages[0]["/Resources"]["/Font"].values():  # type: ignore[index]
            one = font.get_object()
            holder = (
                one
                if name in one
                else one["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            )
            for key in [key for key in holder if key.startswith(name)]:
                del holder[key]

    return change


def _other_part(writer: PdfWriter) -> None:
    stream = writer.root_object["/Metadata"].get_object()
    stream.set_data(stream.get_data().replace(b'part="2"', b'part="1"'))  # type: ignore[attr-defined]


def _script(writer: PdfWriter) -> None:
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("1")}
    )
    writer.root_object[NameObject("/OpenAction")] = action


def _loose_text(writer: PdfWriter) -> None:
    contents = writer.pages[0].get_contents()
    assert contents is not None
    contents.set_data(contents.get_data() + b"\nBT /F1 9 Tf <0001> Tj ET")
    writer.pages[0].replace_contents(contents)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_without("/Metadata"), "xmp"),
        (_other_part, "xmp part and conformance"),
        (lambda writer: writer.add_metadata({"/Title": "Iets anders"}), "dc:title differs from /Title"),
        (
            lambda writer: writer.add_metadata({"/CreationDate": "D:20200101000000Z"}),
            "xmp:CreateDate differs from /CreationDate",
        ),
        (_without("/OutputIntents"), "output intent"),
        (_without("/Lang"), "language"),
        (_without("/MarkInfo"), "not marked"),
        (_without("/StructTreeRoot"), "no structure"),
        (_fonts("/FontFile"), "font outside"),
        (_fonts("/ToUnicode"), "font without text"),
        (_loose_text, "text outside the structure"),
        (_script, "action"),
        (lambda writer: writer.add_attachment("x.txt", b"x"), "embedded or from elsewhere"),
        (lambda writer: writer.encrypt("", algorithm="RC4-128"), "encrypted"),
    ],
)
def test_the_check_finds_what_is_wrong(pdf: bytes, change: Change, fault: str) -> None:
    """So that the test above can fail."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf)))
    change(writer)
    made = BytesIO()
    writer.write(made)
    if fault == "encrypted":  # nothing else of it can be looked at
        assert PdfReader(made).is_encrypted
    else:
        assert fault in faults(made.getvalue())


@pytest.mark.parametrize(("window", "left"), [("left", 25), ("right", 110)])
def test_seven_lines_of_an_address_stand_where_every_window_shows_them(window: Any, left: int) -> None:
    """A sheet of 99 mm in an envelope of 110, with a window of 40 mm that begins 53 mm from the top at most."""
    lines = tuple(f"Regel{number} fictief" for number in range(1, 8))
    pdf = make_letter(msgspec.structs.replace(LETTER, to=lines), Paper(window, "Postbus 1, 1234 AA Nergens"))
    found = [(x, y) for x, y, text in texts(pdf) if text.startswith("Regel")]
    assert len(found) == 7
    assert all(53 < y < 82 and left - 1 < x < left + 1 for x, y in found)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "nl",
            [
                "24 november 2025",
                "Datum",
                "Kenmerk",
                "Z-2026-1",
                "Bladzijde 1 van 1",
                "Retouradres: Postbus 1",
            ],
        ),
        ("en", ["24 November 2025", "Date", "Reference", "Page 1 of 1", "Return to: Postbus 1"]),
    ],
)
def test_a_letter_says_when_about_what_and_from_whom(language: Any, words: list[str]) -> None:
    """The date is that of sending, Dutch time; `created` lies half an hour before midnight in UTC."""
    late = msgspec.structs.replace(LETTER, language=language, case="Z-2026-1", created=1_763_939_400)
    pdf = make_letter(late, Paper(returns="Postbus 1"))
    assert faults(pdf) == []
    told = PdfReader(BytesIO(pdf)).pages[0].extract_text()
    assert [word for word in [*words, REFERENCE, "Dienst Voorbeeld (fictief)"] if word not in told] == []


def test_the_same_letter_has_the_same_bytes(pdf: bytes) -> None:
    assert make_letter(LETTER) == pdf


def test_nothing_is_fetched_while_it_is_made(tmp_path: Path) -> None:
    need_pango()
    secret = tmp_path / "geheim.css"
    secret.write_text("p { color: #123456 }", encoding="utf-8")
    sly = msgspec.structs.replace(
        LETTER,
        html=f'<link rel="stylesheet" href="{secret.as_uri()}"><img src="http://127.0.0.1:9/x.png"><p>brief</p>',
    )
    page = PdfReader(BytesIO(make_letter(sly))).pages[0]
    contents = page.get_contents()
    assert contents is not None
    assert b"0.070588 0.203922 0.337255" not in contents.get_data()


async def test_the_manifest_comes_last_and_tells_of_the_file_as_it_is(tmp_path: Path) -> None:
    put: list[str] = []

    class Watched(Folder):
        async def put(self, files: dict[str, bytes]) -> None:
            put.extend(files)
            await super().put(files)

    await Street(Watched(tmp_path)).send(LETTER)
    assert put == [f"{REFERENCE}.pdf", f"{REFERENCE}.json"]
    raw = (tmp_path / f"{REFERENCE}.json").read_bytes()
    manifest, made = msgspec.json.decode(raw, type=Manifest), (tmp_path / f"{REFERENCE}.pdf").read_bytes()
    assert (manifest.bytes, manifest.sha256) == (len(made), hashlib.sha256(made).hexdigest())
    assert not any(line.encode() in raw for line in ADDRESS)


async def test_a_letter_that_was_half_written_has_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sluis.contact.channels.drop as drop

    real = drop.write_durably

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".json":
            raise OSError("no space left")
        real(path, content)

    monkeypatch.setattr(drop, "write_durably", full)
    with pytest.raises(Failed) as failed:
        await Street(Folder(tmp_path)).send(LETTER)
    assert failed.value.how == "later"
    assert await asyncio.to_thread(lambda: [path.suffix for path in tmp_path.iterdir()]) == [".pdf"]


def test_a_machine_without_pango_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(Failed) as failed:
        make_letter(LETTER)
    assert failed.value.trouble == "letter-no-pango"
    assert "libpango" in failed.value.told[0].en
