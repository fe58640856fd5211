"""The workbooks: every cell recalculated by other programs, the lesson's own values, and inputs that can be changed."""

import shutil
import subprocess
import zipfile
from dataclasses import replace

import formulas
import numpy as np
import openpyxl
import pytest

import vectable as vt
from vectable import lab
from vectable.errors import DataError, VectableError
from vectable.lab.dense_corner import dense_corner
from vectable.lab.trace import by_macro, make_from, trace, warmed_up
from vectable.lab.workbooks import descents
from vectable.lab.workbooks.collab import write_collab
from vectable.lab.workbooks.corner import Corner, fit_corner
from vectable.lab.workbooks.entropy import write_entropy
from vectable.lab.workbooks.graddesc import write_graddesc
from vectable.lab.workbooks.lesson_files import lesson_ratings, read_block
from vectable.lab.workbooks.writing import Book, cell


def small_corner(users=6, items=5, k=2):
    """Ratings with names that are hard to write down, and factors that fit nothing."""
    rng = np.random.default_rng(0)
    ratings = np.round(3 + rng.normal(size=(users, items)), 1).clip(1, 5)
    ratings[rng.random(ratings.shape) < 0.2] = np.nan
    dot = lab.start_factors(ratings, k)
    biased = replace(dot, user=dot.user.copy(), user_bias=rng.normal(size=users), item_bias=rng.normal(size=items))
    names = [f"user {at}" for at in range(users)], ["Café", "What?*~", "<b>&", "a" * 300, "=1+1"][:items]
    limited = replace(biased, user=dot.user + 0.1, y_range=(0.5, 5.5))
    return Corner(ratings, *names, dot, biased, limited, ["Made up."], list(range(11, 11 + users)))


@pytest.fixture
def books(tmp_path):
    """Each workbook, small."""
    return [
        write_graddesc(tmp_path / "graddesc.xlsx", epochs=2),
        write_collab(tmp_path / "collab.xlsx", small_corner()),
        write_entropy(tmp_path / "entropy.xlsx"),
    ]


def computed_cells(path):
    """Formula and value in the file, of every computed cell: (sheet, cell) -> (formula, value)."""
    texts, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    return {
        (sheet.title, one.coordinate): (one.value, values[sheet.title][one.coordinate].value)
        for sheet in texts.worksheets
        for row in sheet.iter_rows()
        for one in row
        if isinstance(one.value, str) and one.data_type == "f"
    }


def same(found, expected):
    return type(found) in (int, float) and abs(found - expected) <= max(1e-12, 1e-9 * abs(expected))


# ---------------------------------------------------------------- recalculated by LibreOffice


@pytest.fixture
def recalculate(tmp_path):
    """Have LibreOffice compute workbooks anew: what they say was computed is thrown away first."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("needs LibreOffice: there is no soffice on the path (apt-get install libreoffice-calc)")

    def run(paths, change=None):
        bare, done = tmp_path / "bare", tmp_path / "done"
        for folder in (bare, done):
            folder.mkdir(exist_ok=True)
        for path in paths:
            book = openpyxl.load_workbook(path)  # formulas only
            if change is not None:
                change(book)
            book.save(bare / path.name)
        subprocess.run(
            [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to",
             "xlsx:Calc MS Excel 2007 XML", "--outdir", done, *(bare / path.name for path in paths)],
            check=True, capture_output=True,
        )  # fmt: skip
        return [openpyxl.load_workbook(done / path.name, data_only=True) for path in paths]

    return run


@pytest.mark.slow
def test_libreoffice_computes_every_cell_as_the_lab_does(books, recalculate, tmp_path):
    ratings = vt.datasets.load("goodbooks").to_data(valid_pct=0).train_ratings
    matrix, users, items = dense_corner(ratings.user, ratings.item, ratings.rating.astype(float), 15)
    corner = fit_corner(matrix, [str(one) for one in users], [str(one) for one in items], [])
    books.append(write_collab(tmp_path / "shipped.xlsx", corner))
    counts = []
    for path, anew in zip(books, recalculate(books), strict=True):
        cells = computed_cells(path)
        wrong = {
            where: (formula, value, anew[where[0]][where[1]].value)
            for where, (formula, value) in cells.items()
            if not same(anew[where[0]][where[1]].value, value)
        }
        assert not wrong, (path.name, len(wrong), list(wrong.items())[:3])
        counts.append(len(cells))
    assert counts[0] > 5000
    assert counts[3] > 8000


def test_inputs_that_are_changed_change_everything_after_them(recalculate, tmp_path):
    """Another rate, another start and another point: the sheet descends as the lab does with them."""

    def change(book):
        book["data"]["A8"] = 50
        basic, heads = book["basic"], {}
        for row in basic.iter_rows(max_row=5):
            for one in row:
                if one.value in ("start b", "start a", "rate"):
                    heads[one.value] = basic.cell(one.row + 1, one.column)
        heads["start b"].value, heads["start a"].value, heads["rate"].value = 5, 0.5, 2e-4

    path = write_graddesc(tmp_path / "graddesc.xlsx", epochs=2)
    (anew,) = recalculate([path], change)
    x, _ = lab.lesson_points()
    x[0] = 50
    *_, last = trace(lab.SGD(2e-4), x, 2 * x + 30, 2, (5.0, 0.5))
    at = place_of(anew["basic"], "new b")
    assert same(anew["basic"].cell(at[0] + 58, at[1]).value, last.after[0])
    assert same(anew["basic"].cell(at[0] + 58, at[1] + 1).value, last.after[1])


def test_a_changed_factor_keeps_the_three_forms_equal(recalculate, tmp_path):
    corner = small_corner()

    def change(book):
        sheet = book["dot product"]
        row, column = place_of(sheet, "factor 1", last=True)
        assert same(sheet.cell(row + 1, column).value, corner.dot.user[0, 0])
        sheet.cell(row + 1, column).value = 2.5

    (anew,) = recalculate([write_collab(tmp_path / "collab.xlsx", corner)], change)
    corner.dot.user[0, 0] = 2.5
    sheet = anew["start here"]
    row, column = place_of(sheet, "root mean squared error")
    for at in (1, 2, 3):
        assert same(sheet.cell(row + at, column).value, corner.dot.rmse(corner.ratings))
    assert same(sheet.cell(row + 4, column).value, corner.biased.rmse(corner.ratings))


def place_of(sheet, text, last=False):
    found = [(one.row, one.column) for row in sheet.iter_rows() for one in row if one.value == text]
    return found[-1 if last else 0]


# ---------------------------------------------------------------- recalculated in Python


@pytest.mark.parametrize("name", ["entropy", "collab"])
def test_an_independent_evaluator_agrees_cell_by_cell(tmp_path, name):
    write = {"entropy": write_entropy, "collab": lambda path: write_collab(path, small_corner(4, 3))}[name]
    evaluate_and_compare(write(tmp_path / f"{name}.xlsx"), tmp_path)


@pytest.mark.slow
def test_an_independent_evaluator_agrees_on_the_descents(tmp_path):
    evaluate_and_compare(write_graddesc(tmp_path / "graddesc.xlsx", epochs=1), tmp_path)


def evaluate_and_compare(path, tmp_path):
    """The package `formulas` computes the workbook, whose own results have been thrown away."""
    bare = tmp_path / "bare.xlsx"
    openpyxl.load_workbook(path).save(bare)
    solution = formulas.ExcelModel().loads(str(bare)).finish().calculate()
    found = {str(key).upper(): ranges.value[0, 0] for key, ranges in solution.items() if hasattr(ranges, "value")}
    cells = computed_cells(path)
    for (sheet, at), (formula, value) in cells.items():
        assert same(float(found[f"'[BARE.XLSX]{sheet.upper()}'!{at}"]), value), (sheet, at, formula, value)
    assert len(cells) > 100


# ---------------------------------------------------------------- the lesson's own workbooks


@pytest.fixture(scope="module")
def lesson_folder(data_dir):
    folder = data_dir / "lesson_xl"
    if not (folder / "graddesc.xlsm").is_file():
        pytest.skip(f"needs the lesson's workbooks: there is no {folder / 'graddesc.xlsm'}")
    return folder


GRADIENTS, AFTER, AVERAGES, SQUARES = ["b", "a"], ["after b", "after a"], ["avg b", "avg a"], ["sq b", "sq a"]
TRIED = ["b_more", "b_est", "a_more", "a_est"]
DESCENTS = {
    # sheet: where the rate is, the averages before the first row, the values to be reproduced, and what these are
    "basic": ("F1", None, "E4:N32", ["predicted", "error", *TRIED, *GRADIENTS, "after a", "after b"]),
    "momentum": ("D2", "J3:K3", "E4:L32", ["predicted", *GRADIENTS, *AFTER, *AVERAGES, "error"]),
    "rmsprop": ("D2", "J3:K3", "E4:K32", ["predicted", *GRADIENTS, *AFTER, *SQUARES]),
    "adam": ("D2", "J3:M3", "E4:M32", ["predicted", *GRADIENTS, *AFTER, *AVERAGES, *SQUARES]),
    "adam_ann": ("D2", "J3:M3", "E4:M32", ["predicted", *GRADIENTS, *AFTER, *AVERAGES, *SQUARES]),
}


@pytest.mark.parametrize("sheet", DESCENTS)
def test_the_lessons_descents_are_reproduced_from_their_starts(lesson_folder, sheet):
    rate_at, averages_at, values_at, columns = DESCENTS[sheet]

    def read(cells):
        return np.array(read_block(lesson_folder / "graddesc.xlsm", sheet, cells), dtype=float)

    start, rate = tuple(read("C1:C2")[:, 0]), float(read(f"{rate_at}:{rate_at}")[0, 0])
    before = read(averages_at)[0] if averages_at else ()
    x, y = read("A4:A32")[:, 0], read("B4:B32")[:, 0]
    np.testing.assert_array_equal(x, lab.lesson_points()[0])
    averages = {"average": tuple(before[:2]), "squares": tuple(before[2:])}
    one = {
        "basic": lambda: descents.basic(x, y, 1, start, rate),
        "momentum": lambda: descents.momentum(x, y, 1, start, rate, average=tuple(before)),
        "rmsprop": lambda: descents.rmsprop(x, y, 1, start, rate, squares=tuple(before)),
        "adam": lambda: descents.adam(x, y, 1, start, rate, (0.9, 0.9), **averages),
        "adam_ann": lambda: descents.adam(x, y, 1, start, rate, (0.9, 0.95), **averages),
    }[sheet]()
    for at, (row, expected) in enumerate(zip(one.rows, read(values_at), strict=True)):
        found = {
            "predicted": row.predicted, "error": row.error, "b": row.gradient[0], "a": row.gradient[1],
            "after b": row.after[0], "after a": row.after[1], "avg b": row.average[0], "avg a": row.average[1],
            "sq b": row.squares[0], "sq a": row.squares[1],
            "b_more": lab.line_loss(x[at : at + 1], y[at : at + 1], row.before[0] + 0.01, row.before[1]),
            "a_more": lab.line_loss(x[at : at + 1], y[at : at + 1], row.before[0], row.before[1] + 0.01),
        }  # fmt: skip
        found |= {f"{which}_est": (found[f"{which}_more"] - row.error) / 0.01 for which in "ba"}
        np.testing.assert_allclose([found[name] for name in columns], expected, rtol=1e-9, atol=1e-9)


def test_the_lessons_five_epochs_are_its_macros(lesson_folder):
    """Plain descent and RMSProp, five epochs from (1, 1): where the workbook stands, and its list of errors."""
    points = lab.lesson_points()

    def read(sheet, cells):
        return np.array(read_block(lesson_folder / "graddesc.xlsm", sheet, cells), dtype=float)

    ways = by_macro(lab.SGD(1e-4), *points, epochs=5)
    np.testing.assert_allclose(ways[-1], read("basic", "C1:C2")[:, 0], rtol=1e-12)
    roots = [np.sqrt(sum(row.error for row in trace(lab.SGD(1e-4), *points, 1, start))) for start in ways]
    np.testing.assert_allclose(roots, read("basic", "C38:C42")[:, 0], rtol=1e-12)

    average, squares = warmed_up(lab.WorkbookRMSProp, 0.02, (0.0, 0.9), *points)
    optimizer = make_from(lab.WorkbookRMSProp, 0.02, (0.0, 0.9), average, squares)
    ways = by_macro(optimizer, *points, epochs=5)
    np.testing.assert_allclose(ways[-1], read("rmsprop", "C1:C2")[:, 0], rtol=1e-12)
    np.testing.assert_allclose([float(optimizer.squares[at]) for at in (0, 1)], read("rmsprop", "J3:K3")[0], rtol=1e-12)


def test_the_lessons_factors_give_its_errors(lesson_folder):
    ratings, users, items = lesson_ratings(lesson_folder)
    assert (ratings.shape, np.isfinite(ratings).sum(), users[0], items[0]) == ((15, 15), 206, 14, 27)

    def read(sheet, cells):
        return np.array(read_block(lesson_folder / "collab_filter.xlsx", sheet, cells), dtype=float)

    plain = lab.Factors(read("dotprod", "B25:F39"), read("dotprod", "H19:V23").T, np.zeros(15), np.zeros(15))
    biased = lab.Factors(
        read("bias", "B26:F40"), read("bias", "H20:V24").T, read("bias", "A26:A40")[:, 0], read("bias", "H19:V19")[0]
    )
    assert plain.rmse(ratings) == pytest.approx(read("dotprod", "V41:V41")[0, 0], rel=1e-9)
    assert plain.rmse(ratings) == pytest.approx(0.39301547128657, rel=1e-9)
    assert biased.rmse(ratings) == pytest.approx(0.3194674135586278, rel=1e-9)
    predictions = np.where(np.isfinite(ratings), plain.predict(), 0)
    np.testing.assert_allclose(predictions, read("dotprod", "H25:V39"), atol=1e-9)


def test_our_own_fit_reaches_the_lessons_solver(lesson_folder):
    ratings, _, _ = lesson_ratings(lesson_folder)
    assert lab.fit_factors(ratings).rmse(ratings) <= 0.3931
    assert lab.fit_factors(ratings, bias=True).rmse(ratings) <= 0.3195


def test_the_lessons_entropies(lesson_folder):
    def read(sheet, cells):
        return np.array(read_block(lesson_folder / "entropy_example.xlsx", sheet, cells), dtype=float)

    softmax = read("softmax", "B3:D7")
    np.testing.assert_allclose(lab.softmax(softmax[:, 0]), softmax[:, 2], rtol=1e-9)
    np.testing.assert_allclose(lab.sigmoid(softmax[:, 0]), read("softmax", "K3:K7")[:, 0], rtol=1e-9)
    for true, p, as_sum, as_lookup in read("entropy", "B2:E6"):
        one = np.array([p]), np.array([int(true)])
        assert lab.binary_cross_entropy(*one) / np.log(10) == pytest.approx(as_sum, rel=1e-9)
        assert lab.binary_cross_entropy_as_lookup(*one) / np.log(10) == pytest.approx(as_lookup, rel=1e-9)


# ---------------------------------------------------------------- laid out for a reader


def test_sheets_charts_and_titles(books):
    charts = {"graddesc": 7, "collab": 2, "entropy": 3}
    sheets = {
        "graddesc": ["start here", "data", "basic", "momentum", "rmsprop", "adam", "adam annealed", "compare"],
        "collab": ["start here", "dot product", "one-hot", "embedding", "bias", "sigmoid"],
        "entropy": ["start here", "softmax", "binary", "classes"],
    }
    for path in books:
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == sheets[path.stem]
        assert all(sheet["A1"].value and sheet["A2"].value for sheet in book.worksheets)
        with zipfile.ZipFile(path) as inside:
            drawn = [name for name in inside.namelist() if name.startswith("xl/charts/chart")]
            assert not [name for name in inside.namelist() if "vba" in name.lower()]
        assert len(drawn) == charts[path.stem]


def test_only_inputs_are_numbers(books):
    """A number that is no formula is an input (blue), a rating (blue), or a counter or id (whole)."""
    for path in books:
        for sheet in openpyxl.load_workbook(path).worksheets:
            for row in sheet.iter_rows():
                for one in row:
                    if one.data_type == "n" and one.value is not None:
                        blue = one.font.color is not None and one.font.color.rgb == "FF0033CC"
                        assert blue or float(one.value).is_integer(), (path.name, sheet.title, one.coordinate)


def test_titles_that_look_like_formulas_stay_text(tmp_path):
    sheet = openpyxl.load_workbook(write_collab(tmp_path / "c.xlsx", small_corner()))["dot product"]
    place = place_of(sheet, "=1+1")
    assert sheet.cell(*place).data_type == "s"


def test_cells_have_the_names_of_spreadsheets():
    names = [cell(0, 0), cell(9, 25), cell(9, 26), cell(9, 51), cell(0, 701), cell(0, 702)]
    assert names == ["A1", "Z10", "AA10", "AZ10", "ZZ1", "AAA1"]
    assert (cell(1, 1, fixed=True), cell(1, 1, fix_row=True), cell(1, 1, fix_column=True)) == ("$B$2", "B$2", "$B2")


def test_annealing_quarters_the_rate_when_gradients_grow():
    one = descents.annealed_adam(*lab.lesson_points(), 30, (1.0, 1.0))
    sizes = [descents.gradient_size(one.rows[29 * (e + 1) - 1].squares) for e in range(30)]
    smallest = descents.gradient_size(one.squares)
    for epoch in range(29):
        grew = sizes[epoch] > 2 * smallest
        assert one.rates[epoch + 1] == one.rates[epoch] / (4 if grew else 1)
        smallest = min(smallest, sizes[epoch])
    assert one.rates[-1] < one.rates[0]


# ---------------------------------------------------------------- the corner


def test_the_dense_corner_is_dense_and_its_ratings_are_those_given():
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, 200, 4000), rng.integers(0, 100, 4000)
    fans, hits = np.meshgrid(np.arange(0, 20, 2), np.arange(0, 20, 2))
    user, item = np.concatenate([user, fans.ravel()]), np.concatenate([item, hits.ravel()])
    rating = rng.integers(1, 6, len(user)).astype(float)
    matrix, users, items = dense_corner(user, item, rating, 10)
    assert matrix.shape == (10, 10)
    assert np.isfinite(matrix).mean() > 0.6
    for row in range(10):
        for column in range(10):
            those = rating[(user == users[row]) & (item == items[column])]
            np.testing.assert_equal(matrix[row, column], those.mean() if len(those) else np.nan)


def test_small_and_empty_corners():
    matrix, users, items = dense_corner(np.array([3]), np.array([9]), np.array([4.0]), 15)
    assert (matrix.tolist(), users.tolist(), items.tolist()) == ([[4.0]], [3], [9])
    with pytest.raises(VectableError, match="no ratings"):
        dense_corner(np.array([], int), np.array([], int), np.array([]), 15)
    with pytest.raises(VectableError, match="size must be a positive integer; got 0"):
        dense_corner(np.array([3]), np.array([9]), np.array([4.0]), 0)


# ---------------------------------------------------------------- what is refused


def test_targets_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.xlsx").mkdir()
    for target, said in [
        (tmp_path / "none" / "x.xlsx", "no folder"),
        (tmp_path / "file" / "x.xlsx", "no folder"),
        (tmp_path / "folder.xlsx", "is a folder"),
    ]:
        with pytest.raises(DataError, match=said):
            write_entropy(target)
    with pytest.raises(VectableError, match=r"\.xlsx"):
        write_entropy(tmp_path / "x.ods")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(VectableError, match=r"pip install 'vectable\[lab\]'"):
        write_entropy(tmp_path / "x.xlsx")


def test_a_failure_on_the_way_leaves_the_old_file_alone(tmp_path):
    path = write_entropy(tmp_path / "x.xlsx")
    old = path.read_bytes()
    with pytest.raises(VectableError, match="would be inf"), Book(path) as book:
        book.sheet("s", "t").formula(3, 3, "1/0", float("inf"))
    assert path.read_bytes() == old
    assert [one.name for one in tmp_path.iterdir()] == ["x.xlsx"]


def test_settings_that_diverge_or_make_no_sense(tmp_path):
    with pytest.raises(VectableError, match="diverge"):
        write_graddesc(tmp_path / "x.xlsx", 1, start=(1e300, 1.0))
    for arguments, said in [
        ({"epochs": 0}, "a positive integer"),
        ({"start": (float("nan"), 1)}, "start is"),
    ]:
        with pytest.raises(VectableError, match=said):
            write_graddesc(tmp_path / "x.xlsx", **arguments)
    assert not list(tmp_path.iterdir())


def test_corners_that_make_no_sense(tmp_path):
    good = small_corner(3, 2)
    empty = Corner(np.full((3, 2), np.nan), good.users, good.items, good.dot, good.biased, good.limited, [])
    with pytest.raises(VectableError, match="no ratings"):
        write_collab(tmp_path / "x.xlsx", empty)
    few = Corner(good.ratings, good.users[:2], good.items, good.dot, good.biased, good.limited, [])
    with pytest.raises(VectableError, match="3 users, but 2 names"):
        write_collab(tmp_path / "x.xlsx", few)


def test_files_that_are_no_workbooks(tmp_path):
    (tmp_path / "x.xlsx").write_text("no workbook")
    with pytest.raises(DataError, match="cannot be read as a workbook"):
        read_block(tmp_path / "x.xlsx", "a", "A1:B2")
    with pytest.raises(DataError, match="There is no file"):
        read_block(tmp_path / "none.xlsx", "a", "A1:B2")
    with pytest.raises(DataError, match="has no sheet 'a'"):
        read_block(write_entropy(tmp_path / "e.xlsx"), "a", "A1:B2")
