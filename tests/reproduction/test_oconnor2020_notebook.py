"""The report of O'Connor 2020: every table that is built for people is shown to them."""

import re

import yaml

from .conftest import ROOT

TEMPLATE = ROOT / "workflow" / "notebooks" / "oconnor2020.py"
PARTS = ROOT / "workflow" / "studies" / "oconnor2020"


def test_every_readable_table_and_every_further_picture_is_shown():
    results = {}
    for part in sorted(PARTS.glob("*.yaml")):
        results |= yaml.safe_load(part.read_text(encoding="utf-8"))["results"]
    text = TEMPLATE.read_text(encoding="utf-8")
    for method, wanted in (
        ("readable", {name for name, one in results.items() if one.get("markdown")}),
        ("beyond", {name for name in results if name.startswith("beyond.")}),
    ):
        shown = re.findall(rf'report\.{method}\("([^"]+)"\)', text)
        assert len(shown) == len(set(shown))
        assert wanted and wanted <= set(shown), sorted(wanted - set(shown))
