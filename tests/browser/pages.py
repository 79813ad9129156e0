"""The two pages as a person handles them, for tests: every wait is on a condition of the page or of its run."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import TimeoutError, expect

from skipviz.sharing import link

NO_NEWCOMER = {"skipviz-tour": '{"offered": true}'}
"""What a browser keeps that has been offered the tour."""
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE = 120
"""Seconds after which a test gives a condition up; none takes that long on a machine that is not stuck."""
RETRIES = 2
"""Further tries for a request on a connection that its server closes in the same moment, as browsers make them by themselves."""
DROP = """(text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "experiment.json", { type: "application/json" }));
    document.querySelector(".sv-lab").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
"""Drops an experiment's file on the lab."""


def kept_by_browser(address: str, kept: dict[str, str]) -> dict:
    """Return the state of a browser that keeps `kept` of the server at `address`, as Playwright takes it."""
    stored = [{"name": name, "value": value} for name, value in kept.items()]
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    return {"cookies": [], "origins": [{"origin": origin, "localStorage": stored}]}


def wait_until(page, condition, said=lambda: ""):
    """Wait until `condition()` holds, and return what it returned; `said()` tells where it did not come true."""
    end, pause = time.monotonic() + PATIENCE, 20
    while not (result := condition()):
        assert time.monotonic() < end, f"the condition did not come true{said()}"
        page.wait_for_timeout(pause)
        pause = min(200, 1.5 * pause)  # who asks a whole run of a server that is slow makes it slower
    return result


def at_rest(page, place):
    """Return where something is, as `place()` says, once it lies still: what was scrolled or drawn anew moves a while."""
    found = None
    while found != (found := place()):
        page.wait_for_timeout(50)
    return found


def wait_for(place, state: str = "visible") -> None:
    """Wait until an element is there; at each look `expect` writes the whole page down where it is not, which a page that opens
    costs a tenth of its time."""
    place.wait_for(state=state, timeout=1000 * PATIENCE)


def titles(page) -> dict[str, str]:
    """Return the title of every run of this browser that the server keeps, by the run's id."""
    return {run["id"]: run["title"] for run in page.request.get("skipviz/runs", max_retries=RETRIES).json()["runs"]}


class _Page:
    """What both pages have: the transport, runs, toasts."""

    def __init__(self, page) -> None:
        self.page = page
        self.main = page.locator(".sv-transport .sv-main")
        self.state = page.locator(".sv-transport .sv-state")
        self.slider = page.get_by_label("Step shown")
        self.marks = page.locator(".sv-transport .sv-mark")
        self.toast = page.locator(".sv-toast:visible")

    def until(self, condition):
        """Wait until `condition()` holds, and return what it returned."""
        return wait_until(self.page, condition, lambda: f"; the page says {self.state.inner_text()!r}")

    def step(self) -> int:
        """Return the step shown."""
        return int(self.page.locator(".sv-transport .sv-step").inner_text())

    def wait_for_step(self, step: int) -> None:
        """Wait until the step shown is `step` or a later one."""
        self.page.wait_for_function(
            "step => Number(document.querySelector('.sv-transport .sv-step')?.textContent) >= step",
            arg=step,
            timeout=1000 * PATIENCE,
            polling=50,  # by default at every frame, which has the page drawn sixty times a second
        )

    def press(self, words: str) -> None:
        """Press the transport's main button once it says `words`."""
        expect(self.main).to_have_text(words)
        self.main.click()

    def expect_state(self, words) -> None:
        """Wait until the transport says `words` (a text or a pattern)."""
        expect(self.state).to_have_text(words)

    def expect_running(self) -> None:
        """Wait until the transport says that it trains; where a step is slow, it says how long one takes."""
        self.expect_state(re.compile(r"^(Running|A step takes)"))

    def is_measured(self, place) -> None:
        """Wait until the bars at `place` have lengths and no font is on its way that would move what stands around them."""
        wait_for(place.locator(".sv-bars .barlayer .point path").first, "attached")
        self.page.evaluate("() => document.fonts.ready.then(() => null)")

    def run_data(self, run: str) -> dict:
        """Return a run's snapshot, asked for with this browser's cookie."""
        answer = self.page.request.get(f"skipviz/runs/{run}", max_retries=RETRIES)
        assert answer.ok, answer.text()
        return answer.json()


class LabPage(_Page):
    """The lab."""

    def __init__(self, page) -> None:
        super().__init__(page)
        self.svg = page.locator("svg.sv-diagram")
        self.inspector = page.locator(".sv-inspector")
        self.plain = page.locator(".sv-segment button").nth(0)
        self.residual = page.locator(".sv-segment button").nth(1)
        self.undo = page.locator(".sv-undo")
        self.redo = page.locator(".sv-redo")

    def open(self, experiment=None, **query: str):
        """Open the lab, with `experiment` if given, and wait until it is drawn and measured."""
        parts = {**({"x": link.encode(experiment)} if experiment else {}), **query}
        self.page.goto("lab?" + "&".join(f"{name}={value}" for name, value in parts.items()))
        return self.ready()

    def ready(self):
        """Wait until the diagram and the plot beside it are drawn, with what was measured."""
        wait_for(self.svg.first)
        wait_for(self.page.locator(".sv-bars .main-svg").first)
        self.is_measured(self.page.locator(".sv-lab"))
        return self

    def settle(self) -> None:
        """Wait until Python has drawn all that it was asked for, so that no drawing is on its way that takes another's place."""
        wait_for(self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]"), "attached")

    def drop(self, experiment) -> None:
        """Drop `experiment` on the open lab, and wait until it stands there, ready to start."""
        self.page.evaluate(DROP, experiment.to_json())
        self.until(lambda: self.experiment() == experiment and "run=" not in self.page.url)
        self.settle()
        expect(self.main).to_have_text("Start")
        self.toast.evaluate_all("toasts => toasts.forEach((toast) => { toast.hidden = true; })")

    def put(self, experiment):
        """Drop `experiment` on the open lab where it does not stand there already, and wait until it is drawn and measured."""
        if self.experiment() != experiment or "run=" in self.page.url:
            self.drop(experiment)
        return self.ready()

    def set_speed(self, position: int) -> None:
        """Move the speed slider: 0 is one step a second, 9 as fast as it goes."""
        self.page.get_by_label("Speed, steps a second").fill(str(position))

    def start(self) -> str:
        """Press Start and return the run's id once it runs."""
        self.press("Start")
        return self.run()

    def run(self) -> str:
        """Return the run's id, which the address names once Python knows it."""
        return self.until(lambda: parse_qs(urlsplit(self.page.url).query).get("run", [None])[0])

    def experiment(self):
        """Return the experiment that Python holds: the address always carries it."""
        text = parse_qs(urlsplit(self.page.url).query).get("x", [""])[0]
        return link.decode(text) if text else None

    def expect_network(self, condition):
        """Wait until the network that Python holds meets `condition`, and return it."""

        def found():
            experiment = self.experiment()
            return experiment is not None and condition(experiment.network) and experiment.network

        return self.until(found)

    def data(self, run: str | None = None) -> dict:
        """Return the snapshot of a run, the present one by default."""
        return self.run_data(run or self.run())

    def frames(self, run: str | None = None) -> list[dict]:
        """Return all frames of a run, the present one by default."""
        return self.data(run)["frames"]

    def frame_where(self, condition) -> dict:
        """Wait for the first frame of the present run that meets `condition`, and return it."""
        return self.until(lambda: next(filter(condition, self.frames()), None))

    def event_frame(self) -> dict:
        """Wait for the first frame that carries an event."""
        return self.frame_where(lambda frame: frame.get("events"))

    def skip(self, identifier: str):
        """Return the diagram's line of a skip."""
        return self.page.locator(f'svg.sv-diagram [data-skip="{identifier}"]')

    def layer(self, identifier: str):
        """Return the diagram's box of a layer."""
        return self.page.locator(f'svg.sv-diagram [data-layer="{identifier}"]')

    def skip_ids(self) -> list[str]:
        """Return the ids of all skips drawn."""
        return [
            text for node in self.page.locator("svg.sv-diagram [data-skip]").all() for text in [node.get_attribute("data-skip")]
        ]

    def click_skip(self, identifier: str) -> None:
        """Click a skip's line in the middle of its way, or of the part that is its alone."""
        self.page.mouse.click(*at_rest(self.page, lambda: self.skip_place(identifier)))

    def skip_place(self, identifier: str) -> tuple[float, float]:
        """Return where a skip's line lies on the screen, scrolled into sight."""
        return self.skip(identifier).evaluate(
            """node => {
                const wire = (node.closest("[data-edge]") || node).querySelector(".hit");
                wire.scrollIntoView({block: "nearest"});
                const point = wire.getPointAtLength(wire.getTotalLength() / 2).matrixTransform(wire.getScreenCTM());
                return [point.x, point.y];
            }"""
        )

    def state_place(self, k: int) -> tuple[float, float]:
        """Return where a state's circle lies on the screen, scrolled into sight."""
        return self.page.locator(f'svg.sv-diagram [data-state="{k}"]').evaluate(
            """circle => {
                circle.scrollIntoView({block: "nearest"});
                const { x, y, width, height } = circle.getBoundingClientRect();
                return [x + width / 2, y + height / 2];
            }"""
        )

    def choose(self, label: str, value: str) -> None:
        """Choose `value` in the inspector's list `label`, opening the menu that holds it if need be."""
        field = self.inspector.get_by_label(label, exact=True)
        if not field.is_visible():
            self.inspector.locator("summary").click()
        field.select_option(value)

    def choose_task(self, title: str) -> None:
        """Choose a task in the sidebar."""
        self.choose_listed("Task", title)

    def choose_listed(self, label: str, title: str) -> None:
        """Choose an option of a list in the sidebar; one that a rerun of the script closes is opened again."""
        option = self.page.get_by_role("option", name=title, exact=True)

        def is_chosen() -> bool:
            if not option.is_visible():
                self.page.get_by_role("combobox", name=label).click()
            try:
                option.click(timeout=4000)
            except TimeoutError:
                return False
            return True

        self.until(is_chosen)

    def band_widths(self) -> list[str]:
        """Return the widths of all bands of the diagram, which are what it says of the gradient."""
        return self.page.eval_on_selector_all("svg.sv-diagram .band", "bands => bands.map((band) => band.style.strokeWidth)")

    def gradient_shown(self, k: int) -> str:
        """Return the number that the plot beside the diagram writes at the end of layer k's bar, the last or first one."""
        texts = self.page.locator(".sv-bars .textpoint text").all_text_contents()
        return texts[0 if k > 1 else -1]

    def drag(self, source: int, target: int) -> None:
        """Drag from one state to another."""
        start, end = at_rest(self.page, lambda: (self.state_place(source), self.state_place(target)))
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        self.page.mouse.move(*end, steps=4)
        self.page.mouse.up()


class FigurePage(_Page):
    """Figure 4.9."""

    def open(self, query: str = ""):
        """Open the page and wait until its three panels are drawn and measured."""
        self.page.goto("" + query)
        for name in ("left", "center", "right"):
            wait_for(self.panel(name).locator("svg.sv-diagram"))
            wait_for(self.panel(name).locator(".sv-bars .main-svg").first)
            self.is_measured(self.panel(name))
        return self

    def runs(self) -> list[str]:
        """Return the ids of the three runs, which the page streams."""

        def found():
            streams = [address for address in self.page.asked if "/skipviz/stream" in address]
            given = streams[-1].partition("runs=")[2].replace("%2C", ",").partition("&")[0] if streams else ""
            runs = re.findall(r"[A-Za-z0-9_-]+", given)
            return len(runs) == 3 and runs

        return self.until(found)

    def start_held(self, steps_per_second: float = 10) -> None:
        """Start all three panels and hold them to a pace: a fast machine is through before a slow page has drawn a step."""
        shared = self.runs()
        self.press("Start")
        self.until(lambda: not set(self.runs()) & set(shared))
        for run in self.runs():  # one that has finished already refuses
            self.page.request.post(f"skipviz/runs/{run}/events", data={"kind": "speed", "steps_per_second": steps_per_second})

    def panel(self, name: str):
        """Return a panel: left, center or right."""
        return self.page.get_by_label(f"Figure 4.9, {name}", exact=True)
