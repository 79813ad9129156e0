"""Data of one's own in a real browser: a file, a target, a start, and a loss that falls; a bad file, and a sentence."""

from __future__ import annotations

import re

import pytest
from own_data import pictures_file, table_file
from pages import PHONE, LabPage
from playwright.sync_api import TimeoutError, expect

pytestmark = pytest.mark.browser

PICTURE = ".sv-picture-card [role=img]"


def send(page, content: bytes, name: str) -> None:
    """Give the sidebar's uploader a file."""
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def beginning_with(words: str) -> re.Pattern:
    return re.compile("^" + re.escape(words))


def choose_own(lab, title: str) -> None:
    """Choose a task; a list that a rerun of the script closes is opened again."""
    option = lab.page.get_by_role("option", name=title)

    def is_open() -> bool:
        lab.page.get_by_role("combobox", name="Task").click()
        try:
            option.wait_for(timeout=4000)
        except TimeoutError:
            return False
        return True

    lab.until(is_open)
    option.click()


def choose_target(page, name: str) -> None:
    page.get_by_role("combobox", name="Target").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_a_table_is_uploaded_told_and_learned_in_front_of_ones_eyes(lab):
    lab.choose_task("Your own table…")
    send(lab.page, table_file(), "things.csv")
    expect(lab.page.get_by_text("Tell price from 8 inputs made of things.csv")).to_be_visible()
    choose_target(lab.page, "kind")
    network = lab.expect_network(lambda network: network.head.outputs == 3)
    assert network.input == (6,)
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", beginning_with("30 held-out rows"))
    lab.residual.click()
    lab.set_speed(9)
    lab.start()
    lab.wait_for_step(60)
    losses = [next(iter(frame["variants"].values()))["loss"] for frame in lab.frames()]
    assert losses[-1] < losses[0] / 2
    lab.until(lambda: "is told correctly" in lab.page.locator(PICTURE).get_attribute("aria-label"))
    assert "Accuracy" in lab.page.locator(".sv-metric").first.inner_text()


def test_pictures_are_named_under_their_own_thumbnails(lab):
    lab.choose_task("Your own pictures…")
    send(lab.page, pictures_file(), "things.npz")
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", beginning_with("Masks of 3 held-out images"))
    choose_target(lab.page, "labels")
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", beginning_with("12 held-out pictures"))
    lab.start()
    lab.wait_for_step(3)


def test_a_hostile_file_ends_in_a_sentence_beside_the_uploader_on_a_phone(visit):
    page = visit(viewport=PHONE, user_agent="Mobi")
    lab = LabPage(page).open()
    page.locator(".sv-setup").click()
    expect(page.locator("[data-testid=stSidebar]")).to_have_attribute("data-collapsed", "false")
    choose_own(lab, "Your own table…")
    name = "<img src=x onerror=alert(1)>![a](http://127.0.0.1:9/a.png).csv"
    send(page, b"\x80\x04\x95" + b"x" * 500, name)
    problem = page.locator(".sv-own-problem")
    expect(problem).to_have_text("a.png).csv is a pickle, which is never opened, not a CSV file: export the table as CSV UTF-8.")
    assert problem.locator("img").count() == 0
    assert not [address for address in page.asked if "127.0.0.1:9/" in address]
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
