"""How quickly the page answers, and whether the server's memory stays flat: medians, measured in Chromium.

    python benchmarks/server.py [--neurons N ...] [--minutes M]

Needs what the tests of the server need: `pip install -e ".[dev]"` and Chromium.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "server"))
from browser import CHROMIUM, MISSING, REASON, ROOT, Tab, serving

CONFIG = ROOT / "configs" / "experiments" / "exercise_schedules.yaml"
STEP = """async () => {
    const picture = document.querySelector('.tissue');
    const button = [...document.querySelectorAll('button')].find(b => b.innerText.trim() === 'Step');
    const drawn = new Promise(done => new MutationObserver((_, self) => {
        self.disconnect(); requestAnimationFrame(() => done(performance.now()));
    }).observe(picture, {childList: true, subtree: true}));
    const pressed = performance.now();
    button.click();
    return await drawn - pressed;
}"""
FRAMES = """async (seconds) => {
    let frames = 0;
    const seen = new MutationObserver(() => { frames += 1; });
    seen.observe(document.querySelector('.tissue'), {childList: true});
    await new Promise(done => setTimeout(done, 1000 * seconds));
    seen.disconnect();
    return frames / seconds;
}"""


def memory(pid: int) -> float:
    """Resident memory of a process, MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024.0


def seconds_to_controls(browser: Any, address: str, times: int = 5) -> float:
    """From opening the page until Play can be pressed; the tissue may still be resting."""
    found = []
    for _ in range(times):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page, began = context.new_page(), time.perf_counter()
        page.goto(address)
        page.get_by_role("button", name="Play", exact=True).click(trial=True)
        found.append(time.perf_counter() - began)
        context.close()
    return statistics.median(found)


def answers(tab: Tab, steps: int = 30, seconds: float = 10.0) -> tuple[float, float]:
    """ms from Step to the drawn picture, and frames per second while it plays."""
    tab.page.wait_for_timeout(500)
    waits = [tab.page.evaluate(STEP) for _ in range(steps)]
    tab.press("Play")
    tab.page.wait_for_timeout(500)
    rate = tab.page.evaluate(FRAMES, seconds)
    tab.press("Pause")
    return statistics.median(waits), rate


def visitors(browser: Any, address: str, pid: int, minutes: float) -> list[float]:
    """Memory of the server, MB, after each of many tabs that opened, played and closed."""
    found, end = [], time.perf_counter() + 60.0 * minutes
    while time.perf_counter() < end:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        tab = Tab(context.new_page(), address)
        tab.page.set_default_timeout(60_000)  # a busy machine is slow, not wrong
        tab.open().choose("Compare with", "sedentary")
        tab.press("Play")
        tab.page.wait_for_timeout(4000)
        tab.page.close(run_before_unload=True)
        context.close()
        time.sleep(1.0)
        found.append(memory(pid))
        print(len(found), round(found[-1]), file=sys.stderr, flush=True)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--neurons", metavar="N", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--minutes", metavar="M", type=float, default=2.0, help="of tabs that open and close")
    given = parser.parse_args()
    if MISSING:
        print(REASON, file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        log = Path(folder) / "log"
        with serving(CONFIG, log) as (address, _):
            print(f"controls, tissue resting      {seconds_to_controls(browser, address):8.2f} s")
        for neurons in given.neurons:
            with serving(CONFIG, log, f"tissue.neurons={neurons}", "run.burn_in=1 d") as (address, pid):
                tab = Tab(browser.new_page(viewport={"width": 1440, "height": 900}), address)
                tab.page.set_default_timeout(180_000)
                tab.open()
                wait, rate = answers(tab)
                print(f"{neurons:6d} neurons: Step to picture {wait:6.0f} ms, play {rate:5.1f} frames/s")
                tab.page.close()
        with serving(CONFIG, log, "tissue.neurons=2000", "run.burn_in=1 d") as (address, pid):
            sizes = visitors(browser, address, pid, given.minutes)
            middle = len(sizes) // 2
            first, last = statistics.median(sizes[:middle]), statistics.median(sizes[middle:])
            print(
                f"memory over {len(sizes)} visits of {given.minutes:g} min: {sizes[0]:.0f} MB after the first, ", end=""
            )
            print(
                f"median of the first half {first:.0f} MB, of the second {last:.0f} MB, at the end {sizes[-1]:.0f} MB"
            )
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
