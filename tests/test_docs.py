"""The book: every block of every page runs, and what runs it keeps its promises."""

import ast
import os
import re
import sys
import textwrap
import time
import warnings
from pathlib import Path
from pkgutil import resolve_name

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SLOW_LESSONS = ["index", "fine-tuning", "one-cycle", "rmsprop", "factors", "adam", "bias", "sgd"]
SLOW_LESSONS += ["dropout-batch-norm", "exercises"]
SLOW = {"tables", "posterior", "interactions", "ratings", "images", "index", "how-it-is-built", "migrating"}
SLOW |= {"howto/your-own-csv", "howto/imbalance", "howto/new-users", "howto/deploy", "howto/tuning", "howto/databases"}
SLOW |= {"howto/many-machines", "howto/serving"}
SLOW |= {f"lesson/{page}" for page in SLOW_LESSONS}
sys.path.insert(0, str(DOCS))
import book  # noqa: E402 - the book is no package
import building  # noqa: E402
import page_cache  # noqa: E402

ONLY_SHOWN = {"text", "ini", "js", "yaml"}  # settings of other programs, and a script for a browser


def run(text: str, folder: Path) -> "book.RunPage":
    return book.run_page(Path("page.md"), folder, text)


def as_parameter(page: Path):
    name = page.relative_to(DOCS).with_suffix("").as_posix()
    return pytest.param(page, id=name, marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.parametrize("page", [as_parameter(page) for page in PAGES])
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^ *```(\w+)", text, flags=re.MULTILINE)
    assert set(fences) <= {"python", "sh"} | ONLY_SHOWN, "a block in a language that nobody runs"
    assert len(book.BLOCK.findall(text)) == len([one for one in fences if one not in ONLY_SHOWN]), "a block is not seen"
    started = time.perf_counter()
    ran = book.run_page(page, tmp_path)
    for name in ran.pictures:
        assert re.search(rf"!\[[^\]]{{10,}}\]\({page.stem}/{name}\)", ran.text), "a picture without words for it"
    assert bool(ran.pictures) == ("<figcaption" in ran.text), "a picture without a caption"
    if book.BLOCK.search(text):  # so that `make docs` need not run it again
        name = page.relative_to(DOCS).as_posix()
        page_cache.keep(name, text, (ran.text, ran.pictures), time.perf_counter() - started)


@pytest.mark.parametrize(
    ("searched", "page"),
    [
        ("overfit", "lesson/regularisation"),
        ("mini-batch", "lesson/mini-batches"),
        ("backprop", "lesson/backpropagation"),
        ("latent", "lesson/components"),
        ("super-convergence", "lesson/annealing"),
        ("universal approximation", "lesson/universal-approximation"),
        ("unicode", "lesson/unicode"),
        ("implicit feedback", "interactions"),
        ("deploy", "howto/deploy"),
        ("hyperparameter", "howto/tuning"),
    ],
)
def test_what_a_student_searches_for_is_in_a_page_that_explains_it(searched: str, page: str) -> None:
    assert searched in (DOCS / f"{page}.md").read_text(encoding="utf-8").lower()


def test_code_is_at_most_88_columns_wide() -> None:
    fence = re.compile(r"^(?P<indent> *)```\w+[^\n`]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
    for page in PAGES:
        for block in fence.finditer(page.read_text(encoding="utf-8")):
            wide = [line for line in textwrap.dedent(block["code"]).splitlines() if len(line) > 88]
            assert wide == [], page.name


def test_every_page_is_in_the_contents() -> None:
    contents = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    assert sorted(re.findall(r"\S+\.md", contents)) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


def test_every_name_in_the_reference_is_there_and_new() -> None:
    for page in (DOCS / "reference").glob("*.md"):
        for name in re.findall(r"^::: (vectable[\w.]*)$", page.read_text(encoding="utf-8"), re.M):
            with warnings.catch_warnings():
                warnings.simplefilter("error", DeprecationWarning)
                assert resolve_name(name) is not None, f"{page.name} names {name}"


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+\.\w+)", page.read_text(encoding="utf-8")):
            made_by = (page.parent / target).parent.with_suffix(".md")  # a picture that another page draws
            drawn = re.search(r"/\d+\.png$", target)
            there = made_by.is_file() if drawn else (page.parent / target).is_file()
            assert there, f"{page.name} links to {target}"


def strings_of_the_package() -> str:
    """Every string in the source of the package, the fixed parts of those with values among them, a line each."""
    found = []
    for file in (DOCS.parent / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def test_every_message_in_the_index_of_errors_is_one_that_the_package_has() -> None:
    said = strings_of_the_package()
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert len(rows) >= 30
    assert [message for message, _, _ in rows if message not in said] == []


def test_what_is_printed_and_what_the_last_line_is_stand_below_the_block(tmp_path: Path) -> None:
    ran = run("Before.\n\n```python\nx = 2\nprint('said')\nx + 1\n```\n\n```python\nx * 5\n```\nAfter.\n", tmp_path)
    said, product = re.findall(r"^```{ \.text \.no-copy \.output \.prose }\n(.*?)^```$", ran.text, flags=re.M | re.S)
    assert (said, product) == ("said\n3\n", "10\n")
    assert ran.text.startswith("Before.\n\n```python\nx = 2\n")
    assert ran.text.endswith("After.\n")


def test_figures_frames_and_files_are_shown(tmp_path: Path) -> None:
    drawing = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('mine.svg')\n"
    framing = "import polars as pl\npl.DataFrame({'a|b': [1.23456, None], 'c': ['x', 'y']})\n"
    ran = run(f"```python\n{drawing}```\n```python\n{framing}```\n", tmp_path)
    assert {name: content[:5] for name, content in ran.pictures.items()} == {"1.png": b"\x89PNG\r", "2.svg": b"<?xml"}
    assert "(page/1.png){ width=560 }" in ran.text
    assert "| a\\|b | c |\n| --: | :-- |\n| 1.235 | x |\n|  | y |" in ran.text


def test_a_caption_stands_below_a_picture_and_its_axes_are_said_where_it_cannot_be_seen(tmp_path: Path) -> None:
    drawing = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2], label='a')\nplt.xlabel('step')\nplt.ylabel('loss [x]')\n"
    )
    ran = run(f"```python caption=\"It 'rises' here.\"\n{drawing}```\n", tmp_path)
    assert "![Plot: loss  x  by step: a](page/1.png)" in ran.text
    assert "<figcaption markdown>It 'rises' here.</figcaption>" in ran.text


def test_long_output_is_folded_and_long_lines_are_wrapped(tmp_path: Path) -> None:
    ran = run("```python\nprint('word ' * 40)\n```\n```python\nfor n in range(30): print(n, '  ', n)\n```\n", tmp_path)
    assert max(map(len, ran.text.splitlines())) <= 100
    assert ran.text.count("word") == 41
    assert ".output .prose }" in ran.text
    assert '??? output "What it prints: 30 lines"\n\n    ```{ .text .no-copy .output }\n    0    0\n' in ran.text


def test_commands_run_in_the_same_folder_and_may_be_meant_to_refuse(tmp_path: Path) -> None:
    write = "from pathlib import Path\nsize = Path('here.txt').write_text('words')\n"
    ran = run(f"```python\n{write}```\n```sh\ncat here.txt\n```\n```sh fails\ncat gone\n```\n", tmp_path)
    assert "\nwords\n" in ran.text
    assert "No such file" in ran.text
    assert "fails" not in ran.text


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```python\nx = 1\nx / 0\n```", "page.md: the block from line 4 raised ZeroDivisionError: division by zero"),
        ("```sh\nfalse\n```", "page.md, line 3: the command ended with 1"),
        ("```sh fails\ntrue\n```", "page.md, line 3: the command ended with 0"),
        ("```python neds=os\n```", "there is no word ['neds']"),
    ],
)
def test_a_page_that_does_not_run_says_where(block: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(book.BookError, match=re.escape(said)):
        run(f"One.\n\n{block}\n", tmp_path)


def test_a_block_waits_for_its_package_but_not_for_its_grammar(tmp_path: Path) -> None:
    ran = run("```python needs=no_such_package\nimport no_such_package\n```\n", tmp_path)
    assert ran.skipped == ["no_such_package"]
    with pytest.raises(SyntaxError):
        run("```python needs=no_such_package\nimport import\n```\n", tmp_path)


def test_formulas_become_mathml() -> None:
    pytest.importorskip("latex2mathml", reason="needs the extra 'docs'")
    shown = building.on_page_content(r'<p><span class="arithmatex">\(a &lt; b_1\)</span></p>')
    assert shown.startswith('<p><span class="formula formula-inline"><math')
    assert "<mo>&#x0003C;</mo>" in shown
    assert "arithmatex" not in shown


def test_what_a_page_computed_is_kept_until_it_changes(tmp_path: Path) -> None:
    output = "one ran", {"1.png": b"one"}
    assert page_cache.kept("lesson/page.md", "one", tmp_path) is None
    page_cache.keep("lesson/page.md", "one", output, 2.5, tmp_path)
    assert page_cache.kept("lesson/page.md", "one", tmp_path) == output
    assert page_cache.kept("lesson/page.md", "two", tmp_path) is None
    assert page_cache.last_seconds("lesson/page.md", "two", tmp_path) == 2.5
    page_cache.keep("lesson/page.md", "two", output, 1.0, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1, "the output of the page as it was before is still there"


def test_pages_run_side_by_side_and_one_that_does_not_run_is_named(tmp_path: Path) -> None:
    texts = {name: f"```python\nprint('{name}')\n```\n" for name in ("one", "two", "three")}
    pages = {name: (str(tmp_path / f"{name}.md"), text) for name, text in texts.items()}
    threads = os.environ.get("OMP_NUM_THREADS")
    ran = {name: shown for name, (shown, _), _ in building.run_all(pages)}
    assert os.environ.get("OMP_NUM_THREADS") == threads
    assert sorted(ran) == sorted(pages)
    assert all(f"\n{name}\n" in shown for name, shown in ran.items())
    with pytest.raises(book.BookError, match="the block from line 2 raised ZeroDivisionError"):
        list(building.run_all({"bad.md": (str(tmp_path / "bad.md"), "```python\n1 / 0\n```\n")}))


def test_a_page_that_waits_for_a_package_has_another_key_than_one_that_does_not() -> None:
    assert page_cache.key_of("```python needs=nothere") != page_cache.key_of("```python needs=json")
