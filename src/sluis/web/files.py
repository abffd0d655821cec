"""Sending the files that pages load: each for ever, under a name that says which version it is, and compressed where that makes it
smaller (RFC 9110 §8.4). They are the same for everybody: of what they compress nobody learns anything, as they could from a page
(BREACH), which is therefore sent as it is."""

from litestar.types import HTTPScope, Send

from sluis.web import problems
from sluis.web.look import Files, static_files
from sluis.web.short import header


async def send_file(scope: HTTPScope, send: Send, more: Files) -> None:
    """Answer with the file at this path.

    Args:
        scope: of the request.
        send: of ASGI.
        more: files beside those of the house.

    Raises `NotFound`.
    """
    file = static_files().get(scope["path"]) or more.get(scope["path"])
    if file is None or scope["method"] != "GET":
        raise problems.unknown_page()
    named = scope["query_string"] == file.tag.encode()
    packed = file.packed if "gzip" in header(scope, b"accept-encoding") else None
    content = file.content if packed is None else packed
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", file.media_type.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"public, max-age=31536000, immutable" if named else b"no-cache"),
        (b"vary", b"accept-encoding"),
    ]
    if packed is not None:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
