"""Tutorials as notebooks: their cells are the page's, and they run from top to bottom in a kernel of their own."""

import os
import sys
from pathlib import Path

import nbformat
import pytest

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))
from notebooks import TUTORIALS, to_notebook  # noqa: E402 - the book is no package

PAGE = """# A page

See [the glossary](glossary.md#cell) and [elsewhere](https://example.org/).

```python show=markdown
1 + 1
```

```sh fails
false
```
"""


def test_prose_code_and_commands_become_cells() -> None:
    book = to_notebook(PAGE)
    nbformat.validate(book)
    assert [(cell.cell_type, cell.source) for cell in book.cells] == [
        ("markdown", "# A page\n\nSee the glossary and [elsewhere](https://example.org/)."),
        ("code", "1 + 1"),
        ("code", "%%bash --no-raise-error\nfalse"),
    ]
    assert nbformat.writes(book) == nbformat.writes(to_notebook(PAGE))


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(page for page in TUTORIALS if (DOCS / page).exists()))
def test_it_runs_from_top_to_bottom(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = to_notebook((DOCS / page).read_text(encoding="utf-8"))
    nbclient.NotebookClient(book, timeout=None, resources={"metadata": {"path": str(tmp_path)}}).execute()
    ran = [cell for cell in book.cells if cell.cell_type == "code"]
    assert ran
    assert all(cell.execution_count for cell in ran)
