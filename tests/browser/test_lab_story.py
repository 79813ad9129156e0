"""The lab's story: a deep plain network does not learn; one click on Residual and it does."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from skipviz.tasks import presets


def _variant(frame: dict) -> dict:
    return next(iter(frame["variants"].values()))


def _first_to_last(frame: dict) -> float:
    gradient = _variant(frame)["weight_grad"]
    return gradient[0] / gradient[-1]


def test_the_lab_opens_on_24_layers_of_64_with_their_residual_skips_switched_off(lab):
    expect(lab.inspector).to_contain_text("24 layers")
    expect(lab.inspector).to_contain_text("0 of 11 skips on")
    expect(lab.plain).to_have_attribute("aria-pressed", "true")
    expect(lab.page.locator("svg.sv-diagram .skip.off")).to_have_count(11)
    expect(lab.page.locator(".sv-sentence")).to_contain_text(
        re.compile(r"^Vanishing: the first layer gets \S+10⁻\S+ of the last’s gradient\.")
    )


def test_a_plain_network_stays_at_half_until_one_click_on_residual_lets_it_learn(kept):
    lab = kept.put(presets.get("vanishing-plain"))
    lab.set_speed(7)
    lab.start()
    lab.wait_for_step(150)
    lab.residual.click()
    expect(lab.residual).to_have_attribute("aria-pressed", "true")
    event = lab.event_frame()["step"]
    lab.set_speed(9)
    expect(lab.marks).to_have_count(1)
    expect(lab.marks).to_have_attribute("aria-label", f"Step {event}: all skips on")

    plain = [frame for frame in lab.frames() if 100 <= frame["step"] < event]
    assert max(map(_first_to_last, plain)) < 1e-6
    assert all(abs(_variant(frame)["held_out"] - 0.5) < 0.08 for frame in plain if "held_out" in _variant(frame))

    after = lab.frame_where(lambda frame: event <= frame["step"] <= event + 1)
    assert _first_to_last(after) > 1e-2

    learnt = lab.frame_where(lambda frame: frame["step"] > event and (_variant(frame).get("held_out") or 0) > 0.99)
    assert learnt["step"] <= event + 900


def test_the_sentence_tells_before_and_after_a_switch_and_is_read_aloud_of_one_frame(kept):
    lab = kept.put(presets.get("vanishing-plain"))
    sentence, spoken = lab.page.locator(".sv-sentence"), lab.page.locator(".sv-lab > .sv-spoken")
    expect(spoken).to_have_text(re.compile(r"^Before training\. 0 of 11 skips on\. Vanishing"))
    lab.set_speed(5)
    lab.start()
    lab.wait_for_step(20)
    lab.until(lambda: re.match(r"Step \d+, running\. 0 of 11 skips on\. Vanishing", spoken.inner_text()))
    lab.residual.click()
    lab.until(lambda: re.match(r"First layer’s gradient .*10⁻.* → .* of the last’s; loss .* → ", sentence.inner_text()))
    lab.until(lambda: re.match(r"Step \d+, running\. 11 of 11 skips on\. First layer’s gradient .*10⁻", spoken.inner_text()))
    lab.until(lambda: sentence.inner_text().startswith("It gets through"))
    lab.page.keyboard.press(" ")
    lab.expect_state("Paused")
    lab.until(lambda: re.match(r"Step \d+, paused\. 11 of 11 skips on\. It gets through", spoken.inner_text()))
