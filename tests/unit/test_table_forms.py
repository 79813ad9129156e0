"""Tables as people have them: small made files in the shape of public ones are read for what they mean, here and by the script."""

from __future__ import annotations

import datetime
import gzip
import io
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from own_data import experiment_on
from sheets import parquet, xlsx

from skipviz.settings import get_settings
from skipviz.sharing import link
from skipviz.sharing.script.experiment import script
from skipviz.tasks.data import dataset
from skipviz.tasks.own import UploadError
from skipviz.tasks.own_samples import own_samples
from skipviz.tasks.table import inputs, target_kinds
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads
from skipviz.web.sidebar.reading import reading_of

ROWS = 40
chance = random.Random(5)


def lines(head: str, row, end: str = "\n") -> str:
    """Return a header and rows, each made of its number."""
    return end.join([*([head] if head else []), *(row(i) for i in range(ROWS))]) + end


def pick(*values):
    return chance.choice(values)


def between(low, high, digits=0):
    return f"{chance.uniform(low, high):.{digits}f}"


RENT = lines("Wohnfläche;Miete", lambda i: f"{between(30, 200)};{('1.250', '950', '2.300', '875')[i % 4]}")
HOUSES = lines(
    "Fläche;Preis;Baujahr;verkauft am",
    lambda i: f"{between(40, 200)},{i % 10};{between(1, 9)}.{between(100, 999)},50 €;{i + 1950};{i % 28 + 1}.{i % 9 + 1}.2020",
)
DOLLARS = lines(
    "area,price,share,load,taken",
    lambda i: f'{between(1, 9, 2)},"${i % 9 + 1},{between(100, 999)}.50",{i % 37} %,{i % 17} kg,{i % 9 + 1}/{i % 7 + 1}/2020',
)
ODD = lines("a;b;c;d", lambda i: f"\u2212{between(1, 90)};1 {between(100, 999)};{i % 9},5E+03;{between(1, 9)},{i % 10}")
IRIS = lines("", lambda i: f"{between(4, 7, 1)},{between(2, 4, 1)},{between(1, 6, 1)},Iris-{('setosa', 'virginica')[i % 2]}") + "\n"
ADULT = "|1x3 Cross validator\n" + lines(
    "",
    lambda i: (
        f"{between(17, 90)}, {pick('Private', '?', 'State-gov')}, {between(10000, 500000)}, {pick('M', 'F')}, {'<>'[i % 2]}50K"
    ),
)
TITANIC = lines(
    "PassengerId,Survived,Pclass,Name,Sex,Age,Fare",
    lambda i: f'{i + 1},{i % 2},{i % 3 + 1},"N{i}, Mr. A",{pick("male", "female")},{pick("", 22, 38)},{between(5, 90, 4)}',
)
WINE = lines(
    '"fixed acidity";"density";"quality";"free sulfur"',
    lambda i: f"{between(4, 9, 1)};{between(0.9, 1.1, 3)};{i % 6 + 3};{between(1, 60)}",
)
CHURN = lines(
    "RowNumber,CustomerId,Surname,CreditScore,Geography,Exited",
    lambda i: f"{i + 1},{15600000 + i * 37 % 41},S{i},{between(300, 900)},{pick('France', 'Spain')},{i % 2}",
)
UNITS = "# measured in May\n" + lines(
    "height,weight,kind\n(cm),(kg),", lambda i: f"{between(150, 200)},{between(50, 99)},{'ab'[i % 2]}"
)
SEMICOLONS = "sep=;\n" + lines("a;b", lambda i: f"{between(0, 9, 2)};{between(0, 9, 2)}")
SHEET = [["Prices of 2020", None, None, None], ["nr", "size", "sold", "price"]]
SHEET += [[i + 1, i * 7 % 11 + 0.125, f"2020-01-{i % 28 + 1:02}", 1000.5 + i * 37 % 50] for i in range(ROWS)]
COLUMNS = {
    "size": [i * 7 % 11 + 0.125 for i in range(ROWS)],
    "kind": ["ab"[i % 2] for i in range(ROWS)],
    "on": [datetime.date(2020, 1, 1 + i * 7 % 28) for i in range(ROWS)],
    "tags": [["x"]] * ROWS,
}

FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'
"""Two cells at opposite ends of a sheet."""

ARRAY = io.BytesIO()
np.save(ARRAY, np.array([[i * 7 % 11 + 0.1, i / 3 if i % 5 else np.nan, i % 2] for i in range(ROWS)], np.float32))

FORMS = {
    "thousands by points in a file of semicolons": (RENT.encode(), "rent.csv", "Miete", {}),
    "the same, points being decimal": (RENT.encode(), "rent.csv", "Wohnfläche", {"decimal": "point"}),
    "a German price list": (HOUSES.encode("utf-8-sig"), "häuser.csv", "Preis", {}),
    "dollars, shares, weights and dates": (DOLLARS.encode(), "us.csv", "price", {}),
    "the same, days first": (DOLLARS.encode(), "us.csv", "price", {"dates": "day"}),
    "minus signs, spaces and exponents": (ODD.encode(), "odd.csv", "d", {}),
    "no line of names": (IRIS.encode(), "iris.data", "column 4", {}),
    "no line of names, comment above": (ADULT.encode(), "adult.test", "column 5", {}),
    "passengers": (TITANIC.encode(), "train.csv", "Survived", {}),
    "passengers with their numbers": (TITANIC.encode(), "train.csv", "Survived", {"taken": ("PassengerId",)}),
    "wine": (WINE.encode(), "winequality-red.csv", "quality", {}),
    "a bank's customers": (CHURN.encode(), "Churn_Modelling.csv", "Exited", {}),
    "units under the names": (UNITS.encode(), "units.csv", "kind", {}),
    "a declared separator": (SEMICOLONS.encode(), "excel.csv", "b", {}),
    "gzip": (gzip.compress(WINE.encode()), "wine.csv.gz", "quality", {}),
    "Windows-1252": (HOUSES.encode("cp1252"), "häuser.csv", "Preis", {}),
    "UTF-16": (HOUSES.encode("utf-16"), "häuser.txt", "Preis", {}),
    "a spreadsheet": (xlsx({"Notes": [], "Data": SHEET}), "prices.xlsx", "price", {}),
    "a single array": (ARRAY.getvalue(), "x.npy", "column 3", {}),
    "Parquet": (parquet(**COLUMNS), "data.parquet", "kind", {}),
}  # fmt: skip


def columns_of(content, name="x.csv") -> dict:
    return {column.name: column for column in read(content if isinstance(content, bytes) else content.encode(), name).columns}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_and_the_script_prepares_the_very_same_arrays(form, monkeypatch, tmp_path):
    content, name, target, choices = FORMS[form]
    data, uploads = read(content, name), Uploads(get_settings().data_dir / "uploads")
    own = described(data, **choices)
    assert (own.target, own.samples) == (target if choices.get("decimal") is None else "Miete", ROWS)
    own = described(data, target, **choices)
    uploads.keep(data)
    experiment = experiment_on(Task(name="table", own=own))
    assert link.decode(link.encode(experiment)) == experiment
    path = tmp_path / "a file"
    path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["script.py", str(path)])
    space: dict = {"__name__": "a_script"}
    source = script(experiment, (), "script.py", uploads)
    exec(compile(source, "script.py", "exec"), space)
    wanted = dataset(experiment.task, uploads)
    for ours, theirs in zip(space["data"](), (wanted.x, wanted.y, wanted.held_out_x, wanted.held_out_y), strict=True):
        assert np.array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    assert max(map(len, source.splitlines())) <= 130


def test_a_script_says_which_libraries_its_file_needs():
    uploads = Uploads(get_settings().data_dir / "uploads")
    for form, library in (("a spreadsheet", "python-calamine"), ("Parquet", "pyarrow")):
        content, name, target, _ = FORMS[form]
        uploads.keep(data := read(content, name))
        source = script(experiment_on(Task(name="table", own=described(data, target))), (), "script.py", uploads)
        assert f"numpy, {library}, and the file {name}" in " ".join(source.split()[:60])


@pytest.mark.parametrize(
    ("content", "column", "values", "unit"),
    [
        (RENT, "Miete", [1250, 950, 2300], ""),
        (RENT + "9,5;1.000\n", "Miete", [1250, 950, 2300], ""),
        (RENT.replace(";", "\t"), "Miete", [1250, 950, 2300], ""),
        (RENT.replace("1.250", "1.25").replace("2.300", "2.3"), "Miete", [1.25, 950, 2.3], ""),
        (RENT.replace("950", "0.950"), "Miete", [1.25, 0.95, 2.3], ""),
        (lines("a,b", lambda i: f'{i % 7},"{i * 37 % 40 + 1},{200 + i % 9}"'), "b", [1200, 38201, 35202], ""),
        (lines("a;b", lambda i: f"{i % 7};{i + 1},{200 + i % 9}"), "b", [1.2, 2.201, 3.202], ""),
        (lines("a;b", lambda i: f"{i % 7};1.{i % 9}34.567,5"), "b", [1034567.5, 1134567.5, 1234567.5], ""),
        (lines("a,b", lambda i: f"{i % 7},${i % 9}.50"), "b", [0.5, 1.5, 2.5], "$"),
        (lines("a,b", lambda i: f"{i % 7},-${i % 9}.50"), "b", [-0.5, -1.5, -2.5], "$"),
        (lines("a,b", lambda i: f"{i % 7},{i % 9} %"), "b", [0, 1, 2], "%"),
        (lines("a,b", lambda i: f"{i % 7},{i % 9} kg"), "b", [0, 1, 2], "kg"),
        (lines("a;b", lambda i: f"{i % 7};{i % 9}\u202f200,5\u00a0€"), "b", [200.5, 1200.5, 2200.5], "€"),
        (lines("a,b", lambda i: f"{i % 7},1'00{i % 9}"), "b", [1000, 1001, 1002], ""),
        (lines("a;b", lambda i: f"{i % 7};{i % 9},5E+03"), "b", [500, 1500, 2500], ""),
        (lines("a,b", lambda i: f"{i % 7},\u2212{i % 9}"), "b", [0, -1, -2], ""),
        (lines("a,b", lambda i: f"{i % 7},1970-01-0{i % 9 + 1}"), "b", [0, 1, 2], ""),
        (lines("a,b", lambda i: f"{i % 7},{i % 9 + 13}.01.1970"), "b", [12, 13, 14], ""),
        (lines("a,b", lambda i: f"{i % 7},01/{i % 9 + 13}/70 06:00"), "b", [12.25, 13.25, 14.25], ""),
    ],
)  # fmt: skip
def test_numbers_and_dates_are_what_people_mean_by_them(content, column, values, unit):
    found = columns_of(content)[column]
    assert found.kind == "number", found.reason
    assert found.values[:3].tolist() == pytest.approx(values, abs=1e-12)
    assert found.unit == unit


@pytest.mark.parametrize(
    ("content", "column", "choices", "first"),
    [
        (RENT, "Miete", {"decimal": "point"}, 1.25),
        (DOLLARS.replace("$", "").replace(".50", ""), "price", {"decimal": "comma"}, None),
    ],
)
def test_where_a_number_can_be_read_in_two_ways_the_other_one_is_kept_and_can_be_chosen(content, column, choices, first):
    data = read(content.encode(), "x.csv")
    likely, other = (data.read_as(**given).column(column).values for given in ({}, choices))
    assert np.allclose(likely, other * 1000) or np.allclose(likely[likely >= 1000], other[likely >= 1000] * 1000)
    assert first is None or other[0] == first
    assert described(data, column, **choices).decimal == choices["decimal"]
    assert described(data, column, decimal="comma" if choices["decimal"] == "point" else "point").decimal is None


def test_days_and_months_change_places_where_a_date_does_not_tell():
    data = read(DOLLARS.encode(), "us.csv")
    likely, other = (data.read_as(dates=dates).column("taken").values for dates in (None, "day"))
    text = DOLLARS.splitlines()[1].rsplit(",", 1)[1]
    month, day, year = map(int, text.split("/"))
    epoch = datetime.date(1970, 1, 1)
    assert likely[0] == (datetime.date(year, month, day) - epoch).days
    assert other[0] == (datetime.date(year, day, month) - epoch).days


@pytest.mark.parametrize(
    ("content", "left", "taken"),
    [
        (TITANIC, {"PassengerId": "it counts the rows"}, ["Pclass", "Sex", "Age", "Fare"]),
        (CHURN, {"RowNumber": "it counts the rows", "CustomerId": "an id"}, ["CreditScore", "Geography"]),
        (lines("StudentID,g1,g3", lambda i: f"{900 - i * 37 % 41},{i % 9},{i % 7}"), {"StudentID": "an id"}, ["g1"]),
        (lines("No.,g1,g3", lambda i: f"{9 + i * 37 % 41},{i % 9},{i % 7}"), {"No.": "an id"}, ["g1"]),
        (lines("place,g1,g3", lambda i: f"{i * i},{i % 9},{i % 7}"), {"place": "it only grows from row to row"}, ["g1"]),
        (lines("x,y", lambda i: f"{i},{between(0, 9, 3)}"), {"x": "it counts the rows"}, ["x"]),
    ],
)  # fmt: skip
def test_ids_are_no_inputs_until_they_are_taken_in(content, left, taken):
    data = read(content.encode(), "x.csv")
    target = data.likely_target()
    assert {column.name: column.reason for column in data.columns if column.kind == "id"}.keys() == left.keys()
    for column in data.columns:
        if column.name in left:
            assert left[column.name] in column.reason
            own = described(data, target, taken=(column.name,))
            assert column.name in own.columns
    assert [column.name for column in inputs(data, target)] == taken


@pytest.mark.parametrize(
    ("names", "target"),
    [
        ("Survived,a,b", "Survived"), ("a,diagnosis,b", "diagnosis"), ("a,b,c", "c"), ("Churn,a,gender", "Churn"),
        ("a,SalePrice,b", "SalePrice"), ("a,car_price,b", "car_price"), ("class,survived,b", "survived"), ("y,a,b", "y"),
        ("a,x y,b", "b"), ("quality,type,b", "quality"),
    ],
)  # fmt: skip
def test_the_likely_target_is_known_by_its_name_else_it_is_the_last(names, target):
    content = lines(names, lambda i: f"{i * 7 % 11},{i * 5 % 13},{i * 3 % 7}")
    assert read(content.encode(), "x.csv").likely_target() == target


@pytest.mark.parametrize("classes", [2, 11, 31, 50])
def test_two_to_fifty_classes_in_words_or_whole_numbers(classes):
    content = "a,word,number\n" + "".join(f"{i * 7 % 11},w{i % classes},{i % classes}\n" for i in range(200))
    data = read(content.encode(), "x.csv")
    assert [len(described(data, name, "classes").classes) for name in ("word", "number")] == [classes, classes]
    assert target_kinds(data.column("number"))[0] == ("classes" if classes <= 10 else "numbers")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lines("a,b", lambda i: f"{10**20 + i},{i * 7 % 11}"), "a (its numbers differ only behind the first 15 digits"),
        (lines("a,b,c", lambda i: f"{i + 1} {'kg' if i % 2 else 'g'},{i * 7 % 11},x") * 2, "numbers with different units (g, kg)"),
        (lines("a,b", lambda i: f"word {i},{i * 7 % 11}"), "a (another value in every row, as an id has)"),
    ],
)
def test_the_true_reason_is_said_where_a_column_is_left_out(content, words):
    head, *rows = content.splitlines()
    content = "\n".join([head, *(row for row in rows if row != head)])
    many = content if "kg" not in words else content.replace("\n", "\n3", 20)
    reading = reading_of(read(many.encode(), "x.csv"))
    assert words in reading.left_out() or words.split(" (")[0] in reading.columns_html()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"<!DOCTYPE html>\n<html><body>" + b"<p>a,b</p>\n" * 40, "iris.csv", "iris.csv is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "iris.csv", "git-lfs pointer"),
        (b'{"a": [1, 2, 3]}', "data.csv", "is JSON"),
        (gzip.compress(b"a,b\n" * 3_000_000), "a.csv.gz", "unpacks to more than the 8 MB"),
        (gzip.compress(WINE.encode())[:-9], "a.csv.gz", "cut short"),
        (xlsx({"Empty": []}), "a.xlsx", "a.xlsx has no sheet with a table"),
        (xlsx({"Far": FAR}), "a.xlsx", "more time or memory"),
        (xlsx({"Bomb": "<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>"}), "a.xlsx", "a.xlsx "),
        (xlsx({"Data": SHEET})[:900], "a.xlsx", "damaged"),
        (parquet(a=[["x"]] * 30), "a.parquet", "no column of numbers or words"),
        (parquet(**{f"c{i}": [1.0] for i in range(201)}), "a.parquet", "201 columns"),
        (parquet(a=list(range(100_001)), b=[1] * 100_001), "a.parquet", "100,001 rows"),
        (b"PAR1" + b"x" * 500 + b"PAR1", "a.parquet", "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_table_or_too_much_is_said_for_what_it_is(content, name, words):
    with pytest.raises(UploadError) as caught:
        read(content, name)
    assert words in str(caught.value)


def pixels(side: int, channels: int, first: bool, head: bool, words: bool, planar: bool = False) -> bytes:
    """Return a table of pictures, a bright half each, the label its first or last column."""
    rows = [[*(["label"] if first else []), *(f"p{i}" for i in range(channels * side**2)), *([] if first else ["label"])]] * head
    for i in range(ROWS):
        image = np.full((side, side, channels), 9 + i)
        image[:, : side // 2, i % channels] = 255
        values = [str(value) for value in (image.transpose(2, 0, 1) if planar else image).ravel()]
        label = "uv"[i % 2] if words else str(i % 2 + 9)
        rows.append([label, *values] if first else [*values, label])
    return "\n".join(map(",".join, rows)).encode()


@pytest.mark.parametrize(
    "how",
    [(28, 1, True, True, False), (16, 1, True, False, False), (16, 3, False, True, True), (8, 3, False, True, False, True)],
)
def test_a_table_of_pixels_is_pictures_here_and_in_the_script(how, monkeypatch, tmp_path):
    content, (side, channels, *_) = pixels(*how), how
    data, uploads = read(content, "mnist.csv", pictures=True), Uploads(get_settings().data_dir / "uploads")
    assert data.images.shape == (ROWS, channels, side, side)
    assert (data.images[0, 0, :, : side // 2] == 255).all()
    assert data.classes == (("u", "v") if how[4] else ("9", "10"))
    uploads.keep(data)
    experiment = experiment_on(Task(name="pictures", own=described(data)))
    path = tmp_path / "a file"
    path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["script.py", str(path)])
    space: dict = {"__name__": "a_script"}
    exec(compile(script(experiment, (), "script.py", uploads), "script.py", "exec"), space)
    wanted = dataset(experiment.task, uploads)
    for ours, theirs in zip(space["data"](), (wanted.x, wanted.y, wanted.held_out_x, wanted.held_out_y), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_table_that_is_no_picture_or_small_enough_stays_one():
    assert read(pixels(8, 1, True, True, False), "digits.csv").rows == ROWS
    content = pixels(28, 1, True, True, False)
    with pytest.raises(UploadError, match="not all whole numbers of 0 to 255"):
        read(content.replace(b",255", b",256"), "mnist.csv")
    with pytest.raises(UploadError, match="it may be cut short"):
        read(content[:-20], "mnist.csv")


def test_what_was_kept_before_these_forms_were_known_is_still_learned_from(tmp_path):
    data, uploads = read(WINE.encode(), "wine.csv"), Uploads(tmp_path)
    own = described(data)
    uploads.keep(data)
    path = Path(uploads.place) / f"{own.digest}.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    about = kept["about"].tobytes().replace(b', "source": {"encoding": "utf-8-sig", "first": 1}, "notes": []', b"")
    assert len(about) < len(kept["about"].tobytes())
    with path.open("wb") as file:
        np.savez(file, **{**kept, "about": np.frombuffer(about, np.uint8)})
    assert "decimal" not in own.model_dump(exclude_defaults=True)
    assert own_samples(own, uploads, lambda y: (np.arange(30), np.arange(30, ROWS)))[0][0].shape == (30, 3)
