"""Chromium without a window, driven over the DevTools protocol: a page, its script, and a virtual authenticator."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from tests.servers import chromium_path


class Tab:
    """One page. Commands are those of the DevTools protocol; unanswered ones fail after ten seconds, and one that finds the
    page gone gives nothing."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self.said: list[str] = []

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": params})
        async with asyncio.timeout(10):
            while True:
                message = json.loads((await self._socket.receive()).data)
                if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                    self.said.append(json.dumps(message["params"]))
                if message.get("id") == self._last:
                    found: dict[str, Any] = message.get("result", {})
                    return found

    async def value(self, expression: str) -> Any:
        """What an expression gives on this page."""
        found = await self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        return found.get("result", {}).get("value")

    async def go(self, url: str, path: str) -> None:
        """Go to an address, and wait for the page at a path."""
        await self.command("Page.navigate", url=url)
        await self.at(path)

    async def at(self, path: str) -> None:
        """Wait for the page at a path, until all of it is there."""
        await self.until(f"document.readyState === 'complete' && location.pathname === {json.dumps(path)}")

    async def until(self, expression: str) -> None:
        """Wait until an expression holds, ten seconds at most."""
        async with asyncio.timeout(10):
            while not await self.value(expression):  # noqa: ASYNC110  # the page tells nobody
                await asyncio.sleep(0.02)


@asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """A browser with one tab and no history; ended with the block."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            chromium_path(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--accept-lang=en-GB", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
            stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )  # fmt: skip
        assert process.stderr is not None
        try:
            async with asyncio.timeout(20):
                while "DevTools listening on " not in (line := (await process.stderr.readline()).decode()):
                    assert line, "chromium ended"
            place = line.split("ws://")[1].split("/")[0]
            async with aiohttp.ClientSession() as session:
                pages = await (await session.get(f"http://{place}/json")).json()
                url = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    tab = Tab(socket)
                    for domain in ("Page", "Runtime", "Log"):
                        await tab.command(f"{domain}.enable")
                    yield tab
        finally:
            process.kill()
            await process.wait()
