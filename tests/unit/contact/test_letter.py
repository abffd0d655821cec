"""Letters for a print street: PDF/A as far as its structure shows, with a manifest that comes last."""

import asyncio
import hashlib
import re
import zlib
from pathlib import Path

import msgspec
import pytest
from tests.contract.contact.kinds import ADDRESS, REFERENCE, parcel
from tests.pango import need_pango

from sluis.contact.channels import Failed, Folder, Street
from sluis.contact.channels.letter import make_letter
from sluis.contact.channels.street import Manifest

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of WeasyPrint's colour profile

LETTER = parcel(
    *ADDRESS, html="<p>Uw aanvraag is <strong>afgewezen</strong>: \u20ac 250 \u2013 \u00eb\u2713</p>"
)


@pytest.fixture(scope="module", autouse=True)
def _pango() -> None:
    need_pango()


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return make_letter(LETTER)


def streams(pdf: bytes) -> list[bytes]:
    """What is in every stream, decompressed where it was compressed."""
    found = []
    for raw in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(raw))
        except zlib.error:
            found.append(raw)
    return found


def whole(pdf: bytes) -> bytes:
    return pdf + b"".join(streams(pdf))


def test_it_says_that_it_is_pdf_a_3u(pdf: bytes) -> None:
    """ISO 19005-3 \u00a76.6.4."""
    metadata = next(one for one in streams(pdf) if b"pdfaid" in one)
    assert b'pdfaid:part="3"' in metadata
    assert b'pdfaid:conformance="U"' in metadata


def test_colours_have_a_profile(pdf: bytes) -> None:
    """\u00a76.2.3: an output intent with an ICC profile of its own."""
    assert b"/GTS_PDFA1" in whole(pdf)
    assert b"/DestOutputProfile" in whole(pdf)
    assert any(one[36:40] == b"acsp" for one in streams(pdf))


def test_every_font_is_in_it_and_can_be_read_as_text(pdf: bytes) -> None:
    """\u00a76.2.11.4 and \u00a76.2.11.7."""
    fonts = whole(pdf).count(b"/Subtype /Type0")
    assert fonts >= 2
    assert whole(pdf).count(b"/ToUnicode") == fonts
    assert len(re.findall(rb"/FontFile[23]\b", whole(pdf))) == fonts


@pytest.mark.parametrize(
    "word", [b"/Encrypt", b"/JavaScript", b"/JS ", b"/Launch", b"/URI ", b"/EmbeddedFile", b"/LZWDecode"]
)
def test_what_pdf_a_forbids_or_a_letter_does_not_need_is_not_in_it(pdf: bytes, word: bytes) -> None:
    """\u00a76.1.3, \u00a76.5.1, \u00a76.1.7.2."""
    assert word not in whole(pdf)


def test_it_has_an_identifier_and_a_marker_that_it_is_binary(pdf: bytes) -> None:
    """\u00a76.1.2, \u00a76.1.3."""
    assert pdf.startswith(b"%PDF-1.7\n%")
    assert all(byte > 127 for byte in pdf.split(b"\n")[1][1:5])
    assert b"/ID" in whole(pdf)


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
    assert b"0.070588 0.203922 0.337255" not in whole(make_letter(sly))


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
