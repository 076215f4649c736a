"""The documentation: built with warnings as errors, examples run, readable without a network."""

import os
import re
import subprocess
import sys
import textwrap
from html.parser import HTMLParser

import pytest

import plausible

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Loaded(HTMLParser):
    """What a page loads, and where its links lead."""

    def __init__(self, page):
        super().__init__()
        self.loaded, self.links, self.anchors = [], [], set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if LOADING.get(tag) in attributes:
            self.loaded.append(attributes[LOADING[tag]])
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        self.anchors.add(attributes.get("id"))


@pytest.fixture(scope="module")
def pages(project_root, tmp_path_factory):
    """Folder of the built pages; whatever Sphinx warns of fails here."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run(
        [*command, str(project_root / "docs"), str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


def documents(pages):
    return [
        page
        for page in pages.rglob("*.html")
        if not {"_static", "_modules", "plot_directive"} & set(page.relative_to(pages).parts)
    ]


@pytest.mark.slow
def test_pages_need_no_network_and_their_links_lead_somewhere(pages):
    read = {page: Loaded(page) for page in documents(pages)}
    assert len(read) > 12
    for page, content in read.items():
        for address in content.loaded:
            assert not re.match(r"(https?:)?//", address), f"{page.name} loads {address}"
            path = address.split("?")[0].split("#")[0]
            assert path.startswith("data:") or (page.parent / path).exists(), (page.name, address)
        for link in content.links:
            if re.match(r"https?://|mailto:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {link}"
            if anchor and target in read:
                assert anchor in read[target].anchors, f"{page.name}: {link}"


@pytest.mark.slow
def test_every_method_has_the_figure_that_its_example_makes(pages, project_root):
    for source in sorted((project_root / "docs/methods").glob("*.md")):
        text = (pages / "methods" / f"{source.stem}.html").read_text(encoding="utf-8")
        assert re.search(r"<img[^>]+plot_directive/[^>]+\.svg|_images/[\w-]+\.svg", text), source
        for heading in ("Equations", "Example", "Cost", "Know before you use it"):
            assert f"## {heading}\n" in source.read_text(encoding="utf-8"), (source.name, heading)
        assert "Source: " in source.read_text(encoding="utf-8"), source.name


@pytest.mark.slow
def test_the_reference_has_every_public_name(pages):
    reference = (pages / "api.html").read_text(encoding="utf-8")
    for name in plausible.__all__:
        assert f'id="plausible.{name}"' in reference or f">{name}<" in reference, name


@pytest.mark.slow
def test_the_table_of_the_conversion_page_is_that_of_its_example(project_root):
    page = (project_root / "docs/methods/spiking_conversion.md").read_text(encoding="utf-8")
    (example,) = re.findall(r".. plot::\n.*?\n\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    code = textwrap.dedent(example).replace(
        "    plt.axhline(", "    if activation is torch.nn.ReLU: found = table\n    plt.axhline("
    )
    columns = shown.split("\n")[0].split()
    code += f"\nprint(found[{columns}].round(1).to_string(index=False))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=True,
    )
    # Another processor rounds the training otherwise, so the last test image may be another one.
    made, printed = (
        [line.split() for line in text.replace("hidden ", "hidden").strip().split("\n")]
        for text in (done.stdout, shown)
    )
    assert [line[0] for line in made] == [line[0] for line in printed] and made[0] == printed[0]
    for ours, theirs in zip(made[1:], printed[1:], strict=True):
        numbers = [float(number) for number in ours[1:]]
        assert numbers == pytest.approx([float(each) for each in theirs[1:]], abs=4, nan_ok=True)


@pytest.mark.parametrize("name", plausible.__all__)
def test_every_public_name_is_in_an_example(name, project_root):
    """Errors, and the class that only `to_spiking` makes, are met without being named."""
    if name in ("ModelError", "PlausibleError", "SpikingModel"):
        return
    pages = "".join(page.read_text() for page in (project_root / "docs/methods").glob("*.md"))
    examples = "".join(re.findall(r"```\{eval-rst\}\n(.*?)```", pages, re.DOTALL))
    assert f"plausible.{name}" in examples
