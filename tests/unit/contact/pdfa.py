"""What PDF/A-2a asks of a letter (ISO 19005-2, with ISO 32000-1), as far as it can be seen without veraPDF: walked object by object.

Not looked at: whether each glyph is as wide as the font says, colour by colour what a content stream paints with, and XMP beyond the
properties that a letter has.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    ContentStream,
    DictionaryObject,
    IndirectObject,
    NameObject,
    StreamObject,
)

_NS = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
}
_FORBIDDEN_ACTIONS = {
    "/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/Hide", "/SetOCGState", "/Rendition", "/Trans", "/GoTo3DView", "/JavaScript",
}  # fmt: skip
_STANDARD_TAGS = {
    "/Document", "/Part", "/Art", "/Sect", "/Div", "/BlockQuote", "/Caption", "/TOC", "/TOCI", "/Index", "/NonStruct", "/P", "/H",
    "/H1", "/H2", "/H3", "/H4", "/H5", "/H6", "/L", "/LI", "/Lbl", "/LBody", "/Table", "/TR", "/TH", "/TD", "/THead", "/TBody",
    "/TFoot", "/Span", "/Quote", "/Note", "/Reference", "/Code", "/Link", "/Annot", "/Figure", "/Formula", "/Form",
}  # fmt: skip


def faults(pdf: bytes) -> list[str]:
    """What is wrong with it; empty when nothing was found."""
    reader = PdfReader(BytesIO(pdf), strict=True)
    return [
        *_file(pdf, reader),
        *_metadata(reader),
        *_colour(reader),
        *_objects(reader),
        *_fonts(reader),
        *_structure(reader),
    ]


def _file(pdf: bytes, reader: PdfReader) -> Iterator[str]:
    """§6.1: header, trailer."""
    if not re.match(rb"%PDF-1\.[0-7]\n%[\x80-\xff]{4}", pdf):
        yield "header"
    if not pdf.rstrip().endswith(b"%%EOF"):
        yield "end"
    if reader.is_encrypted or "/Encrypt" in reader.trailer:
        yield "encrypted"
    identifier = reader.trailer.get("/ID")
    if identifier is None or len(identifier) != 2 or not all(identifier):
        yield "identifier"


def _metadata(reader: PdfReader) -> Iterator[str]:
    """§6.6: XMP that says what it is, and says the same as the document information."""
    catalog = reader.root_object
    stream = catalog.get("/Metadata")
    if stream is None:
        yield "xmp"
        return
    text = stream.get_object().get_data()
    tree = ElementTree.fromstring(re.sub(rb"<\?xpacket.*?\?>", b"", text))
    if (_property(tree, "pdfaid:part"), _property(tree, "pdfaid:conformance")) != ("2", "A"):
        yield "xmp part and conformance"
    information = reader.metadata or {}
    for name, key in (
        ("dc:title", "/Title"), ("dc:creator", "/Author"), ("xmp:CreateDate", "/CreationDate"),
        ("xmp:ModifyDate", "/ModDate"), ("pdf:Producer", "/Producer"),
    ):  # fmt: skip
        said = str(information.get(key, ""))
        if key.endswith("Date"):
            said = "".join(re.findall(r"\d", said))[:14]
            if "".join(re.findall(r"\d", _property(tree, name)))[:14] != said:
                yield f"{name} differs from {key}"
        elif _property(tree, name) != said:
            yield f"{name} differs from {key}"
    if not information.get("/Title") or not information.get("/CreationDate"):
        yield "title or date"


def _property(tree: ElementTree.Element, name: str) -> str:
    """A property of XMP: an attribute, or an element with text or a list of one."""
    prefix, _, local = name.partition(":")
    full = f"{{{_NS[prefix]}}}{local}"
    for one in tree.iter(f"{{{_NS['rdf']}}}Description"):
        if full in one.attrib:
            return one.attrib[full]
        found = one.find(full)
        if found is not None:
            item = found.find(".//rdf:li", _NS)
            return ((found if item is None else item).text or "").strip()
    return ""


def _colour(reader: PdfReader) -> Iterator[str]:
    """§6.2.3: one output intent, with an ICC profile of its own for RGB; §6.2.4: nothing else that hangs on a device."""
    intents = reader.root_object.get("/OutputIntents", ArrayObject())
    archival = [one.get_object() for one in intents if one.get_object().get("/S") == "/GTS_PDFA1"]
    if len(archival) != 1 or "/DestOutputProfile" not in archival[0]:
        yield "output intent"
        return
    profile = archival[0]["/DestOutputProfile"].get_object()
    data = profile.get_data()
    if (
        data[36:40] != b"acsp"
        or data[16:20] != b"RGB "
        or profile.get("/N") != 3
        or int.from_bytes(data[:4]) != len(data)
    ):
        yield "icc profile"
    for page in reader.pages:
        operators = {operator for _, operator in ContentStream(page.get_contents(), reader).operations}
        if operators & {b"k", b"K"}:
            yield "cmyk"


def _objects(reader: PdfReader) -> Iterator[str]:
    """§6.1.7, §6.2.8, §6.2.10, §6.4, §6.5, §6.8, §6.9: nothing that does something, comes from elsewhere, or looks otherwise elsewhere."""
    for one in _every(reader):
        if one.get("/S") in _FORBIDDEN_ACTIONS or {"/JS", "/JavaScript"} & set(one):
            yield "action"
        if "/AA" in one or (
            one.get("/Type") == "/Catalog" and {"/OpenAction", "/NeedsRendering", "/Requirements"} & set(one)
        ):
            yield "something happens by itself"
        if {"/EF", "/EmbeddedFiles", "/XFA", "/OPI", "/PS", "/Ref", "/OCProperties"} & set(one):
            yield "embedded or from elsewhere"
        if one.get("/Subtype") in {"/Sound", "/Movie", "/Screen", "/3D", "/FileAttachment", "/PS"}:
            yield "multimedia"
        if one.get("/Type") == "/Annot" and one.get("/Subtype") != "/Popup" and not int(one.get("/F", 0)) & 4:
            yield "annotation that is not printed"
        if one.get("/S") == "/Transparency" and "/CS" not in one and one.get("/Type") == "/Group":
            yield "transparency group without a colour space"
        if one.get("/TR") is not None or one.get("/TR2", "/Default") != "/Default" or "/HTP" in one:
            yield "transfer function"
        if (
            one.get("/BM", "/Normal") not in ("/Normal", "/Compatible")
            or one.get("/SMask", "/None") != "/None"
        ):
            yield "transparency"
        if isinstance(one, StreamObject):
            filters = one.get("/Filter", [])
            if {"/LZWDecode", "/Crypt"} & set([filters] if isinstance(filters, NameObject) else filters):
                yield "filter"
            if {"/F", "/FFilter", "/FDecodeParms"} & set(one):
                yield "stream from elsewhere"
    for page in reader.pages:
        if "/AF" in page or page.get("/Group") is not None:
            yield "page with a group"


def _fonts(reader: PdfReader) -> Iterator[str]:
    """§6.2.11: every font that is used is in the file, is what it says, and can be read as text."""
    used = [
        font.get_object() for page in reader.pages for font in page["/Resources"].get("/Font", {}).values()
    ]
    if not used:
        yield "no font"
    for font in used:
        inside = [font, *(one.get_object() for one in font.get("/DescendantFonts", ()))]
        descriptor = next(
            (one["/FontDescriptor"].get_object() for one in inside if "/FontDescriptor" in one), None
        )
        if descriptor is None or not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor):
            yield "font outside"
            continue
        if not re.fullmatch(r"/[A-Z]{6}\+.+", str(font["/BaseFont"])):
            yield "subset without a tag"
        if "/ToUnicode" not in font or b"beginbf" not in font["/ToUnicode"].get_object().get_data():
            yield "font without text"
        if font.get("/Subtype") == "/Type0":
            if font.get("/Encoding") not in ("/Identity-H", "/Identity-V"):
                yield "encoding"
            if inside[1].get("/Subtype") == "/CIDFontType2" and "/CIDToGIDMap" not in inside[1]:
                yield "map of glyphs"
            if "/W" not in inside[1]:
                yield "widths"


def _structure(reader: PdfReader) -> Iterator[str]:
    """§6.7: a language, a title to show, and a tree of standard tags that every text of every page is in."""
    catalog = reader.root_object
    if not catalog.get("/MarkInfo", {}).get("/Marked"):
        yield "not marked"
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", str(catalog.get("/Lang", ""))):
        yield "language"
    if not catalog.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        yield "title is not shown"
    if "/StructTreeRoot" not in catalog:
        yield "no structure"
        return
    root = catalog["/StructTreeRoot"].get_object()
    roles = root.get("/RoleMap", {})
    tags = list(_elements(root.get("/K")))
    for tag in tags:
        name = tag
        for _ in range(5):
            if name in _STANDARD_TAGS:
                break
            name = roles.get(name, name)
        else:
            yield f"tag {tag}"
    if not {"/P", "/H1"} <= {*tags}:
        yield "no headings or paragraphs"
    if "/ParentTree" not in root:
        yield "parent tree"
    for page in reader.pages:
        if "/StructParents" not in page:
            yield "page outside the structure"
        yield from _marked(page, reader)


def _marked(page: Any, reader: PdfReader) -> Iterator[str]:
    """Whatever is shown stands in a marked part: of the structure, or an artifact."""
    depth = 0
    for operands, operator in ContentStream(page.get_contents(), reader).operations:
        if operator in (b"BDC", b"BMC"):
            depth += 1
            if operands and operands[0] != "/Artifact" and operator == b"BMC":
                yield "marked without a number"
        elif operator == b"EMC":
            depth -= 1
        elif operator in (b"Tj", b"TJ", b"'", b'"', b"Do") and depth == 0:
            yield "text outside the structure"


def _elements(node: Any) -> Iterator[str]:
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, ArrayObject):
        for one in node:
            yield from _elements(one)
    elif isinstance(node, DictionaryObject) and "/S" in node:
        yield str(node["/S"])
        yield from _elements(node.get("/K"))


def _every(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Every dictionary and stream that the trailer leads to, once."""
    seen, waiting = set[int](), [reader.trailer]
    while waiting:
        node: Any = waiting.pop()
        node = node.get_object() if isinstance(node, IndirectObject) else node
        if not isinstance(node, DictionaryObject | ArrayObject) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, DictionaryObject):
            yield node
        waiting += node.values() if isinstance(node, DictionaryObject) else node
