"""PostgreSQL servers of the tests' own: Debian's, on a port of this machine, as a user who is not root."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import psycopg
from engines import PATIENCE
from ports import free_port

PR_SET_PDEATHSIG = 1
USERS = ("postgres", "nobody")
"""Whoever is there first runs it where the tests are root's, whom PostgreSQL refuses."""


def program(name):
    """Return the path of one of PostgreSQL's programs, or None."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next(map(str, places), None)


def _as_user():
    """Return what `subprocess` is told to run a program as somebody else than root."""
    if os.getuid():
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(known[name] for name in USERS if name in known)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def make_cluster(folder):
    """Make the files of a database server in a new folder, and return it."""
    who = _as_user()
    folder.mkdir(mode=0o700)
    if who:
        os.chown(folder, who["user"], who["group"])
    command = [program("initdb"), "-D", folder, "-U", "skipviz", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=_environment(), **who)
    return folder


class Postgres:
    """One database server, which may be stopped, killed and started again on its port."""

    def __init__(self, folder, fsync=False):
        self.folder, self.port, self.fsync = folder, free_port(), fsync
        self.process = None

    def start(self):
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on" if self.fsync else "off",
            "shared_buffers": "16MB",
            "max_connections": "40",
        }
        named = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [program("postgres"), "-D", self.folder, "-p", str(self.port), *named]
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        given = {"cwd": "/", "env": _environment(), "preexec_fn": _end_with_its_parent, **_as_user()}
        self.process = subprocess.Popen(command, stdout=log, stderr=log, **given)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return self
            except psycopg.OperationalError:
                assert self.process.poll() is None, "the database server ended"
                assert time.monotonic() < end, "the database server did not come up"
                time.sleep(0.02)

    def stop(self):
        """Stop it in order, whoever is connected."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)

    def freeze(self):
        """Let it answer nothing, and return its processes, which may go on."""
        first = psutil.Process(self.process.pid)
        first.suspend()  # it starts no further one
        processes = [first]
        for process in first.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # a connection that has just ended
                process.suspend()
                processes.append(process)
        return processes

    def thaw(self, processes):
        """Let those of its processes go on that had not ended when they were frozen."""
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def kill(self):
        """Kill it with every process of its own at once, as a power cut does."""
        processes = self.freeze()  # else those that live see that one is gone, and tidy up
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(PATIENCE)
        psutil.wait_procs(processes, PATIENCE)

    def url(self, database):
        return f"postgresql://skipviz@127.0.0.1:{self.port}/{database}"

    def make(self, database):
        """Make an empty database and return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url(database)


def kept(url, run_id, column):
    """Return what the table of runs has of a run, or None where it has none, or is not there yet."""
    with psycopg.connect(url) as connection:
        try:
            found = connection.execute(f"SELECT {column} FROM runs WHERE id = %s", [run_id]).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return found and found[0]


def _end_with_its_parent():
    """Have the system end this process when the tests' is killed, which then stops no server."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _environment():
    return {"PATH": os.environ["PATH"], "LC_ALL": "C"}
