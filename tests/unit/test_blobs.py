"""Large objects in a folder or behind a URL: whole or not there, and each problem of theirs an `OSError`."""

import os
import time
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from own_data import table_file

from skipviz.tasks.blobs import Blob, blobs_at
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads


@pytest.fixture(params=["", "file://", "local://"])
def place(request, tmp_path):
    """A folder, the same as a URL, and as what only fsspec knows; nothing is there yet."""
    return f"{request.param}{tmp_path}/blobs/inner"


def write(place, name, data):
    with blobs_at(place).writing(name) as file:
        file.write(data)


def test_what_is_written_is_found_read_replaced_and_removed(place):
    blobs = blobs_at(place)
    assert (blobs.found(), blobs.has("a"), Blob(place, "a").exists()) == ([], False, False)
    with pytest.raises(FileNotFoundError):
        Blob(place, "a").read_bytes()
    write(place, "a", b"one")
    write(place, "b", b"three")
    write(place, "a", b"four")
    assert Blob(place, "a").read_bytes() == b"four"
    assert {one.name: one.size for one in blobs.found()} == {"a": 4, "b": 5}
    assert all(abs(one.modified - time.time()) < 60 for one in blobs.found())
    blobs.remove(["a", "gone"])
    assert (blobs.has("a"), blobs.has("b")) == (False, True)
    blobs.clear()
    assert blobs.found() == []


def test_what_another_machine_writes_is_found_where_listings_are_remembered(tmp_path, monkeypatch):
    """As the file system of an object store remembers them, which looks into them before it asks."""
    fresh = LocalFileSystem.ls

    def remembered(self, path, detail=True):
        if path not in self.dircache:
            self.dircache[path] = listed = fresh(self, path, detail=True)
            return listed
        return self.dircache[path]

    monkeypatch.setattr(LocalFileSystem, "ls", remembered)
    monkeypatch.setattr(
        LocalFileSystem, "isfile", lambda self, path: path in [one["name"] for one in self.ls(path.rpartition("/")[0])]
    )
    blobs = blobs_at(f"local://{tmp_path}")
    assert blobs.found() == []
    (tmp_path / "a").write_bytes(b"by another")
    assert blobs.has("a")
    assert [one.name for one in blobs.found()] == ["a"]


def test_what_fails_while_it_is_written_leaves_what_was_there(place):
    def fail():
        with blobs_at(place).writing("a") as file:
            file.write(b"half")
            raise KeyError

    write(place, "a", b"whole")
    with pytest.raises(KeyError):
        fail()
    assert [one.name for one in blobs_at(place).found()] == ["a"]
    assert Blob(place, "a").read_bytes() == b"whole"


@pytest.mark.parametrize("nowhere", ["nothing://bucket/x", "/proc/none/x", "local:///proc/none/x"])
def test_a_place_that_cannot_be_used_is_an_os_error(nowhere):
    with pytest.raises(OSError, match=r"none|nothing"):
        write(nowhere, "a", b"x")
    assert not Blob(nowhere, "a").exists()


def test_peoples_own_data_is_found_by_whoever_names_the_place_and_the_old_goes(place, tmp_path):
    table = read(table_file(), "x.csv")
    digest = Uploads(place).keep(table)
    assert Uploads(place).load(described(table)).digest() == digest
    assert not Uploads(place).has("0" * 64)
    os.utime(Path(tmp_path / "blobs" / "inner" / f"{digest}.npz"), (1e9, 1e9))
    other = Uploads(place, hours=1).keep(read(table_file() + b"\n999,1,round,0,red,1", "x.csv"))
    assert (Uploads(place).has(digest), Uploads(place).has(other)) == (False, True)
