"""Data of one's own in a real browser: a file, a target, a start, and a loss that falls; a bad file, and a sentence."""

from __future__ import annotations

import re
from statistics import fmean

import pytest
from experiments import small, values
from own_data import pictures_file, table_file
from pages import PHONE
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PICTURE = ".sv-picture-card [role=img]"


def send(page, content: bytes, name: str) -> None:
    """Give the sidebar's uploader a file."""
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def beginning_with(words: str) -> re.Pattern:
    return re.compile("^" + re.escape(words))


def test_a_table_is_uploaded_told_and_learned_in_front_of_ones_eyes(lab):
    lab.choose_task("Your own table…")
    send(lab.page, table_file(), "things.csv")
    expect(lab.page.get_by_text("Tell price from 8 inputs made of things.csv")).to_be_visible()
    lab.choose_listed("Target", "kind")
    network = lab.expect_network(lambda network: network.head.outputs == 3)
    assert network.input == (6,)
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", beginning_with("30 held-out rows"))
    lab.residual.click()
    lab.set_speed(9)
    lab.start()
    lab.wait_for_step(60)
    losses = [values(frame)["loss"] for frame in lab.frames()]
    assert fmean(losses[-10:]) < losses[0] / 2
    lab.until(lambda: "is predicted correctly" in lab.page.locator(PICTURE).get_attribute("aria-label"))
    expect(lab.page.locator(".sv-metric").first).to_contain_text("Accuracy")


def test_pictures_are_named_under_their_own_thumbnails(lab):
    lab.choose_task("Your own pictures…")
    send(lab.page, pictures_file(), "things.npz")
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", beginning_with("Masks of 3 held-out images"))
    lab.choose_listed("Target", "labels")
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", beginning_with("12 held-out pictures"))
    lab.start()
    lab.wait_for_step(3)


def test_a_hostile_file_ends_in_a_sentence_beside_the_uploader_on_a_phone(pocket):
    lab, page = pocket.put(small()), pocket.page
    page.locator(".sv-setup").click()
    expect(page.locator("[data-testid=stSidebar]")).to_have_attribute("data-collapsed", "false")
    lab.choose_task("Your own table…")
    name = "<img src=x onerror=alert(1)>![a](http://127.0.0.1:9/a.png).csv"
    send(page, b"\x80\x04\x95" + b"x" * 500, name)
    problem = page.locator(".sv-own-problem")
    expect(problem).to_have_text("a.png).csv is a pickle, which is never opened, not a CSV file: export the table as CSV UTF-8.")
    assert problem.locator("img").count() == 0
    assert not [address for address in page.asked if "127.0.0.1:9/" in address]
    lab.until(lambda: page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"])
