"""What `mkdocs build` calls: pages run side by side, one process per processor, and formulas become MathML.

A page that ran before and has not changed is taken from `page_cache.py`. Each process computes with one thread, so
that they do not take the processors from each other; no variable needs to be set.
"""

import html
import logging
import multiprocessing
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import book
import page_cache

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

MATHS = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.S)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
THREADS += ("NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")

log = logging.getLogger("mkdocs.book")
outputs: dict[str, page_cache.Output] = {}


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Run the pages that have changed, before mkdocs reads the first; their pictures join the site's files."""
    from mkdocs.structure.files import File

    pages = {
        file.src_uri: (str(file.abs_src_path), file.content_string)
        for file in files.documentation_pages()
        if book.BLOCK.search(file.content_string)
    }
    outputs.clear()
    for name, (_, text) in pages.items():
        if kept := page_cache.kept(name, text):
            outputs[name] = kept
    changed = {name: page for name, page in pages.items() if name not in outputs}
    log.info(f"{len(outputs)} pages have not changed, {len(changed)} run")
    for name, output, seconds in run_all(changed):
        page_cache.keep(name, pages[name][1], output, seconds)
        outputs[name] = output
        log.info(f"{name}: ran in {seconds:.1f} s")
    for name, (_, pictures) in outputs.items():
        for picture, content in pictures.items():
            where = (Path(name).with_suffix("") / picture).as_posix()
            files.append(File.generated(config, where, content=content))
    return files


def run_all(
    pages: dict[str, tuple[str, str]],
) -> Iterator[tuple[str, page_cache.Output, float]]:
    """Run pages, the longest first, so that none is left running alone at the end.

    Args:
        pages: by name, the path and the text of each.

    Yields:
        The name, the output and the seconds of each page as it is done.

    Raises:
        BookError: a page does not run; those that have not begun are left.
    """
    if not pages:
        return
    order = sorted(
        pages,
        key=lambda name: page_cache.last_seconds(name, pages[name][1]),
        reverse=True,
    )
    workers = min(_processors(), len(order))
    spawn = multiprocessing.get_context("spawn")
    with _surroundings(), ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        waiting = {
            pool.submit(book.timed_output_of, *pages[name]): name for name in order
        }
        try:
            for done in as_completed(waiting):
                yield waiting[done], *done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _processors() -> int:
    """How many this process may use."""
    able = getattr(os, "sched_getaffinity", None)
    return len(able(0)) if able else os.cpu_count() or 1


@contextmanager
def _surroundings() -> Iterator[None]:
    """Processes started inside compute with one thread each, and find the files beside this one."""
    before, path = {name: os.environ.get(name) for name in THREADS}, sys.path[:]
    os.environ.update(dict.fromkeys(THREADS, "1"))
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        yield
    finally:
        sys.path[:] = path
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def on_page_markdown(text: str, page: "Page", **_: Any) -> str:
    """The page with its output."""
    return outputs[page.file.src_uri][0] if page.file.src_uri in outputs else text


def on_page_content(text: str, **_: Any) -> str:
    """Formulas as MathML, which browsers show by themselves: no script, no fonts."""
    from latex2mathml.converter import convert

    def formula(found: re.Match[str]) -> str:
        display = "block" if found[2] == "[" else "inline"
        drawn = convert(html.unescape(found[3]), display=display)
        return f'<span class="formula formula-{display}">{drawn}</span>'  # .inline alone floats: it is the theme's

    return MATHS.sub(formula, text)
