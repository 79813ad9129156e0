"""The Chromium that tests and benchmarks drive."""

from __future__ import annotations

from pathlib import Path

INSTALLED = [Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")]
"""The shell is the same engine without windows and bars of its own, and takes less of the processor."""


def launch(playwright, *more: str):
    """Start Debian's Chromium where it is installed, else Playwright's own, with more switches if given."""
    path = next((path for path in INSTALLED if path.exists()), None)
    switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", *more]
    return playwright.chromium.launch(executable_path=path, args=switches)
