"""At an earlier step, the page says how the network stood then, and changes nothing."""

from __future__ import annotations

import re

from experiments import small
from pages import LabPage
from playwright.sync_api import expect


def test_counts_and_buttons_are_those_of_the_step_and_a_click_is_refused_with_a_sentence(kept):
    lab = kept.put(small(width=8, record_every=1))
    lab.start()
    lab.wait_for_step(60)
    lab.plain.click()
    lab.event_frame()
    lab.expect_network(lambda network: not any(skip.on for skip in network.skips))
    expect(lab.inspector).to_contain_text("0 of 2 skips on")
    lab.slider.fill("10")
    expect(lab.inspector).to_contain_text("2 of 2 skips on at step 10")
    expect(lab.residual).to_have_attribute("aria-pressed", "true")
    expect(lab.residual).to_be_disabled()
    expect(lab.plain).to_be_disabled()

    spoken = lab.page.locator(".sv-lab > .sv-spoken")
    lab.until(lambda: "Step 10, looking back." in spoken.inner_text())

    lab.click_skip("s1-3")
    expect(lab.toast).to_contain_text("You are looking at step 10.")
    assert not any(skip.on for skip in lab.experiment().network.skips)
    lab.state.click()
    expect(lab.inspector).to_contain_text("h(1) → h(3)")
    expect(lab.plain).to_have_attribute("aria-pressed", "true")
    expect(lab.plain).to_be_enabled()
    lab.click_skip("s1-3")
    lab.expect_network(lambda network: network.skip("s1-3").on)


def test_a_switch_in_one_tab_is_followed_by_the_other(kept, visit):
    lab, page = kept.put(small(record_every=1)), kept.page
    run = lab.start()
    lab.wait_for_step(20)
    other = LabPage(visit(page.context)).open(run=run)
    other.wait_for_step(20)
    other.plain.click()
    expect(lab.plain).to_have_attribute("aria-pressed", "true")
    expect(page.locator("svg.sv-diagram .edge.skip.off")).to_have_count(2)
    expect(lab.undo).to_be_enabled()
    lab.expect_network(lambda network: not any(skip.on for skip in network.skips))
    lab.click_skip("s1-3")
    expect(other.page.locator("svg.sv-diagram .edge.skip.off")).to_have_count(1)
    other.expect_network(lambda network: network.skip("s1-3").on and not network.skip("s3-5").on)
    lab.until(lambda: len([frame for frame in lab.frames() if frame.get("events")]) == 2)


def test_the_other_theme_and_a_reload_show_again_the_step_that_was_looked_at_and_undo_what_was_done_before(kept):
    lab, page = kept.put(small(steps=60)), kept.page
    lab.click_skip("s1-3")
    lab.expect_network(lambda network: not network.skip("s1-3").on)
    lab.set_speed(9)
    run = lab.start()
    lab.expect_state("Finished")
    expect(page.locator(".sv-transport .sv-count")).to_contain_text("60 / 60")
    lab.slider.fill("20")
    step = lab.step()
    assert abs(step - 20) <= 3
    theme = page.get_by_label("Light or dark")
    expect(page.locator(".sv-lab")).to_have_attribute("data-theme", "light")
    theme.click()  # the page is loaded anew
    expect(page.locator(".sv-lab")).to_have_attribute("data-theme", "dark")
    lab.ready()
    lab.until(lambda: lab.step() == step)
    shade = page.evaluate("() => getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert max(map(int, re.findall(r"\d+", shade)[:3])) < 60
    lab.state.click()
    lab.until(lambda: lab.step() == 60)
    theme.click()
    expect(page.locator(".sv-lab")).to_have_attribute("data-theme", "light")
    lab.ready()
    lab.until(lambda: lab.step() == 60)
    lab.undo.click()
    lab.expect_network(lambda network: network.skip("s1-3").on)

    page.goto(f"compare?runs={run},{run}")
    page.get_by_label("Step shown").fill(str(step))
    shown = page.locator(".sv-pair-column .sv-pair-step")
    expect(shown).to_have_text([f"step {step}"] * 2)
    page.reload()
    expect(shown).to_have_text([f"step {step}"] * 2)


def test_keys_lead_back_from_a_step_that_is_not_kept(kept):
    lab = kept.put(small(width=8, record_every=1000))
    lab.start()
    lab.wait_for_step(3)
    lab.press("Pause")
    lab.expect_state("Paused")
    lab.slider.focus()
    lab.page.keyboard.press("ArrowLeft")
    lab.until(lambda: lab.step() % 1000 == 0)
    lab.expect_state(re.compile(r"^Live is at "))
