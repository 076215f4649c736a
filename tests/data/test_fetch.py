"""Data files: found in a folder, checked, downloaded from sources that may fail."""

import gzip
import hashlib
import http.server
import os
import threading

import pytest

from plausible.data.fetch import (
    PublishedFile,
    data_folder,
    find_or_download,
    read_bytes,
    search_folders,
)
from plausible.errors import DataError


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


CONTENT = b"a file"
PACKED = gzip.compress(CONTENT, mtime=0)
FILE = PublishedFile("file", sha256(CONTENT), sha256(PACKED))
SOURCES = ("https://first.example/", "https://second.example/")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Pooch waits a second before it tries again."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


def sender(answers):
    """A transfer that gives one answer after the other (an error, or what comes), and its list."""
    asked = []

    def transfer(address, path, _):
        answer = answers[len(asked)]
        asked.append(address)
        if isinstance(answer, Exception):
            raise answer
        with open(path, "wb") as stream:
            stream.write(answer)

    return transfer, asked


def test_the_configuration_goes_before_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PLAUSIBLE_DATA", "/elsewhere")
    assert search_folders("mnist", tmp_path) == [tmp_path / "mnist", tmp_path]
    assert str(data_folder()) == "/elsewhere"
    monkeypatch.delenv("PLAUSIBLE_DATA")
    assert data_folder().name == "plausible"


@pytest.mark.parametrize("place", ["mnist/file.gz", "mnist/file", "file.gz", "file"])
def test_what_is_there_is_not_downloaded(tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PACKED if path.suffix else CONTENT)
    found = find_or_download(FILE, search_folders("mnist", tmp_path), SOURCES, None)
    assert found == path and read_bytes(found, FILE.sha256) == CONTENT


def test_a_changed_file_is_refused_and_stays(tmp_path):
    (tmp_path / "file").write_bytes(b"my own")
    path = find_or_download(FILE, [tmp_path], SOURCES, None)
    with pytest.raises(DataError, match=f"SHA-256 .* {FILE.sha256} .* move it away") as caught:
        read_bytes(path, FILE.sha256)
    assert str(path) in str(caught.value) and path.read_bytes() == b"my own"


@pytest.mark.parametrize("answers", [[ConnectionError("no route")], [b"log in", b"log in"]])
def test_download_goes_on_to_the_next_source(tmp_path, answers):
    transfer, asked = sender([*answers, PACKED])
    path = find_or_download(FILE, [tmp_path / "mnist", tmp_path], SOURCES, transfer)
    assert path == tmp_path / "mnist" / "file.gz" and path.read_bytes() == PACKED
    assert set(asked) == {f"{source}file.gz" for source in SOURCES}
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_transfer_that_broke_is_tried_again(tmp_path):
    transfer, asked = sender([PACKED[:-1], PACKED])
    assert find_or_download(FILE, [tmp_path], SOURCES, transfer).read_bytes() == PACKED
    assert asked == [f"{SOURCES[0]}file.gz"] * 2


@pytest.mark.parametrize("answer", [ConnectionError("no route\nto host"), PACKED[:3]])
def test_offline_is_one_sentence_with_a_way_out_and_leaves_nothing(tmp_path, answer):
    transfer, _ = sender([answer] * 4)
    with pytest.raises(DataError) as caught:
        find_or_download(FILE, [tmp_path], SOURCES, transfer)
    sentence = str(caught.value)
    for word in (str(tmp_path / "file.gz"), FILE.gzip_sha256, "data.dir", "PLAUSIBLE_DATA"):
        assert word in sentence
    reason = "no route to host" if isinstance(answer, Exception) else "does not match the known"
    assert sentence.count(reason) == 2
    assert "`scale: demo`" in sentence and "\n" not in sentence and sentence.endswith(".")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server on this machine that holds file.gz."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "file.gz").write_bytes(PACKED)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=os.fspath(tmp_path / "www"))

        def log_message(self, *_):
            pass

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def test_the_transfer_itself(server, tmp_path):
    """A file that is there, and one that is not (404, so the next source)."""
    sources = (f"{server}nothing/", server)
    path = find_or_download(FILE, [tmp_path / "here"], sources)
    assert read_bytes(path, FILE.sha256) == CONTENT
    with pytest.raises(DataError, match="404"):
        find_or_download(FILE._replace(name="other"), [tmp_path], (server,))
