"""What the first visit of each page weighs: bytes as they are sent, and requests.

    python bench/weight.py [--records 2000] [--datasets 100] [--only /catalogue]

The node of `bench/pages.py`, smaller, and every page that is measured there, as whom it is for; and what is there for everybody: the
first page, signing in, the catalogue. A first visit is the page itself and each file that it names: style sheets, scripts, pictures,
and what draws its charts. Files are asked for compressed, as browsers do; pages are never compressed (decision 068). Headers do not count. The
figure is the heaviest page; the most requests of any page count too.
"""

import argparse
import logging
import re
from html import unescape
from typing import Any

import uvloop

from _measure import conclude, must, run
from pages import _log, _pages, _signed_in, _written
from sluis.config import load_node
from sluis.serve import Node, build_node
from sluis.web import COOKIE

MOST_KB, MOST_REQUESTS = 150.0, 10
FOR_EVERYBODY = ("/", "/sign-in", "/catalogue", "/catalogue/datasets/gegevens_1")
_FILE = re.compile(
    r'<(?:link rel="(?:stylesheet|icon)"[^>]* href|script src|img src)="([^"]+)"|data-(?:script|sheet)="([^"]+)"'
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=2_000, help="lines in the log (default 2,000)")
    parser.add_argument("--datasets", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--only", default="", help="only pages whose address has this in it")
    weights = uvloop.run(_measure(parser.parse_args()))
    must(bool(weights), "no page was measured")
    print(f"{'page':<64} {'page itself':>12} {'files':>9} {'all':>9}  requests")
    for page, (own, files, requests) in sorted(weights.items(), key=lambda one: one[1][0] + one[1][1]):
        print(
            f"{page[:64]:<64} {own / 1000:9.1f} kB {files / 1000:6.1f} kB {(own + files) / 1000:6.1f} kB  {requests:8}"
        )
    heaviest = max(own + files for own, files, _ in weights.values()) / 1000
    most = max(requests for _, _, requests in weights.values())
    first = sum(weights["nobody /"][:2]) / 1000 if "nobody /" in weights else None
    reached = heaviest <= MOST_KB and most <= MOST_REQUESTS
    conclude(
        "weight",
        heaviest,
        "kB",
        reached,
        ratio=heaviest / MOST_KB,
        requests=most,
        first_page_kb=first,
        pages=len(weights),
    )


async def _measure(asked: argparse.Namespace) -> dict[str, tuple[int, int, int]]:
    logging.disable(logging.WARNING)  # that the twenty peers are not there
    node = build_node(load_node(_written(asked.datasets), environ={}))
    await node.start()
    try:
        await _log(node, asked.records)
        await node.parts.oversight.catch_up()
        cookies = await _signed_in(node)
        visits = [(f"nobody {path}", path, "") for path in FOR_EVERYBODY]
        visits += [
            (f"{audience} {path}", path, cookies[audience]) for path, audience in await _pages(node, cookies)
        ]
        return {
            name: await _weighed(node, path, cookie) for name, path, cookie in visits if asked.only in path
        }
    finally:
        await node.stop()


async def _weighed(node: Node, path: str, cookie: str) -> tuple[int, int, int]:
    """Bytes of a page, bytes of what it loads, and how many requests that are."""
    body = await _get(node, path, cookie)
    files = {unescape(one or other) for one, other in _FILE.findall(body.decode())}
    must(all(file.startswith("/") for file in files), f"{path} loads something from elsewhere")
    return len(body), sum([len(await _get(node, file, cookie)) for file in sorted(files)]), 1 + len(files)


async def _get(node: Node, address: str, cookie: str) -> bytes:
    """What is sent at an address."""
    assert node.portal is not None
    path, _, query = address.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "https", "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 40000), "server": ("localhost", 443),
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html"), (b"accept-encoding", b"gzip, deflate, br"),
                    *([(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else [])],
        "extensions": {}, "asgi": {"version": "3.0"},
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await node.portal.app(scope, receive, send)  # type: ignore[arg-type]
    must(sent[0]["status"] == 200, f"{address} gives {sent[0]['status']}")
    return b"".join(message.get("body", b"") for message in sent[1:])


if __name__ == "__main__":
    run(main)
