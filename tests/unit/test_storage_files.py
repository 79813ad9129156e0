"""What is written down of runs: frames in columns, files that merge, the table's form, and what is kept for how long."""

import json
import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import settings as searching
from hypothesis import strategies as st
from sqlalchemy import select

from skipviz.learning.frame import Frame, VariantFrame
from skipviz.learning.frame_text import encode_frame
from skipviz.storage import Retention
from skipviz.storage.checkpoint_files import CheckpointFiles
from skipviz.storage.chunk_files import ChunkFiles
from skipviz.storage.chunks import FANOUT, Frames
from skipviz.storage.columns import Row, joined, rows_from, table_from
from skipviz.storage.database import Database, DatabaseProblemError, sqlite_url
from skipviz.storage.folder import FolderLock, new_checkpoint, place_of
from skipviz.storage.retention import DAY
from skipviz.storage.schema import ALEMBIC, METADATA, REVISION

number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
numbers = st.lists(number, max_size=5)
images = st.sampled_from(["", "AA==", "AAAA" * 40, "no base64!" * 20])
picture = st.none() | st.fixed_dictionaries({"kind": st.just("x"), "image": images})
places = st.none() | st.dictionaries(st.sampled_from(["weight_grad", "h"]), st.lists(st.integers(0, 9), max_size=3), max_size=2)
variant = st.builds(
    VariantFrame,
    *[number, number, numbers, numbers, numbers, numbers, number, numbers, numbers, numbers, numbers],
    nonfinite=st.lists(st.text(max_size=5), max_size=2),
    held_out=number,
    balanced_accuracy=number,
    recall=st.none() | numbers,
    ghost=st.none() | numbers,
    first_broken=st.none() | st.text(max_size=5),
    underflow=places,
    rounding=places,
    picture=picture,
)
frame = st.builds(
    Frame,
    st.integers(0, 10**6),
    st.dictionaries(st.sampled_from(["a", "b"]), variant, max_size=2),
    st.lists(st.fixed_dictionaries({"kind": st.just("rate"), "step": st.integers(0, 9)}), max_size=2),
    st.floats(0, 10**6),
)


@searching(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), frame | st.binary(max_size=30)), max_size=6), st.integers(0, 6))
def test_frames_come_back_from_columns_byte_for_byte(given, cut):
    payloads = [(keep, one if isinstance(one, bytes) else encode_frame(one)) for keep, one in given]
    rows = [Row(3 * place, keep, payload) for place, (keep, payload) in enumerate(payloads)]
    assert rows_from(table_from(rows)) == rows
    assert rows_from(joined([table_from(rows[:cut]), table_from(rows[cut:])])) == rows


def rows_at(*places):
    return [Row(place, False, b'{"step":%d,"variants":{},"events":[],"seconds":0.0000}' % place) for place in places]


def test_numbers_are_columns_and_nothing_is_kept_twice():
    one = VariantFrame(0.5, None, [1e-9, None], [1.0], [], [], 2.0, [], [], [], [])
    table = table_from([Row(0, False, encode_frame(Frame(0, {"net": one}, [], 0.1)))])
    assert table.column("raw").null_count == 1
    assert table.column("net/weight_grad").to_pylist() == [[1e-9, None]]


def test_many_small_files_become_few_and_lose_nothing(tmp_path):
    frames = Frames(ChunkFiles(tmp_path))
    for place in range(3 * FANOUT):
        frames.append(0, rows_at(place))
        frames.merge(0)
    assert len(list(tmp_path.iterdir())) < FANOUT + 3
    assert frames.rows(0) == rows_at(*range(3 * FANOUT))
    frames.merge(0, everything=True)
    assert len(list(tmp_path.iterdir())) == 1
    assert frames.rows(0) == rows_at(*range(3 * FANOUT))


def test_frames_sent_twice_are_written_once(tmp_path):
    frames = Frames(ChunkFiles(tmp_path))
    frames.append(0, rows_at(0, 1, 2))
    frames.append(0, rows_at(1, 2, 3))
    assert frames.rows(0) == rows_at(0, 1, 2, 3)


def test_a_merge_that_was_cut_off_doubles_nothing(tmp_path):
    frames = Frames(ChunkFiles(tmp_path))
    for place in range(3):
        frames.append(0, rows_at(place))
    small = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    frames.merge(0, everything=True)
    for name, data in small.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "left.part").write_bytes(b"half")
    assert frames.rows(0) == rows_at(0, 1, 2)
    frames.keep_only(0)
    assert len(list(tmp_path.iterdir())) == 1


def test_only_the_checkpoint_that_counts_stays(tmp_path):
    folder = CheckpointFiles(str(tmp_path))
    names = [new_checkpoint(step) for step in (10, 20, 20, 30)]
    for name in (*names, "checkpoint-000000005.npz"):  # as they were named once
        (tmp_path / name).write_bytes(b"state")
    folder.keep_only(names[1], live=True)
    assert {file.name for file in tmp_path.iterdir()} == set(names[1:]), "of the same step another may be named next"
    folder.keep_only(names[1], live=False)
    assert {file.name for file in tmp_path.iterdir()} == {names[1]}


def test_old_runs_go_and_then_the_oldest_while_all_are_too_large():
    rule, now, megabyte = Retention(days=2, megabytes=10), 100 * DAY, 2**20
    ended = [("old", now - 3 * DAY, 1), ("first", now - DAY, 6 * megabyte), ("second", now - 1, 5 * megabyte), ("last", now, 1)]
    assert rule.overdue(ended, now) == ["old", "first"]
    assert rule.overdue(ended[2:], now) == []
    assert rule.sentence().startswith("Runs are kept for 2 days after their end, and while all runs here take less than 10 MB;")
    assert "less than 2 GB" in Retention(30, 2048).sentence()


def test_a_folder_of_a_newer_skipviz_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "runs.sqlite"
    Database(sqlite_url(path), 1).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (int(REVISION),), "so that an older skipviz refuses it"
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.execute(f"UPDATE alembic_version SET version_num = '{int(REVISION) + 1:04d}'")
    with pytest.raises(DatabaseProblemError, match="the folder was written by a newer skipviz"):
        Database(sqlite_url(path), 1)


FIRST_TABLE = """
CREATE TABLE runs (
    id VARCHAR NOT NULL, owner VARCHAR NOT NULL, title VARCHAR NOT NULL, created FLOAT NOT NULL, ended FLOAT,
    state VARCHAR NOT NULL, reason VARCHAR, restart INTEGER NOT NULL, step INTEGER NOT NULL, checkpoint INTEGER,
    edition INTEGER NOT NULL, bytes INTEGER NOT NULL, summary VARCHAR NOT NULL, facts VARCHAR NOT NULL,
    experiment BLOB NOT NULL, header BLOB, PRIMARY KEY (id)
);
CREATE INDEX runs_by_owner ON runs (owner, created);
CREATE INDEX runs_by_end ON runs (ended);
INSERT INTO runs VALUES ('a', 'me', 'mine', 1.5, 2.5, 'finished', NULL, 0, 7, 7, 0, 99, '{}', '{}', x'7b7d', x'7b7d');
PRAGMA user_version=1;
"""
"""What the first servers made."""


def test_a_table_from_before_alembic_is_migrated_and_keeps_its_rows(tmp_path):
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_TABLE)
        before = dict(
            zip(
                [name for _, name, *_ in connection.execute("PRAGMA table_info(runs)")],
                connection.execute("SELECT * FROM runs").fetchone(),
                strict=True,
            )
        )
    for _ in range(2):
        database = Database(sqlite_url(path), 1)
        assert database.row("a") == {**before, "server": None, "checkpoint_file": f"checkpoint-{before['checkpoint']:09d}.npz"}
        assert database.ended() == [("a", 2.5, 99)]
        database.close()


def test_a_table_made_anew_and_a_migrated_one_have_one_form(tmp_path):
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_TABLE)
    for url in (sqlite_url(path), sqlite_url(tmp_path / "new.sqlite")):
        database = Database(url, 1)
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
            assert connection.execute(select(ALEMBIC.c.version_num)).scalars().all() == [REVISION]
        database.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_TABLE)
        connection.execute("CREATE TABLE frames (mine)")
        before = list(connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name"))
    with pytest.raises(DatabaseProblemError):
        Database(sqlite_url(path), 1)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name")) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_folder_is_one_servers_at_a_time(tmp_path):
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


@pytest.mark.parametrize("run_id", ["..", "../x", "a/b", "", "a\x00b", "x" * 65])
def test_no_place_is_named_by_what_is_no_id(tmp_path, run_id):
    with pytest.raises(ValueError, match="no run's id"):
        place_of(str(tmp_path), run_id)


def test_a_row_of_the_table_is_changed_without_what_never_changes(tmp_path):
    database = Database(sqlite_url(tmp_path / "runs.sqlite"), 1)
    row = {"id": "a", "owner": "me", "title": "t", "created": 1.0, "state": "running", "summary": "{}", "facts": "{}"}
    database.write([{**row, "experiment": b"{}", "header": b"h"}])
    database.write([{**row, "state": "finished", "ended": 2.0}])
    found = database.row("a")
    assert (found["state"], found["experiment"], found["header"], json.loads(found["facts"])) == ("finished", b"{}", b"h", {})
    assert database.ended() == [("a", 2.0, 0)]
    database.close()
