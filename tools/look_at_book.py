"""Look at the built book in a browser: what is clipped or too faint, by width and palette, and what is not found.

    python tools/look_at_book.py site                      # every page, at 1,280 and 390 pixels, light and dark
    python tools/look_at_book.py site --shots shots index  # and a picture of those whose name holds a word

Needs the extra `test-slow` and Chromium. Clipped is what is wider than the window, or than its own box where the box
does not scroll. Contrast is measured by axe (WCAG 2 AA), which also misses the texts of pictures.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

NARROW, WIDE = 390, 1280
VIEWS = ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark"))
RULES = ["color-contrast", "image-alt", "link-name", "document-title"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CLIPPED = """() => {
  const found = [], wide = document.documentElement.clientWidth, page = document.documentElement.scrollWidth;
  if (page > wide + 1) found.push(`the page is ${page} px wide`);
  const scrolls = one => {
    for (let at = one; at && at !== document.body; at = at.parentElement)
      if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
    return false;
  };
  const parts = 'p, li, td, th, dd, dt, h1, h2, h3, img, table, math, code, pre, svg, figure';
  for (const one of document.querySelectorAll(`.md-content :is(${parts})`)) {
    const box = one.getBoundingClientRect();
    if (box.width === 0 || one.closest('.md-clipboard, .headerlink')) continue;
    const words = (one.textContent || one.getAttribute('alt') || '').trim().slice(0, 50);
    const what = `${one.tagName.toLowerCase()} ${words}`;
    if (box.right > wide + 1 && !scrolls(one)) found.push(`${what}: ends at ${Math.round(box.right)} px`);
    if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'hidden')
      found.push(`${what}: cut`);
  }
  return found;
}"""
CODE = """() => [...document.querySelectorAll('.md-content pre > code')]
  .filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => `code ${one.textContent.trim().slice(0, 50)}: ${one.scrollWidth} px in ${one.clientWidth}`)"""
SEARCHES = {
    "overfit": "lesson/regularisation",
    "mini-batch": "lesson/mini-batches",
    "backprop": "lesson/backpropagation",
    "latent": "lesson/components",
    "super-convergence": "lesson/annealing",
    "universal approximation": "lesson/universal-approximation",
    "Unicode": "lesson/unicode",
    "implicit feedback": "interactions",
    "deploy": "howto/deploy",
    "hyperparameter": "howto/tuning",
}
FIRST = 5  # of the pages found, those that are looked at
FOUND = "links => links.map(one => one.getAttribute('href').split('?')[0].split('#')[0])"
UNFOLD = """async () => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  await document.fonts.ready;
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""  # and wait until the page is laid out


def looked_at(site: Path, shots: Path | None, words: list[str]) -> Iterator[str]:
    """What is clipped or too faint, a line each.

    What is clipped does not depend on the palette, nor contrast on the width, so each is looked for once.

    Args:
        site: the built book.
        shots: where pictures of whole pages go; None takes none.
        words: only pages whose path holds one of them; empty for all.

    Yields:
        ``page, width, palette: what``.
    """
    from playwright.sync_api import sync_playwright

    pages = [one for one in sorted(site.rglob("*.html")) if one.name != "404.html"]
    pages = [one for one in pages if not words or any(word in one.relative_to(site).as_posix() for word in words)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox"])
        if not words:
            yield from _not_found(browser.new_page(), site / "index.html")
        for width, palette in VIEWS:
            if (width, palette) == (NARROW, "dark") and shots is None:
                continue
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=palette)
            tab = context.new_page()
            for path in pages:
                name = path.relative_to(site).as_posix()
                tab.goto(path.resolve().as_uri(), wait_until="load")
                tab.evaluate(UNFOLD)
                for line in _wrong(tab, width, palette):
                    yield f"{name}, {width}, {palette}: {line}"
                if shots is not None:
                    stem = name.removesuffix(".html").replace("/", "-")
                    tab.screenshot(path=shots / f"{stem}-{width}-{palette}.png", full_page=True)
            context.close()
        browser.close()


def _not_found(tab: "Page", start: Path) -> Iterator[str]:
    """Searches that do not have the page that explains the word among the first they find."""
    from playwright.sync_api import TimeoutError

    tab.goto(start.resolve().as_uri(), wait_until="load")
    field = tab.locator(".md-search__input")
    field.click()
    for word, page in SEARCHES.items():
        field.fill("")
        field.press_sequentially(word)
        results = tab.locator(".md-search-result__item > a.md-search-result__link")
        try:
            results.first.wait_for(timeout=20_000, state="attached")
        except TimeoutError:
            yield f"search, {word}: finds nothing"
            continue
        tab.wait_for_timeout(1000)  # the list fills as it is found
        pages = list(dict.fromkeys(results.evaluate_all(FOUND)))[:FIRST]
        if not any(one.endswith(f"{page}.html") for one in pages):
            yield f"search, {word}: {page} is not among {', '.join(one.rpartition('site/')[2] for one in pages)}"


def _wrong(tab: "Page", width: int, palette: str) -> Iterator[str]:
    """What is wrong on the page that a tab shows; code wider than its box counts where 88 columns must fit."""
    from axe_playwright_python.sync_playwright import Axe

    if palette == "light":
        yield from tab.evaluate(CLIPPED)
    if width != WIDE:
        return
    if palette == "light":
        yield from tab.evaluate(CODE)
    found = Axe().run(tab, options={"runOnly": {"type": "rule", "values": RULES}, "resultTypes": ["violations"]})
    for violation in found.response["violations"]:
        for node in violation["nodes"]:
            why = (node["any"] or node["all"] or node["none"])[0]["message"]
            yield f"{violation['id']}: {node['target'][0]}: {why}"


def _browser() -> str | None:
    """Chromium of the machine; None for that of Playwright."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def main() -> int:
    """Look at the book in a folder; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="Look at the built book in a browser.")
    parser.add_argument("site", type=Path)
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the pages")
    parser.add_argument("words", nargs="*", help="only pages whose path holds one of these")
    given = parser.parse_args()
    if not list(given.site.glob("*.html")):
        print(f"{given.site} holds no page. Build the book first: make docs")
        return 1
    if given.shots is not None:
        given.shots.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for line in looked_at(given.site, given.shots, given.words):
        print(line, flush=True)
        wrong += 1
    print(f"{wrong} wrong" if wrong else "the book: nothing is clipped or too faint")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
