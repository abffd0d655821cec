"""Somebody at a portal, in a real browser: in a language, on a screen of some width, with script or without, with a mouse or
with the keyboard alone. Every page that they stop at is held to WCAG 2.2 AA, and kept as a picture under `var/screenshots`.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect, sync_playwright
from tests.axe import AXE, RUN
from tests.servers import browser_driver, chromium_path

PICTURES = Path(__file__).parent.parent / "var" / "screenshots"
WIDTHS = (320, 768, 1440)

_FOUND = f"""async () => {{ if (!window.axe) {{ {AXE} }}
  const found = await {RUN};
  return {{passed: found.passes.length, wrong: found.violations.map(v => v.id + ': ' + v.nodes[0].html)}} }}"""
_TWICE = "() => { document.documentElement.style.fontSize = '200%' }"
_ONCE = "() => { document.documentElement.style.fontSize = '' }"
_FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
_CUT = "() => [...document.querySelectorAll('.listing .scroll')].some(one => one.scrollWidth > one.clientWidth + 1)"
_NUMBER = re.compile(
    r"(?<![\w-])\d{9}(?![\w-])"
)  # a BSN, and whatever looks like one; not part of a longer reference
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_TABS = 400  # more than any page has places to stop at


class Way(NamedTuple):
    """How somebody uses the portal."""

    language: Literal["nl", "en"]
    script: bool
    width: int
    hands: Literal["mouse", "keyboard"] = "mouse"

    def __str__(self) -> str:
        return f"{self.language}-{'script' if self.script else 'plain'}-{self.width}-{self.hands}"

    def say(self, nl: str, en: str) -> str:
        return en if self.language == "en" else nl


WAYS = (
    Way("nl", True, 320),
    Way("en", True, 768),
    Way("en", False, 320),
    Way("nl", False, 1440, "keyboard"),
)
"""Both languages with script and without, each width, and once without a mouse."""

TWO_WAYS = WAYS[1], WAYS[3]
"""For a further story of somebody who has one that is told in every way: all that differs, in half as many."""


class Visitor:
    """One person with one browser.

    Args:
        page: of a browser context of their own.
        portal: its address.
        way: how they use it.
        story: names the folder of their pictures.
    """

    def __init__(self, page: Page, portal: str, way: Way, story: str) -> None:
        self.page, self.portal, self.way = page, portal.rstrip("/"), way
        self._pictures = PICTURES / story / str(way)
        shutil.rmtree(self._pictures, ignore_errors=True)
        self._pictures.mkdir(parents=True)
        self._seen = 0
        self._devtools = page.context.new_cdp_session(page)
        self._allow_script(way.script)
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.set_default_timeout(15_000)

    def say(self, nl: str, en: str) -> str:
        return self.way.say(nl, en)

    def go(self, path: str, refused: bool = False) -> None:
        """Open a page of the portal by its address; `refused` when the portal does not let them."""
        answer = self.page.goto(self.portal + path)
        assert answer is not None
        assert (answer.status == 403) is refused
        if refused:  # Chromium complains of the status as well
            self.complaints.clear()

    def takes(self, name: str, folder: Path) -> Path:
        """Download by a link that says so. Returns: the document."""
        link = self.page.get_by_role("link", name=name).first
        with self.page.expect_download() as coming:
            if self.way.hands == "mouse":
                link.click()
            else:
                self._reach(link)
                self.page.keyboard.press("Enter")
        kept = folder / coming.value.suggested_filename
        coming.value.save_as(kept)
        return kept

    def sign_in(self, simulator: str, person: str, level: str, choice: int | None = None) -> None:
        """Through the simulator of a sign-in service, which is no part of the portal.

        Args:
            simulator: part of the title of the way of signing in.
            person: part of the name.
            level: as the simulator calls it, wholly.
            choice: for whom, counted from 0; None where there is nothing to choose.
        """
        self.press("link", simulator)
        page = self.page
        page.wait_for_url("**/sluis-simulator/**")
        page.locator("label.choice", has_text=person).first.click()
        page.locator(f"input[name=level][value='{level}']").check()
        page.locator("button.main").click()
        if choice is not None:
            page.locator(f"input[name=choice][value='{choice}']").check()
            page.locator("button.main").click()
        self.page.wait_for_url(f"{self.portal}/**")

    def press(
        self, role: Literal["link", "button", "radio", "checkbox"], name: str, within: str = "body"
    ) -> None:
        """A link or a button that leads on, by what it says; tick by its label."""
        self._use(self.page.locator(within).get_by_role(role, name=name).first)

    def open(self, summary: str) -> None:
        """Unfold what stands behind a line."""
        self._use(self.page.locator("summary", has_text=summary).first)

    def fill(self, label: str, value: str) -> None:
        """Type into a field by its label; choose, where it is a list."""
        field = self.page.get_by_label(label).first
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(label=value)
        elif self.way.hands == "keyboard" and field.get_attribute("type") != "date":
            self._reach(field)
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(value)
        else:
            field.fill(value)

    def tick(self, name: str) -> None:
        """Tick a box by the name of its field."""
        self._use(self.page.locator(f"input[type=checkbox][name='{name}']"))

    def waits_for(self, heading: str) -> None:
        """The page with this heading comes by itself, after a while."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=20_000)

    def reads(self, *texts: str) -> None:
        """These stand on the page, in its main part."""
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text)

    def does_not_read(self, *texts: str) -> None:
        """These do not stand anywhere on the page."""
        whole = self.page.locator("body").inner_text()
        assert not [text for text in texts if text in whole]

    def stops(self, label: str) -> None:
        """Look at the page that is there: kept as a picture, and nothing about it is wrong.

        How wide it is hangs on its words, not on script: that is looked at once for each language. The rules of WCAG hold
        for the page, not for the hands.
        """
        self._seen += 1
        page = self.page
        assert page.locator("h1").count() == 1, "one heading says what a page is about"
        assert page.locator("html").get_attribute("lang") == self.way.language
        assert not _NUMBER.search(page.title() + page.url), "no personal data in addresses and titles"
        self._allow_script(True)  # the page is there: what it could not run before, it does not run now
        try:
            page.screenshot(path=self._pictures / f"{self._seen:02}-{label}.png", full_page=True)
            wide = self._wide() if self.way.script else []
            barred = self._barred() if self.way.hands == "mouse" else []
        finally:
            self._allow_script(self.way.script)
        wrong = [*wide, *barred, *self.complaints]
        assert not wrong, f"{label} at {page.url}: {wrong}"

    def _barred(self) -> list[str]:
        """What keeps somebody out: each rule that the page breaks, with where."""
        found: Any = self.page.evaluate(_FOUND)
        assert found["passed"] > 10
        wrong: list[str] = found["wrong"]
        return wrong

    def _wide(self) -> list[str]:
        """Where one must scroll sideways to read the page (WCAG 2.2, 1.4.10), or with text twice as large (1.4.4); and on the widest
        screen, to read a list."""
        found = []
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if not self._fits():
                found.append(f"wider than {width} pixels")
        if self.page.evaluate(_CUT):
            found.append(f"a list is cut off at {WIDTHS[-1]} pixels")
        self.page.evaluate(_TWICE)
        if not self._fits():
            found.append("wider than the screen with text of 200 %")
        self.page.evaluate(_ONCE)
        self.page.set_viewport_size({"width": self.way.width, "height": 900})
        return found

    def _fits(self) -> bool:
        """Whether all of the page is within the screen, once what is drawn has followed its size."""
        try:
            self.page.wait_for_function(_FITS, timeout=2000)
        except TimeoutError:
            return False
        return True

    def _use(self, what: Locator) -> None:
        if self.way.hands == "mouse":
            what.click()
            return
        self._reach(what)
        if what.evaluate("one => one.matches('input, summary')"):
            self.page.keyboard.press("Space")
            return
        with self.page.expect_navigation():  # a click waits for it by itself
            self.page.keyboard.press("Enter")

    def _reach(self, what: Locator) -> None:
        """Go there with Tab; of radio buttons, as of any group, with the arrows from the one that Tab reaches."""
        expect(what).to_be_visible()
        for _ in range(_TABS):
            if what.evaluate("one => document.activeElement === one"):
                return
            self.page.keyboard.press("Tab")
            if what.evaluate(
                "one => one.type === 'radio' && document.activeElement?.name === one.name && document.activeElement !== one"
            ):
                self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the keyboard does not reach {what} on {self.page.url}")

    def _allow_script(self, allowed: bool) -> None:
        self._devtools.send("Emulation.setScriptExecutionDisabled", {"value": not allowed})


@contextmanager
def browsing() -> Iterator[Browser]:
    """Chromium without a window, ended with the block."""
    browser_driver()
    chromium = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Browser, portal: str, way: Way, story: str) -> Iterator[Visitor]:
    """Somebody new, with no history."""
    locale = way.say("nl-NL", "en-GB")
    context = browser.new_context(
        ignore_https_errors=True, locale=locale, viewport={"width": way.width, "height": 900}
    )
    try:
        yield Visitor(context.new_page(), portal, way, story)
    finally:
        context.close()
