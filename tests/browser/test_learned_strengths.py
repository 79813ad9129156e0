"""A skip learns its strength: it is made so in the inspector, and the diagram says what it is at the step looked at."""

from __future__ import annotations

from experiments import small, values
from playwright.sync_api import expect

EDGE_LABEL = "svg.sv-diagram [data-edge-label]"


def _said(frame) -> str:
    """Return what the first skip's label says of a frame."""
    return f"×{values(frame)['strength'][0]:.2f}"


def _learned(lab):
    """Let the skip s1-3 learn, by hand, and return its slider."""
    for on in (False, True):  # a click switches it, too
        lab.click_skip("s1-3")
        lab.expect_network(lambda network, on=on: network.skip("s1-3").on is on)
        lab.settle()
    lab.inspector.locator("summary").click()
    lab.inspector.get_by_role("switch", name="Strength learned").click()
    lab.expect_network(lambda network: network.skip("s1-3").learned and network.skip("s1-3").on)
    rate = lab.inspector.get_by_label("Learning rate of the strength, times the run’s")
    rate.fill("5")
    rate.press("Enter")
    lab.expect_network(lambda network: network.skip("s1-3").rate == 5)
    return lab.inspector.get_by_label("Strength", exact=True)


def test_label_and_slider_show_the_strength_of_the_step_looked_at_and_to_move_the_slider_sets_it(kept):
    lab = kept.put(small(steps=400))
    expect(lab.page.locator(".sv-plot-strengths")).to_be_hidden()
    slider, label = _learned(lab), lab.page.locator(EDGE_LABEL)
    expect(label).to_have_text(["×1.00"])
    lab.start()
    lab.wait_for_step(60)
    lab.press("Pause")
    lab.expect_state("Paused")
    last = lab.frames()[-1]
    assert values(last)["strength"][1] is None
    lab.until(lambda: label.text_content() == _said(lab.frames()[-1]))
    lab.until(lambda: abs(float(slider.input_value()) - values(lab.frames()[-1])["strength"][0]) < 0.006)

    lab.slider.fill("10")
    frame = next(frame for frame in lab.frames() if frame["step"] == lab.step())
    assert _said(frame) != _said(last)
    lab.until(lambda: label.text_content() == _said(frame))
    cells = "() => document.querySelector('.sv-plot-strengths .js-plotly-plot').data[0].z"
    lab.until(lambda: lab.page.evaluate(cells) == [[values(frame)["strength"][0]]])
    lab.page.locator(".sv-plot-strengths").hover(position={"x": 45, "y": 12})
    expect(lab.page.locator(".sv-plot-strengths .sv-tip")).to_contain_text("h(1) → h(3): strength")

    lab.state.click()
    slider.fill("-0.5")
    lab.press("Resume")
    event = lab.event_frame()
    assert event["events"][0]["strength"] == -0.5
    assert values(event)["strength"][0] == -0.5


def test_a_share_by_softmax_is_said_in_per_cent_and_goes_with_the_learning(kept):
    lab = kept.put(small(steps=60))
    _learned(lab)
    lab.settle()
    lab.inspector.get_by_role("switch", name="Share by softmax").click()
    lab.expect_network(lambda network: network.skip("s1-3").softmax)
    expect(lab.page.locator(EDGE_LABEL)).to_have_text(["73 %"])  # e ÷ (1 + e)
    lab.set_speed(9)
    lab.start()
    lab.expect_state("Finished")
    share = values(lab.frames()[-1])["share"][0]
    lab.until(lambda: lab.page.locator(EDGE_LABEL).text_content() == f"{100 * share:.0f} %")
    lab.settle()
    lab.inspector.get_by_role("switch", name="Strength learned").click()
    lab.expect_network(lambda network: not network.skip("s1-3").learned and not network.skip("s1-3").softmax)
