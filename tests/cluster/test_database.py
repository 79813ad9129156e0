"""Runs that are kept in PostgreSQL: the same for every server, in a form that alembic brings about; a newer one is refused."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from engines import frames_of, small, wait_for, wait_for_end

from skipviz.engine import Engine, EngineError
from skipviz.settings import Settings
from skipviz.storage.chunk_rows import ChunkRows
from skipviz.storage.chunks import FANOUT, Frames
from skipviz.storage.columns import Row
from skipviz.storage.database import Database, DatabaseProblemError, DatabaseRefusalError
from skipviz.storage.schema import METADATA, REVISION

ME = "owner-of-these-tests"


@pytest.fixture
def database(database_url):
    database = Database(database_url, 1)
    yield database
    database.close()


def row(run_id, **more):
    about = {"owner": "me", "title": "t", "created": 1.0, "state": "running", "summary": "{}", "facts": "{}"}
    return {"id": run_id, **about, "experiment": b"{}", **more}


def test_an_ended_run_is_the_same_for_a_server_with_another_folder(start, database_url, tmp_path):
    first = start(database_url)
    run = wait_for_end(first, first.run(first.submit(small(steps=60), ME)))
    first.close()
    second = start(database_url, data_dir=tmp_path / "other")
    found = wait_for(second, lambda: second.run(run.id))
    assert found is not run
    assert found.snapshot() == run.snapshot()
    assert frames_of(found) == frames_of(run)
    (listed,) = second.runs_of(ME)
    assert (listed["id"], listed["state"], listed["title"]) == (run.id, "finished", "Two spirals, 6 layers")
    assert not list(tmp_path.rglob("*.parquet"))
    assert not list(tmp_path.rglob("*.sqlite"))
    second.rename(run.id, ME, "another name")
    second.delete(run.id, ME)
    assert second.runs_of(ME) == []
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM frames").fetchone() == (0,)


def test_a_small_picture_of_a_run_is_read_from_the_table(start, database_url):
    first = start(database_url)
    run = wait_for_end(first, first.run(first.submit(small(steps=60), ME)))
    first.close()
    experiment, frames = wait_for(second := start(database_url), lambda: _glance(second, run))
    assert experiment == run.experiment
    assert len(frames) == 5


def _glance(engine, run):
    try:
        return engine.glance(run.id, 5)
    except EngineError:
        return None


def test_the_form_that_is_made_is_the_one_that_is_described_and_is_made_once(database, database_url):
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    again = Database(database_url, 1)
    again.write([row("a")])
    assert database.row("a")["owner"] == "me"
    again.close()


def test_a_database_of_the_first_form_is_migrated_and_keeps_its_rows(database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from skipviz.storage import database as module

    config = Config()
    config.set_main_option("script_location", str(module.MIGRATIONS))
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO runs VALUES ('a', 'me', 'mine', 1.5, 2.5, 'finished', NULL, 0, 7, 7, 0, 99, '{}', '{}', '{}', '{}')"
        )
    engine.dispose()
    database = Database(database_url, 1)
    assert (database.row("a")["title"], database.ended()) == ("mine", [("a", 2.5, 99)])
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()


def test_a_database_of_a_newer_skipviz_is_refused_with_a_sentence(database, database_url, tmp_path):
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [f"{int(REVISION) + 1:04d}"])
    with pytest.raises(DatabaseProblemError, match="the database was written by a newer skipviz"):
        Database(database_url, 1)
    engine = Engine(Settings(data_dir=tmp_path, database_url=database_url)).start()
    try:
        wait_for(engine, lambda: engine._store.trouble == "the database was written by a newer skipviz")
    finally:
        engine.close()


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "postgresql+psycopg://nobody@127.0.0.1:1/none"])
def test_a_database_that_is_not_there_is_a_sentence(url):
    with pytest.raises(DatabaseProblemError, match="the database cannot be reached"):
        Database(url, 1)


def rows_at(*places):
    return [Row(place, False, b'{"step":%d,"variants":{},"events":[],"seconds":0.0000}' % place) for place in places]


def test_many_small_chunks_become_few_and_lose_nothing(database):
    rows = ChunkRows(database, "a")
    frames, other = Frames(rows), Frames(ChunkRows(database, "b"))
    other.append(0, rows_at(0, 1))
    for place in range(3 * FANOUT):
        frames.append(0, rows_at(place))
        frames.merge(0)
    frames.append(0, rows_at(*range(3 * FANOUT)))
    assert len(rows.found()) < FANOUT + 3
    assert frames.rows(0) == rows_at(*range(3 * FANOUT))
    assert frames.rows(0, after=20) == rows_at(*range(21, 3 * FANOUT))
    frames.append(1, rows_at(0))
    frames.keep_only(1)
    assert (frames.rows(0), frames.rows(1), frames.last_place(1)) == ([], rows_at(0), 0)
    assert frames.bytes() > 0
    frames.remove()
    assert (frames.bytes(), other.rows(0)) == (0, rows_at(0, 1))


def test_what_is_done_in_one_transaction_is_done_wholly_or_not_at_all(database):
    def half_done():
        with database.transaction():
            database.write([row("a")])
            Frames(ChunkRows(database, "a")).append(0, rows_at(0))
            raise KeyError

    with pytest.raises(KeyError):
        half_done()
    assert (database.row("a"), Frames(ChunkRows(database, "a")).rows(0)) == (None, [])
    with database.transaction():
        database.write([row("a")])
        with pytest.raises(DatabaseRefusalError):
            database.write([row("b"), row("c", step=2**40)])
        database.write([row("d", title="nul \0")])
    assert database.ids() == {"a", "d"}
