"""The files that pages load: what lies in the `static` folder of any room, each under a name that says which version it is."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path

import msgspec
from litestar.types import HTTPScope, Send

from sluis.web import problems


class File(msgspec.Struct, frozen=True):
    """A file that pages load, such as a style sheet."""

    content: bytes
    media_type: str
    version: str


@lru_cache(maxsize=1)
def static_files() -> Mapping[str, File]:
    """All of them, by the path under which pages load it: `/static/web/portal.css`."""
    house = Path(str(files("sluis")))
    found = {}
    for path in sorted(house.glob("**/static/*")):
        room, content = "/".join(path.relative_to(house).parts[:-2]), path.read_bytes()
        kind = guess_type(path.name)[0] or "application/octet-stream"
        text = "; charset=utf-8" if kind.startswith("text/") else ""
        version = hashlib.sha256(content).hexdigest()[:12]
        found[f"/static/{room}/{path.name}"] = File(content, kind + text, version)
    return found


async def send_file(scope: HTTPScope, send: Send) -> None:
    """Answer with the file at this path. Raises `NotFound`."""
    file = static_files().get(scope["path"])
    if file is None or scope["method"] != "GET":
        raise problems.unknown_page()
    named = scope["query_string"] == f"v={file.version}".encode()
    headers = [
        (b"content-type", file.media_type.encode()),
        (b"content-length", str(len(file.content)).encode()),
        (b"cache-control", b"public, max-age=31536000, immutable" if named else b"no-cache"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": file.content, "more_body": False})
