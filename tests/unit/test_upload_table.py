"""A CSV file is read as its columns say, and whatever can be wrong with one ends in one sentence."""

import csv
import io
from contextlib import suppress
from time import process_time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from own_data import experiment_on
from pace import slowness

from skipviz.sharing import link
from skipviz.tasks import examples, table_text
from skipviz.tasks.data import dataset
from skipviz.tasks.own import UploadError, shown, shown_file
from skipviz.tasks.table import encoded, inputs, target_kinds
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads
from skipviz.web.sidebar.reading import reading_of

ROWS = 60


def file_of(columns: dict, delimiter: str = ",") -> bytes:
    """Return a CSV file of columns, each a list or a function of the row's number."""
    made = [[column(i) for i in range(ROWS)] if callable(column) else column for column in columns.values()]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([list(columns), *zip(*made, strict=True)])
    return text.getvalue().encode()


def plain(**more) -> dict:
    return {"a": lambda i: i / 7, "b": lambda i: (i * 37 % 11) - 4.5, "kind": lambda i: "xyz"[i % 3], **more}


def refused(content: bytes, name: str = "my.csv") -> str:
    """Return the sentence that a file is refused with."""
    with pytest.raises(UploadError) as caught:
        read(content, name)
    text = str(caught.value)
    assert 10 < len(text) < 260
    assert text.isprintable()
    return text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_and_ends_of_lines_are_found_out(delimiter, ending):
    content = file_of(plain(), delimiter).replace(b"\r\n", ending.encode())
    table = read(content, "x.csv")
    assert [(column.name, column.kind) for column in table.columns] == [("a", "number"), ("b", "number"), ("kind", "category")]
    assert np.allclose(table.columns[0].values, np.arange(ROWS) / 7)


def test_a_byte_order_mark_quotes_and_separators_inside_them_are_read():
    content = b"\xef\xbb\xbf" + file_of(plain(note=lambda i: f'say "{i % 3}", twice'))
    table = read(content, "x.csv")
    assert table.columns[0].name == "a"
    assert table.columns[3].categories == ('say "0", twice', 'say "1", twice', 'say "2", twice')


def test_decimal_commas_are_numbers_where_a_comma_is_no_separator():
    table = read(file_of(plain(c=lambda i: f"{i},5"), ";"), "x.csv")
    assert table.columns[3].values[3] == 3.5


def test_missing_values_are_counted_and_take_no_part_in_a_columns_kind():
    gaps = ["", "NA", "nan", "?", "n/a", "NULL"]
    table = read(
        file_of(plain(c=lambda i: gaps[i // 9] if i % 9 == 0 and i < 54 else i * 1.5, d=lambda i: "?" if i < 5 else "uv"[i % 2])),
        "x.csv",
    )
    number, category = table.columns[3:]
    assert (number.kind, number.missing, int(np.isnan(number.values).sum())) == ("number", 6, 6)
    assert (category.kind, category.missing, category.categories, category.width) == ("category", 5, ("u", "v"), 3)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (lambda i: f"P{i:03}", "another value in every row"),
        (lambda i: "same", "the same in every row"),
        (lambda i: 7.0, "the same in every row"),
        (lambda i: "", "empty"),
        (lambda i: f"w{i % 55}", "55 different values"),
    ],
)
def test_columns_that_tell_nothing_are_left_out_and_named(column, reason):
    table = read(file_of(plain(extra=column)), "x.csv")
    assert table.columns[3].kind == "left out"
    assert reason in table.columns[3].reason
    assert "extra" not in [column.name for column in inputs(table, "kind")]


def test_ids_are_left_out_and_other_numbers_that_all_differ_are_not():
    table = read(file_of(plain(customer_id=lambda i: 1000 + i * 37 % 60, metres=lambda i: 1000 + i * 37 % 60)), "x.csv")
    assert [column.kind for column in table.columns[3:]] == ["id", "number"]


def test_a_few_values_that_are_no_numbers_are_taken_as_missing_and_said():
    column = read(file_of(plain(c=lambda i: "about 5" if i == 7 else "inf" if i == 8 else i)), "x.csv").columns[3]
    assert (column.kind, column.missing) == ("number", 2)
    assert "2 values that are no numbers, such as about 5" in column.reason


def test_a_target_of_words_or_few_whole_numbers_is_classes_and_another_number_a_number():
    table = read(file_of(plain(few=lambda i: i % 4)), "x.csv")
    kinds = {column.name: target_kinds(column) for column in table.columns}
    assert kinds == {"a": ("numbers",), "b": ("numbers",), "kind": ("classes",), "few": ("classes", "numbers")}
    assert described(table, "few").classes == ("0", "1", "2", "3")
    assert described(table, "few", "numbers").kind == "numbers"
    assert (described(table, "kind").shape, described(table, "a").shape) == ((3,), (5,))


def test_rows_without_a_target_and_classes_of_one_row_are_left_out():
    table = read(file_of(plain(target=lambda i: "" if i < 10 else "once" if i == 10 else "pq"[i % 2])), "x.csv")
    own = described(table, "target")
    assert (own.samples, own.classes) == (ROWS - 11, ("p", "q"))


def test_equal_content_has_one_digest_and_other_content_another():
    table = read(file_of(plain()), "x.csv")
    assert read(file_of(plain(), ";"), "y.tsv").digest() == table.digest()
    assert read(file_of(plain() | {"a": lambda i: i / 7 + (i == 3) * 1e-9}), "x.csv").digest() != table.digest()


def test_the_example_is_a_table_with_all_that_can_be_said_of_one():
    table = read(examples.table_csv(), "plants.csv")
    assert {column.kind for column in table.columns} == {"number", "category", "left out"}
    assert table.likely_target() == "species"
    assert described(table).shape == (9,)


GOOD = file_of(plain())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"PK\x03\x04" + GOOD, "is a zip archive"),
        (b"\x80\x04\x95" + GOOD, "pickle, which is never opened"),
        (b"\x00\x01" + GOOD, "zero bytes"),
        (b"a\n" + b"1\n" * 30, "has one column"),
        (b"a,b\n" + b"1,2\n" * 4, "has 4 rows under its header and at least 20"),
        (GOOD[: GOOD.rindex(b",")], "cut short"),
        (b'a,b\n1,"x\n' + b"2,y\n" * 40, "a quote is not closed"),
        (b"a,b\n" + b"1,2\n" * 30 + b"1,2,3\n", "line 32 of my.csv has 3 columns and its first line 2"),
        (b'a,b\n1,"' + b"x" * 200_000 + b'"\n' + b"2,y\n" * 40, "more than 131,072 characters"),
        (b'a,b\n1,"x"y\n' + b"2,y\n" * 40, "is not CSV"),
        (b",".join(b"c%d" % i for i in range(201)) + b"\n", "201 columns"),
        (b"a,b\n" + b"1,2\n" * 100_001, "more than the 100,000 rows"),
        (b"a,b\n" + b"1,2\n" * 30, "every column of my.csv is left out: a is the same in every row"),
        (b"," * 2**20, "a line of 1,048,576 characters"),
        (b"a,b\n" + b"1,2\n" * 30 + b"," * 2**20, "a line of 1,048,576 characters"),
        (b"x" * (8 * 2**20 + 1), "has 8.0 MB and a table has at most 8"),
    ],
)
def test_whatever_is_wrong_with_a_table_is_said_in_one_sentence(content, words):
    assert words in refused(content)


def test_a_table_in_which_nothing_can_be_told_says_so():
    table = read(file_of({"a": lambda i: f"w{i % 25}", "b": lambda i: "" if i else "z"} | {"c": lambda i: i / 3}), "x.csv")
    with pytest.raises(UploadError, match="no column nosuch"):
        described(table, "nosuch")
    with pytest.raises(UploadError, match="cannot be predicted as numbers"):
        described(table, "a", "numbers")


def test_a_pickle_is_refused_by_its_name_and_text_is_read_whatever_its_name():
    assert "pickle, which is never opened" in refused(GOOD, "x.pkl")
    wanted = read(GOOD, "x.csv").digest()
    assert [read(GOOD, name).digest() for name in ("iris.data", "x.exe", "", "a/b\\c")] == [wanted] * 4


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\temp\\x.csv", "x.csv"),
        ("a\u202egnp.csv", "agnp.csv"),
        ("a\x00\n\tb.csv", "a b.csv"),
        ("<script>alert(1)</script>.csv", "script>.csv"),
        ("x" * 500 + ".csv", "x" * 49 + "….csv"),
        ("///", "file"),
    ],
)
def test_a_hostile_name_is_shown_as_one_short_line_without_folders(name, seen):
    assert shown_file(name) == seen
    assert shown(seen, 60) == seen


def test_names_of_columns_are_different_and_can_be_shown():
    names = [
        column.name
        for column in read(file_of({"": lambda i: i / 3, "a\u200b": lambda i: i / 5, "a": lambda i: i / 7}), "x.csv").columns
    ]
    assert names == ["column 1", "a", "a (2)"]


def test_there_is_room_for_few_inputs_where_there_are_many_rows(monkeypatch):
    monkeypatch.setattr("skipviz.tasks.table.MOST_TABLE_INPUTS", 4 * ROWS)
    table = read(file_of(plain(c=lambda i: i / 3)), "x.csv")
    assert [column.name for column in inputs(table, "c")] == ["a", "b"]
    assert described(table, "c").shape == (2,)
    assert reading_of(table, described(table, "kind")).left_out() == ""
    monkeypatch.setattr("skipviz.tasks.table.MOST_TABLE_INPUTS", 2 * ROWS)
    said = reading_of(table, described(table, "kind")).left_out()
    assert said == "Left out: c (the others fill the 2 inputs that 60 rows may have)."


def test_a_public_table_of_32_561_rows_without_names_loses_none(tmp_path):
    rng = np.random.default_rng(0)
    sizes = (73, 8, 9000, 16, 16, 7, 14, 6, 5, 2, 119, 92, 94, 41)
    words = (1, 3, 5, 6, 7, 8, 9, 13)
    columns = [rng.integers(0, size, 32_561).tolist() for size in sizes]
    for place in words:
        columns[place] = ["?" if place in (1, 6, 13) and not i % 20 else f"word-{i}-{place}" for i in columns[place]]
    columns.append(["<=50K" if i % 4 else ">50K" for i in columns[0]])
    content = "\n".join(", ".join(map(str, row)) for row in zip(*columns, strict=True)).encode() + b"\n\n"
    began = process_time()
    table = read(content, "adult.data")
    own = described(table)
    assert process_time() - began < 2 * slowness()
    assert (table.rows, own.samples, own.kind, own.classes) == (32_561, 32_561, "classes", ("<=50K", ">50K"))
    assert own.target == "column 15"
    assert len(inputs(table, own.target)) == 14
    assert [column.missing > 0 for column in table.columns[:14]] == [place in (1, 6, 13) for place in range(14)]
    uploads = Uploads(tmp_path)
    uploads.keep(table)
    experiment = experiment_on(Task(name="table", own=own))
    assert link.decode(link.encode(experiment)) == experiment
    given = dataset(experiment.task, uploads)
    assert len(given.x) + len(given.held_out_x) == 32_561


@given(st.binary(max_size=3000), st.text(max_size=40))
@example(b"a,b\n" + b"1,\xc3\x28\n", "x.csv")
def test_random_bytes_end_in_a_table_or_a_sentence(content, name):
    for title in (name, name + ".csv", "x.npz"):
        with suppress(UploadError):
            read(content, title)


CELLS = st.text(alphabet=st.sampled_from('01.5e-+,;|"\t\n\r ?NAnaxyé_∞\u202e'), max_size=8)


@given(
    st.lists(CELLS, min_size=2, max_size=5),
    st.lists(st.lists(CELLS, min_size=2, max_size=5), min_size=20, max_size=30),
    st.sampled_from(",;\t|"),
)
def test_random_tables_end_in_a_description_or_a_sentence(head, rows, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([head, *([*row, *head][: len(head)] for row in rows)])
    with suppress(UploadError):
        table = read(text.getvalue().encode(), "x.csv")
        for target in table.targets():
            with suppress(UploadError):
                own = described(table, target)
                assert encoded(table, own)[0].shape == (own.samples, *own.shape)


def test_the_largest_table_is_read_within_a_second():
    rng = np.random.default_rng(0)
    body = "\n".join(",".join(f"{value:.4f}" for value in row) for row in rng.normal(size=(19_900, 25)))
    content = (",".join(f"c{i}" for i in range(25)) + "\n" + body).encode()
    assert len(content) > 3_000_000

    def seconds() -> float:
        began = process_time()
        described(read(content, "big.csv"))
        return process_time() - began

    assert any(seconds() < slowness() for _ in range(3))
    assert table_text.MOST_CELLS >= 19_900 * 25
