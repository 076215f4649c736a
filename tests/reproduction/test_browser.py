"""Every page of a run in a real browser: scripts, folds, widths, anchors.

The pages are copied with a probe inside, which reports to the page that shows them in a frame.
"""

import json
import re
import shutil
import subprocess
from html import unescape
from urllib.parse import quote

import pytest

from .conftest import STUDIES, pages_of, write_index_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]
NARROW, WIDE = 390, 1280
LISTEN = "<script>window.found = []; onerror = text => { found.push(String(text)); };</script>"
PROBE = """<script>addEventListener("load", () => {
  const wide = () => document.documentElement.scrollWidth > innerWidth;
  const report = { errors: found, overflow: wide() ? ["closed"] : [] };
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  setTimeout(() => {
    if (wide()) report.overflow.push("open");
    const links = [...document.querySelectorAll("a[href^='#']")];
    const there = name => document.getElementById(name) ?? document.getElementById(
      decodeURIComponent(name));
    report.broken = links.map(link => link.getAttribute("href").slice(1)).filter(
      name => name && !there(name));
    report.pictures = [...document.images].filter(
      image => image.complete && !image.naturalWidth).length;
    const field = document.querySelector("[data-filter=verdict]");
    if (field) {
      report.rows = document.getElementById("shown").textContent;
      field.value = "differs";
      field.dispatchEvent(new Event("input"));
      report.filtered = document.getElementById("shown").textContent;
      report.verdicts = [...new Set([...document.querySelectorAll("#verdicts td .badge")].map(
        badge => badge.className))];
      document.querySelector("#verdicts th button").click();
      report.sorted = document.querySelector("#verdicts th").getAttribute("aria-sort");
    }
    parent.postMessage(report, "*");
  }, 50);
});</script>"""
BAD = """<html><head></head><body><a href="#nowhere">x</a><img src="no.png" alt="">
<details><div style="width: 5000px">wide</div></details><script>nothing()</script></body></html>"""
FRAMES = """<!DOCTYPE html><pre id="out"></pre><script>
const pages = PAGES, found = {}, out = document.getElementById("out");
let at = 0;
function next() {
  document.querySelector("iframe")?.remove();
  if (at === pages.length) { out.textContent = JSON.stringify(found); return; }
  const frame = document.createElement("iframe");
  frame.width = WIDTH; frame.height = 800; frame.src = pages[at];
  document.body.append(frame);
}
addEventListener("message", event => { found[pages[at++]] = event.data; next(); });
next();
</script>"""


@pytest.fixture(scope="module")
def verdicts(rendered, finished_run):
    """Rows of the index page, which is written beside the reports."""
    return write_index_of(finished_run, rendered / "index.html")["verdicts"]


@pytest.fixture(scope="module")
def looked_at(rendered, verdicts):
    """What the probe found on every page, by the width of the frame and the name of the page."""
    folder = rendered
    names = ["index.html", *(name for study in STUDIES for name in pages_of(study))]
    (folder / "bad.html").write_text(BAD)
    names.append("bad.html")
    for name in names:
        text = (folder / name).read_text().replace("<head>", f"<head>{LISTEN}", 1)
        (folder / f"probed.{name}").write_text(text.replace("</body>", f"{PROBE}</body>"))
    found = {}
    for width in (NARROW, WIDE):
        frames = FRAMES.replace("PAGES", json.dumps([quote(f"probed.{name}") for name in names]))
        (folder / "frames.html").write_text(frames.replace("WIDTH", str(width)))
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += ["--virtual-time-budget=60000", (folder / "frames.html").resolve().as_uri()]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
        seen = re.search(r'<pre id="out">(.*?)</pre>', dom, re.DOTALL)[1]
        reports = json.loads(unescape(seen))
        found[width] = {name: reports[quote(f"probed.{name}")] for name in names}
    return found


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("what", ["errors", "overflow", "broken", "pictures"])
def test_no_page_has(looked_at, width, what):
    """Script errors, a page wider than its window, dead anchors, empty pictures."""
    wrong = {name: seen[what] for name, seen in looked_at[width].items() if seen[what]}
    assert wrong.pop("bad.html"), "what is wrong is seen"
    assert wrong == {}


def test_the_table_of_verdicts_is_made_filtered_and_sorted(looked_at, verdicts):
    seen = looked_at[WIDE]["index.html"]
    differing = int((verdicts["verdict"] == "differs").sum())
    assert seen["rows"].startswith(f"{len(verdicts)} of {len(verdicts)} rows")
    assert seen["filtered"].startswith(f"{differing} of {len(verdicts)} rows")
    assert seen["verdicts"] == ["badge differs"] and seen["sorted"] == "ascending"
