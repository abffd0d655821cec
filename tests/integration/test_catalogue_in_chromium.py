"""The catalogue in a real browser: from looking for something to how to get it, for anybody, and to be read by everybody."""

import asyncio
import json
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from tests.axe import AXE, RUN
from tests.chromium import Tab, chromium
from tests.servers import free_port
from tests.unit.catalogue.examples import MEASURED
from tests.unit.catalogue.portal import RECIPIENT, Others, Shelf, found

from sluis.catalogue import keep_measurements

THEIRS = f"/catalogue/of/{str.__str__(RECIPIENT)}?entry={quote(found(1).iri, safe='')}"
PAGES = ("/catalogue?q=qqqqqqqq&kind=dataset", "/catalogue/datasets/inkomen", THEIRS)


async def wrong(tab: Tab) -> list[str]:
    """What axe finds on the page that is there, and whether one must scroll sideways to read it (WCAG 2.2, 1.4.10)."""
    await tab.value(f"{AXE};0")
    run = f"{RUN}.then(r => JSON.stringify([r.passes.length, r.violations.map(v => v.id + ' ' + v.nodes[0].html)]))"
    answer = await tab.command("Runtime.evaluate", expression=run, awaitPromise=True, returnByValue=True)
    passed, violations = json.loads(answer["result"]["value"])
    assert passed > 10
    wide = await tab.value("document.documentElement.scrollWidth > innerWidth")
    return [*violations, *(["wider than the screen"] if wide else [])]


@pytest.mark.prove
async def test_anybody_finds_something_and_how_to_get_it(tmp_path: Path) -> None:
    keep_measurements(tmp_path, [MEASURED])
    shelf = Shelf(tmp_path, others=Others(*(found(number) for number in range(30))))
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(
        uvicorn.Config(shelf.app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    try:
        async with chromium() as tab:
            await tab.command("Network.enable")
            for language, ask, searched in (
                ("nl", "Vraag toegang aan", "inkomn"),
                ("en", "Ask for access", "incme"),
            ):
                await tab.command("Network.setExtraHTTPHeaders", headers={"accept-language": language})
                for width in (320, 1440):
                    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
                    await tab.command("Emulation.setDeviceMetricsOverride", **size)
                    await tab.go(f"{origin}/catalogue", "/catalogue")
                    assert await wrong(tab) == []
                    await tab.value(f"document.querySelector('#q').value = {json.dumps(searched)}")
                    await tab.value("document.querySelector('.seek button').click()")
                    await tab.until("document.readyState === 'complete' && location.search.startsWith('?q=')")
                    assert await wrong(tab) == []
                    await tab.value(
                        "document.querySelector('.finds a[href=\"/catalogue/datasets/inkomen\"]').click()"
                    )
                    await tab.at("/catalogue/datasets/inkomen")
                    assert await tab.value("document.querySelector('main .button').innerText") == ask
                    assert await tab.value("document.documentElement.lang") == language
                    for path in PAGES:
                        await tab.go(origin + path, path.partition("?")[0])
                        assert await wrong(tab) == [], (path, language, width)
            dark = [{"name": "prefers-color-scheme", "value": "dark"}]
            await tab.command("Emulation.setEmulatedMedia", features=dark)
            for path in ("/catalogue?kind=dataset", "/catalogue/datasets/inkomen"):
                await tab.go(origin + path, path.partition("?")[0])
                assert await wrong(tab) == [], path
            assert tab.said == []  # no script, style or file that the policy of the page stopped
    finally:
        server.should_exit = True
        await serving
