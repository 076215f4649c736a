"""Links, names and pictures of a page: whatever loads or leads somewhere."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote


class Links(HTMLParser):
    """Links, names and pictures of a page; whatever loads or leads somewhere."""

    def __init__(self, text):
        super().__init__()
        self.found, self.names, self.texts, self.tags = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for key, value in attributes:
            if key in ("href", "src", "action", "data", "poster", "srcset", "xlink:href"):
                self.found.append(value)
            if key in ("id", "name"):
                self.names.add(value)
            if key == "style":
                assert "url(" not in value
        if tag == "img":
            assert dict(attributes).get("alt"), "every picture needs a text"

    def handle_data(self, data):
        self.texts.append(data)


def check_links(path):
    """Every link of a page resolves and nothing leads outside; returns the parsed page."""
    text = path.read_text(encoding="utf-8")
    page = Links(text)
    for link in page.found:
        assert link is not None and link != "", "an empty link loads the page itself"
        if link.startswith("data:image/"):
            continue
        assert not re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", link), f"external: {link[:80]}"
        place, _, name = link.partition("#")
        if place:
            assert (path.parent / unquote(place)).exists(), f"dead link {link}"
        elif name:
            assert unquote(name) in page.names, f"dead anchor {link}"
    assert "@import" not in text and not re.search(r"url\(\s*['\"]?(https?:)?//", text)
    return page
