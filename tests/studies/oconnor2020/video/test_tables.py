"""Tables of video for people, and the sentences beside them."""

import re

import pandas as pd
import pytest

from plausible.reproduction.evidence import Evidence
from plausible.studies.oconnor2020.video import claims, tables
from plausible.studies.oconnor2020.video.report import (
    change_of_features,
    conclusion,
    failed_runs,
    price_of_agreement,
)
from plausible.studies.oconnor2020.video.settings import DIGITS, RECORDED

from . import synthetic


def lines(text):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]


def test_select_takes_elements_and_kinds_of_pictures():
    both = pd.concat([synthetic.spliced(), synthetic.samples(), synthetic.camera()])
    found = tables.select({"sweep.video": both}, ["frame", "picture"], "sample")
    assert set(found["element"]) == {"frame", "picture"}
    assert set(found["shown"].dropna()) == {"sample"}
    assert "multiple" not in found and "agreement_percent" not in found


def test_the_first_frame_of_a_scene_is_left_out_of_the_factor():
    static, moving = lines(tables.fig4_5_markdown(synthetic.spliced(1), {}))[:2]
    assert static[1] == "static" and static[6] == "11.0"
    assert moving[1] == "moving" and moving[6] == "4.0"
    assert static[7:] == ["90.0", "100.0"]


def test_runs_are_counted():
    rounding, noise, higher = lines(tables.runs_markdown(synthetic.runs(), {}))
    assert rounding[2:] == ["6", "0", "6", "0"]
    assert noise[2:] == ["6", "0", "0", "0"]
    assert higher[2:] == ["6", "0", "0", "6"]


def test_an_hour_of_the_camera():
    first = lines(tables.camera_markdown(synthetic.camera(1), {}))[0]
    assert first[1:] == ["0.5", "60.0", "60.000", "40.000", "10.000", "2.500", "24.0"]


@pytest.mark.parametrize(("still", "words"), [(29.0, "k_p sends of a still"), (3.0, "is not most")])
def test_what_a_still_picture_says(still, words):
    table = synthetic.rates().assign(material=RECORDED)
    table.loc[table["element"] == "still", "pd"] = still
    text = conclusion(table)
    assert words in text and f"{100 * still / 30.6:.0f} % (recordings, SqueezeNet)" in text
    mixed = pd.concat([table, synthetic.rates().assign(material=DIGITS)])
    assert "moving digits" in conclusion(mixed)


def test_why_a_statement_does_not_hold_here():
    camera = synthetic.camera(1).assign(material=RECORDED)
    rows = camera[camera["multiple"] == camera["multiple"].max()]
    factor = float(rows["original"].iloc[0] / rows["sigma_delta"].iloc[0])
    text = price_of_agreement(camera)
    assert f"{factor:.2g} times" in text and f"{rows['multiple'].iloc[0]:g} times as large" in text
    assert text.startswith("Even with")
    assert price_of_agreement(camera.assign(agreement_percent=99.0)).startswith("That weight")
    cheap = camera.assign(agreement_percent=99.0)
    assert f"{camera['multiple'].min():g} times as large" in price_of_agreement(cheap)
    runs = synthetic.runs().assign(material=RECORDED)
    assert failed_runs(runs).endswith(" 12 failed.")
    calm = runs.assign(collapsed=False, diverged=False, loss_after=0.0, loss_before=1.0)
    assert "none failed" in failed_runs(calm)
    changes = synthetic.changes().assign(material=RECORDED)
    slow = changes.copy()
    slow.loc[slow["layer"] > 0, "l1_change"] *= 0.1
    texts = [change_of_features(each) for each in (changes, slow)]
    found = [float(re.search(r"change (\S+) times", text).group(1)) for text in texts]
    assert found[1] == pytest.approx(found[0] / 10, rel=0.1)


def test_seeds_with_the_same_features_are_one_observation():
    table = synthetic.changes(1)
    copies = pd.concat([table, table.assign(seed=1), table.assign(seed=2)])
    evidence = Evidence({"fig_b1": copies}, {}, None, True)
    assert len(claims.changes(evidence, "l1_change")) == 1
    copies.loc[(copies["seed"] == 2) & (copies["layer"] == 1), "l1_change"] *= 1.01
    assert len(claims.changes(Evidence({"fig_b1": copies}, {}, None, True), "l1_change")) == 2
