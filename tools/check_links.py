"""Check that every link, picture, script and anchor of the built book leads somewhere in it.

    python tools/check_links.py site

Addresses with a scheme are left alone: nothing is fetched.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

REFERENCES = {"href", "src", "data-src"}


class _Page(HTMLParser):
    """What a page names, and what it can be named by."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag refers to and the anchors that it makes."""
        for name, value in attrs:
            if name in REFERENCES and value is not None:
                self.references.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")


def broken_links(site: Path) -> list[str]:
    """A line for each reference that leads nowhere: page, reference, why.

    Raises:
        FileNotFoundError: there is no page in the folder.
    """
    pages: dict[Path, _Page] = {}
    for path in sorted(site.rglob("*.html")):
        pages[path.resolve()] = page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
    if not pages:
        raise FileNotFoundError(f"{site} holds no page. Build the book first: make docs")
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # shown at any address, so it links from the root
            continue
        for reference in page.references:
            if why := _why_broken(reference, path, pages):
                broken.append(f"{path.relative_to(site.resolve())}: {reference}: {why}")
    return broken


def _why_broken(reference: str, path: Path, pages: dict[Path, _Page]) -> str:
    """What is wrong with a reference of the page at `path`; an empty string where nothing is."""
    address, anchor = urldefrag(reference)
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "no such file"
    if anchor and target in pages and unquote(anchor) not in pages[target].anchors:
        return "no such anchor"
    return ""


def main(names: list[str]) -> int:
    """Check the book in a folder; 1 where a reference leads nowhere."""
    site = Path(names[0] if names else "site")
    broken = broken_links(site)
    print("\n".join(broken) if broken else f"links: none broken on {len(list(site.rglob('*.html')))} pages")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
