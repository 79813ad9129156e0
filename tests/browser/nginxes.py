"""nginx with the example configuration, changed only in its addresses, and without TLS."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from ports import free_port

EXAMPLE = Path(__file__).resolve().parents[2] / "assets" / "hosting" / "nginx.conf"


class Nginx:
    """nginx in the foreground on a free port of loopback, before the server on `server_port`."""

    def __init__(self, folder: Path, server_port: int, change=lambda text: text) -> None:
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if binary is None:
            pytest.fail("nginx is not installed: apt-get install nginx-light (tests/run does it where it may)")
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        site = change(example_without_tls(self.port, server_port))
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = f"""
            daemon off; pid {folder}/pid; user {Path.home().owner()};
            error_log {folder}/error.log; worker_processes 1;
            events {{ worker_connections 2048; }}
            http {{ access_log off; {temporary} {site} }}
        """
        (folder / "nginx.conf").write_text(main)
        self._folder = folder
        self._process = subprocess.Popen(
            [binary, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf", "-p", str(folder)], stderr=subprocess.PIPE
        )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        end = time.monotonic() + 60
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"nginx is not up: {(self._folder / 'error.log').read_text()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate(timeout=10)


def example_without_tls(port: int, server_port: int) -> str:
    """Return the example configuration for plain HTTP on `port`: no certificate, no server that only redirects."""
    text = EXAMPLE.read_text()
    text = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", text, flags=re.S)
    text = re.sub(r" *ssl_.*?;\n", "", text)
    assert text.count("listen ") == 1
    text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};").replace("127.0.0.1:8501", f"127.0.0.1:{server_port}")
    assert "ssl" not in text
    return text
