"""Projects: files that are dropped, what their columns are taken for, and what cannot be used."""

import asyncio
import errno
import http.client
import io
import json
import zipfile

import pytest

from studio import good, refused, running_studio
from vectable.serving.access import RefusalError
from vectable.studio import limits, uploads

RATINGS = "customer,product,stars,when\n" + "".join(
    f"{user},item{item},{1 + (user + item) % 5},2024-01-{1 + item:02}\n" for user in range(20) for item in range(8)
)
ORDERS = "customer,product,quantity\n" + "".join(f"{user},item{user % 7},{1 + user % 3}\n" for user in range(60))
TABLE = "age,town,joined,price\n" + "".join(
    f"{20 + at},town{at % 4},2024-02-{1 + at % 28:02},{at * 1.5}\n" for at in range(60)
)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("studio") / "projects") as running:
        yield running


def cookie_of(studio):
    return "; ".join(f"{name}={value}" for name, value in studio.client.cookies.items())


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def roles_of(project):
    return {one["name"]: one["role"] for one in project["columns"]}


def test_ratings_orders_and_tables_are_told_apart(studio):
    ratings = studio.project("ratings", "reviews.csv", RATINGS)
    assert ratings["task"] == "ratings"
    assert roles_of(ratings) == {"customer": "user", "product": "item", "stars": "rating", "when": "timestamp"}
    assert "'stars'" in ratings["suggested"]["why"]
    assert ratings["rows"] == 160
    orders = studio.project("orders", "orders.csv", ORDERS)
    assert orders["task"] == "interactions"
    assert roles_of(orders) == {"customer": "user", "product": "item", "quantity": "count"}
    table = studio.project("table", "people.csv", TABLE)
    assert table["task"] == "table"
    assert roles_of(table) == {"age": "number", "town": "category", "joined": "date", "price": "target"}
    assert {one["value"] for one in table["split"]["choices"]} == {"random", "joined"}


def test_a_column_can_be_taken_for_something_else(studio):
    studio.project("other", "people.csv", TABLE)
    changed = good(studio.client.patch("/api/projects/other", json={"roles": {"age": "target", "joined": "ignore"}}))
    assert roles_of(changed) == {"age": "target", "town": "category", "joined": "ignore", "price": "number"}
    assert {one["name"] for one in changed["columns"] if one["named"]} == {"age", "joined"}
    back = good(studio.client.patch("/api/projects/other", json={"roles": {"age": None, "joined": None}}))
    assert roles_of(back)["price"] == "target"
    assert "Did you mean 'town'" in refused(
        studio.client.patch("/api/projects/other", json={"roles": {"tawn": "date"}}), 422
    )
    assert (
        "'user'" not in refused(studio.client.patch("/api/projects/other", json={"roles": {"town": "user"}}), 422)[:12]
    )


def test_header_and_separator_are_switches(studio):
    shown = studio.project("plain", "plain.csv", "1;5;4\n1;6;3\n2;5;5\n")
    assert shown["separator"] == ";"
    again = good(studio.client.patch("/api/projects/plain", json={"header": False}))
    assert again["rows"] == 3
    assert [one["name"] for one in again["columns"]] == ["column_1", "column_2", "column_3"]


def test_rows_that_cannot_be_used_are_counted_and_listed(studio):
    shown = studio.project("odd", "odd.csv", RATINGS + ",item1,4,2024-01-01\n3,item2,soon,2024-01-01\n")
    found = {one["kind"]: one for one in shown["problems"] if one["kind"]}
    assert found["ids"]["count"] == 1
    assert found["ids"]["rows"][0]["line"] == 161
    assert found["rating"]["rows"][0]["line"] == 162
    assert "soon" in found["rating"]["rows"][0]["text"]


@pytest.mark.parametrize(
    ("label", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("header.csv", b"a,b,c\n", "no rows"),
        ("one.csv", b"a\n1\n2\n", "one column"),
        ("binary.csv", bytes(range(256)) * 40, ""),
        ("book.xlsx", b"PK\x03\x04" + b"\0" * 60, "zip"),
        ("damaged.parquet", b"PAR1" + b"\0" * 60, "arquet"),
    ],
)
def test_what_is_no_table_is_told_and_not_kept(studio, label, content, said):
    name = label.partition(".")[0]
    good(studio.post("/api/projects", {"name": name}))
    sentence = refused(studio.upload(name, label, content), 422)
    assert said in sentence
    assert "/data/" not in sentence
    assert good(studio.get(f"/api/projects/{name}"))["task"] is None


def test_a_refused_file_leaves_the_one_before(studio):
    studio.project("kept", "reviews.csv", RATINGS)
    refused(studio.upload("kept", "empty.csv", b"\n\n"), 422)
    assert good(studio.get("/api/projects/kept"))["label"] == "reviews.csv"


def test_a_column_of_one_value_is_told(studio):
    shown = studio.project("same", "same.csv", "a,b,target\n" + "1,x,7\n2,y,7\n3,z,7\n" * 10)
    assert "one value" in next(one["text"] for one in shown["problems"] if one["kind"] == "fatal")
    assert "one value" in refused(studio.post("/api/projects/same/runs", {"kind": "train"}), 422)


def test_a_zip_of_one_table_is_opened(studio):
    assert studio.project("packed", "packed.zip", zipped(**{"inside/reviews.csv": RATINGS}))["task"] == "ratings"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"inner.zip": b"PK\x03\x04"}, "other archives"),
        ({"../out.csv": b"a,b\n1,2\n"}, "leads out"),
        ({"/etc/out.csv": b"a,b\n1,2\n"}, "leads out"),
        ({"c:\\out.csv": b"a,b\n1,2\n"}, "leads out"),
        ({"a.csv": b"a,b\n1,2\n", "b.csv": b"a,b\n1,2\n"}, "2 tables"),
        ({"notes.docx": b"x"}, "neither"),
    ],
)
def test_zips_that_are_not_opened(studio, files, said):
    name = good(studio.post("/api/projects"))["name"]
    assert said in refused(studio.upload(name, "some.zip", zipped(**files)), 422)


def test_a_zip_with_a_link_is_not_opened(studio):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("vectable.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    good(studio.post("/api/projects", {"name": "links"}))
    assert "link" in refused(studio.upload("links", "model.zip", packed.getvalue()), 422)


def test_a_file_beyond_the_quota_is_refused_before_it_is_sent(studio):
    good(studio.post("/api/projects", {"name": "huge"}))
    head = {"Content-Length": str(2 * limits.UPLOAD_BYTES), "Cookie": cookie_of(studio)}
    asking = http.client.HTTPConnection(studio.address.removeprefix("http://"), timeout=60)
    asking.putrequest("POST", "/api/projects/huge/file?label=a.csv")
    for name, value in head.items():
        asking.putheader(name, value)
    asking.endheaders()
    answer = asking.getresponse()
    said = json.loads(answer.read())["detail"]
    asking.close()
    assert answer.status in (413, 507)
    assert "GB" in said or "room" in said


def test_a_file_that_grows_beyond_the_quota_is_cut_off_and_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "UPLOAD_BYTES", 1_000)

    async def endless():
        while True:
            yield b"x" * 400

    with pytest.raises(RefusalError) as refusal:
        asyncio.run(uploads.receive(endless(), "a.csv", tmp_path, None))
    assert refusal.value.status_code == 413
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path):
    async def full():
        yield b"x"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RefusalError) as refusal:
        asyncio.run(uploads.receive(full(), "a.csv", tmp_path, None))
    assert refusal.value.status_code == 507
    assert "disk is full" in refusal.value.detail
    assert list(tmp_path.iterdir()) == []


def test_names_of_projects(studio):
    for bad in ("../up", ".hidden", "a/b", "a b", "x" * 61):
        refused(studio.post("/api/projects", {"name": bad}), 422)
    good(studio.post("/api/projects", {"name": "twice"}))
    assert "already" in refused(studio.post("/api/projects", {"name": "twice"}), 409)
    assert good(studio.client.delete("/api/projects/twice")) == {"deleted": "twice"}
    refused(studio.get("/api/projects/twice"), 404)


def test_projects_outlive_the_server(tmp_path):
    with running_studio(tmp_path) as first:
        first.project("shop", "reviews.csv", RATINGS)
    with running_studio(tmp_path) as second:
        assert good(second.get("/api/projects/shop"))["task"] == "ratings"
