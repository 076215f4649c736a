"""Sphinx: the documentation as pages that need no network. Built by `make docs`."""

project = "plausible"
author = "the developers of plausible"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "matplotlib.sphinxext.plot_directive",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "plausible"
html_copy_source = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["plausible.css"]

# A name in single backticks is a link where there is one, else code.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
myst_heading_anchors = 3

# Every example of a page is run when the page is built; one that fails fails the build.
plot_include_source = True
plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = ["svg"]
plot_rcparams = {
    "figure.figsize": (6.0, 3.2),
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": "cycler(color=['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00'])",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "plausible",
}
plot_apply_rcparams = True

# `make docs-links` asks every address; these refuse programs, whatever is asked.
linkcheck_ignore = [r"https://doi\.org/.*"]


def setup(app):
    """Equations, which stand indented after an empty line in a docstring, keep their form."""
    app.connect("autodoc-process-docstring", _equations, priority=100)


def _equations(app, what, name, obj, options, lines: list[str]) -> None:
    before = None  # the last line that is not empty
    for place, line in reversed(list(enumerate(lines))):
        indented = line[: len(line) - len(line.lstrip())]
        above = [text for text in lines[:place] if text.strip()]
        before = above[-1] if above else ""
        begins = place > 0 and not lines[place - 1].strip() and len(indented) >= 4
        if line.strip() and begins and not before.startswith(indented):
            lines[place:place] = [indented[4:] + "::", ""]
