"""Pieces of the pages: numbers, names, badges, cells, tables, pictures."""

import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

from plausible.reproduction import pages, wording
from plausible.reproduction.report_tables import markdown_html, remarks_of, reproduced_cell
from plausible.reproduction.reports import notebook_pages
from plausible.reproduction.verdicts import VERDICTS

from .links import Links


def test_smaller_picture_is_embedded(tmp_path):
    (tmp_path / "a.svg").write_text('<svg width="72pt"/>' + "<g/>" * 100)
    png = (
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (600).to_bytes(4, "big") + (300).to_bytes(4, "big")
    )
    (tmp_path / "a.png").write_bytes(png)
    text = pages.picture(tmp_path / "a", "two & three")
    assert "data:image/png;base64," in text and 'alt="two &amp; three"' in text
    assert "width:288px" in text, "600 pixels at 300 dpi are 2 inches, times 96 times 1.5"
    (tmp_path / "a.png").unlink()
    assert "width:144px" in pages.picture(tmp_path / "a", "x")


def test_embedded_pictures_can_become_links(tmp_path):
    (tmp_path / "claim.a.svg").write_text('<svg width="72pt"/>')
    (tmp_path / "b.svg").write_text('<svg width="72pt"/>')
    text = pages.picture(tmp_path / "claim.a", "first") + pages.picture(tmp_path / "b", "second")
    output = nbformat.v4.new_output("display_data", data={"text/html": text})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])
    for form in (text, notebook_pages(notebook, {"": "d.html"}, {})[""]):
        assert form.count("data:image/") == 2
        linked = pages.with_linked_pictures(form, lambda name: f"../results/{name}.svg")
        images = [link for link in Links(linked).found if link.startswith("../")]
        assert images == ["../results/claim.a.svg", "../results/b.svg"]
        assert 'alt="first"' in linked and "data:" not in linked


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (97.3149, "97.31"),
        (0.04567, "0.04567"),
        (0.05, "0.05"),
        (1e-13, "1.00e-13"),
        (10, "10"),
        (10.0, "10"),
        (118.163209, "118.16"),
        ("", ""),
        (None, ""),
        (float("nan"), ""),
        ("diverged", "diverged"),
        ("97.5", "97.50"),
        (True, "yes"),
        (float("inf"), "inf"),
    ],
)
def test_number_text(value, text):
    assert wording.number_text(value) == text


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        ("gamma_0_05", "gamma 0.05"),
        ("lambda_1e_5", "lambda 1e-5"),
        ("lambda_3_59e-10", "lambda 3.59e-10"),
        ("dense_784_200_200_10", "dense 784-200-200-10"),
        ("t_d_4", "t_d 4"),
        ("sgd, shuffled_4to1", "sgd, shuffled 4 to 1"),
        ("l_max 2", "l_max 2"),
        ("test_images", "test images"),
    ],
)
def test_variants_for_people(variant, text):
    assert wording.variant_text(variant) == text


def test_html_is_escaped():
    text = pages.table(["<a>"], [["<b>&"]], caption="<c>")
    assert "<a>" not in text and "<b>" not in text and "<c>" not in text
    assert "&lt;b&gt;&amp;" in text


def contrast(first, second):
    """Contrast ratio of two colours by the WCAG definition."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_badges_are_legible_and_told_apart_without_colour():
    style = pages.render("style.css")
    for verdict, sign in pages.SIGNS.items():
        shown = pages.badge(verdict)
        assert sign in shown and f"</span> {verdict}</span>" in shown
        name = re.search('class="badge ([^"]+)"', shown)[1]
        family = rf'\.badge\[class\*=" {name.split("-")[0]}-"\]'
        rules = re.findall(rf"(?:\.badge\.{name}\b|{family})[^{{]*{{([^}}]*)}}", style)
        colours = [found for rule in rules if len(found := re.findall(r"#\w{6}", rule)) == 2]
        assert contrast(*colours[-1]) >= 4.5
    assert len({pages.SIGNS[verdict] for verdict in VERDICTS}) == len(VERDICTS)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("rate_ceiling_hz", "rate ceiling in Hz"),
        ("titan_x_yolo_w", "titan x yolo in W"),
        ("cell_body_um.0", "cell body in µm (1)"),
        ("section_4_6_3.1", "section 4.6.3 (2)"),
        ("rows.fsgd.test_error_percent", "fsgd: test error in percent"),
        ("original.mnist.kflops_dense", "original: mnist: kOps dense"),
    ],
)
def test_names_of_published_numbers_are_words(place, text):
    assert wording.quantity(place) == text


def test_names_of_variants_and_bounds_are_words_and_symbols_stay():
    assert wording.statement_text("fsgd, file_order", "s") == "s (fsgd, file order)"
    assert wording.statement_text("l_max 2, one norm", "s") == "s (l_max 2, one norm)"


def test_a_text_that_starts_with_a_number_stands_to_the_right_and_a_list_does_not():
    for number in ("97.31", "-1.2e-05", "3.20 ± 0.28", "97.3<br><small>[97, 98]</small>"):
        assert wording.is_number(number), number
    for text in ("1: 129.6, 10: 97.58", "n/a", "theta^1 at t = 0"):
        assert not wording.is_number(text), text


def test_a_remark_that_rows_share_is_told_once():
    long = "measured " * 20
    frame = pd.DataFrame(
        [("short", "x < y"), ("short", ""), (long, "x < y"), (long, "alone")],
        columns=["note", "reason"],
    )
    numbers, remarks = remarks_of(frame)
    assert numbers == [[1], [], [1, 2], [3, 2]]
    assert remarks[0] == "<strong>Why: </strong>x &lt; y" and remarks[1] == long


def test_a_list_of_intervals_in_a_remark_is_a_table():
    items = ", ".join(f"test error, l_max {i} -0.{i} [-1, {i}e-3]" for i in range(2, 6))
    frame = pd.DataFrame([("", f"smallest of: {items}. In points.")], columns=["note", "reason"])
    (remark,) = remarks_of(frame)[1]
    assert remark.count("<tr>") == 5 and "<td>test error, l_max 3</td>" in remark
    assert "smallest of:" in remark and "In points" in remark


@pytest.mark.parametrize(
    ("low", "high", "seeds", "small"),
    [
        (1.72, 2.267, 3, "[1.72, 2.27]</small><br><small>3 seeds"),
        (np.nan, np.nan, 1, "1 seed"),
        (np.nan, np.nan, 0, None),
    ],
)
def test_a_reproduced_value_tells_its_interval_and_its_seeds(low, high, seeds, small):
    row = SimpleNamespace(published=2.07, reproduced=1.993, ci_low=low, ci_high=high, n_seeds=seeds)
    expected = f"1.99<br><small>{small}</small>" if small else "1.99"
    assert str(reproduced_cell(row)) == expected


def test_markdown_of_results():
    text = markdown_html("| t_d | rate |\n| --- | --- |\n| 1 | 93.4 |\n\nA note on `phi`.\n")
    assert '<td class="number">93.4</td>' in text
    assert "<p>A note on <code>phi</code>.</p>" in text
    assert markdown_html("| a |\n| --- |\n| \\|x\\| < 1 |\n").count("|x| &lt; 1") == 1
