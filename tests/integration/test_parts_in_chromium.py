"""Parts of pages in a real browser with script: a table comes anew without its page, back goes back, and a chart is drawn."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from tests.chromium import Tab, chromium
from tests.integration.test_catalogue_in_chromium import wrong
from tests.servers import free_port
from tests.unit.web.test_listing import ROWS, Tables

pytestmark = pytest.mark.prove

TOLD = "document.querySelector('.tally').textContent"
SAME = "window.same === 1"


@pytest.fixture
async def origin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    port = free_port()
    app = Tables(monkeypatch, ROWS, 8).app
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def test_a_table_comes_anew_without_its_page_and_back_goes_back(origin: str) -> None:
    async with chromium() as tab:
        await opened(tab, origin)
        await tab.value("document.querySelector('.pages [rel=next]').click()")
        await tab.until(f"{TOLD}.startsWith('26')")
        assert await tab.value(f"{SAME} && location.search") == "?sort=-cost&page=2"
        await tab.until("document.getElementById('told').textContent.includes('26–50')")
        assert await tab.value("document.activeElement.id") == "list"
        assert await wrong(tab) == []
        await tab.value("history.back()")
        await tab.until(f"{TOLD}.startsWith('1–25')")
        assert await tab.value(SAME)
        await tab.until("document.getElementById('told').textContent.includes('1–25')")
        await tab.value("document.querySelector('#by-name').value = 'bron 07'")
        await tab.value("document.querySelector('form.filters button').click()")
        await tab.until(f"{TOLD}.startsWith('1 r')")
        assert await tab.value(f"{SAME} && location.search.includes('name=bron+07')")
        assert tab.said == []


async def test_a_chart_is_drawn_from_its_table_and_its_figures_stay_at_hand(origin: str) -> None:
    async with chromium() as tab:
        for scheme in ("light", "dark"):
            media = [{"name": "prefers-color-scheme", "value": scheme}]
            await tab.command("Emulation.setEmulatedMedia", features=media)
            await opened(tab, origin)
            await tab.until("document.querySelector('.plot canvas') !== null")
            assert await tab.value("document.querySelector('.chart details').open") is False
            assert await tab.value("document.querySelectorAll('.chart .scroll tbody tr').length") == 19
            assert await wrong(tab) == []
        assert tab.said == []


async def test_a_chart_tells_times_as_its_table_does_wherever_the_browser_is(origin: str) -> None:
    async with chromium() as tab:
        await tab.command("Emulation.setTimezoneOverride", timezoneId="America/New_York")
        await opened(tab, origin)
        await tab.until("document.querySelector('.plot canvas') !== null")
        await tab.value(
            "{ const over = document.querySelector('.u-over'), box = over.getBoundingClientRect();"
            "for (const [kind, at] of [['mouseenter', 1], ['mousemove', 1], ['mousemove', 2]])"
            "over.dispatchEvent(new MouseEvent(kind, { clientX: box.left + at, clientY: box.top + 9, bubbles: true })); }"
        )
        await tab.until("/\\d/.test(document.querySelector('.u-legend .u-value').textContent)")
        told = await tab.value("document.querySelector('.u-legend .u-value').textContent")
        assert told == await tab.value("document.querySelector('.chart .scroll tbody th').textContent.trim()")
        assert told == "1 January 2026"


async def opened(tab: Tab, origin: str) -> None:
    await tab.go(f"{origin}/sources", "/sources")
    await tab.until("typeof htmx === 'object'")
    await tab.value("window.same = 1")
