"""Pages of the book as notebooks, through nbformat: for `mkdocs build`, which offers them, and for the tests."""

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from book import BLOCK

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

TUTORIALS = {"interactions.md", "ratings.md", "tables.md", "images.md"}
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")
HEADING = re.compile(r"\A# (.+)\n")


def to_notebook(text: str) -> nbformat.NotebookNode:
    """The prose of a page as cells of Markdown, its Python as cells of code, its commands as cells of a shell.

    Links to other pages become their words, since a notebook lies by itself.
    """
    cells, at = [], 0
    for block in BLOCK.finditer(text):
        cells += _prose(text[at : block.start()])
        cells.append(_code(block))
        at = block.end()
    cells += _prose(text[at:])
    for number, cell in enumerate(cells):
        cell["id"] = (
            f"cell-{number}"  # the same for the same page, so that two builds are the same
        )
    about = {
        "kernelspec": {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
    }
    return nbformat.v4.new_notebook(cells=cells, metadata=about)


def _prose(text: str) -> list[nbformat.NotebookNode]:
    text = LINK.sub(r"\1", text).strip()
    return [nbformat.v4.new_markdown_cell(text)] if text else []


def _code(block: re.Match[str]) -> nbformat.NotebookNode:
    code = textwrap.dedent(block["code"]).rstrip()
    if block["language"] == "python":
        return nbformat.v4.new_code_cell(code)
    # A command that is meant to refuse must not stop the notebook.
    error_is_meant = " --no-raise-error" if "fails" in block["words"].split() else ""
    return nbformat.v4.new_code_cell(f"%%bash{error_is_meant}\n{code}")


def on_page_markdown(
    text: str, page: "Page", config: "MkDocsConfig", files: "Files"
) -> str:
    """A tutorial with a link to its notebook, which is made of the page's source and joins the site's files."""
    from mkdocs.structure.files import File

    if page.file.src_uri not in TUTORIALS:
        return text
    name = f"{Path(page.file.src_uri).stem}.ipynb"
    files.append(
        File.generated(
            config,
            f"notebooks/{name}",
            content=nbformat.writes(to_notebook(page.file.content_string)),
        )
    )
    return HEADING.sub(
        rf"# \1\n\n[Download this page as a notebook](notebooks/{name})\n", text
    )
