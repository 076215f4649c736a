"""MNIST: found in a folder, checked, downloaded from mirrors that may fail."""

import gzip
import hashlib
import http.server
import os
import threading

import numpy as np
import pytest

from plausible.data import mnist, prepare, source_files
from plausible.errors import DataError


@pytest.fixture(scope="module")
def real(data_dir):
    return prepare("mnist", data_dir)


@pytest.fixture
def copy(data_dir, tmp_path):
    """A folder with links to the four real files."""
    for path in source_files("mnist", data_dir):
        (tmp_path / path.name).symlink_to(path.resolve())
    return tmp_path


def test_known_facts(real):
    assert real.train_images.shape == (60000, 784) and real.test_images.shape == (10000, 784)
    assert real.image_shape == (28, 28) and real.white == real.train_images.max() == 255
    # Published: the first labels, the number of each digit, and the mean and standard deviation
    # 0.1307 and 0.3081 by which everybody normalises.
    assert real.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert real.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(real.test_labels).tolist() == [
        *(980, 1135, 1032, 1010, 982),
        *(892, 958, 1028, 974, 1009),
    ]
    assert real.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert real.train_images.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_the_environment_names_the_folder(real, copy, monkeypatch):
    monkeypatch.setenv("PLAUSIBLE_DATA", str(copy))
    assert [path.parent for path in source_files("mnist")] == [copy] * 4
    assert prepare("mnist").checksum == real.checksum


def test_the_configuration_goes_before_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PLAUSIBLE_DATA", "/elsewhere")
    assert mnist.data_folder(tmp_path) == tmp_path
    assert str(mnist.data_folder()) == "/elsewhere"
    monkeypatch.delenv("PLAUSIBLE_DATA")
    assert mnist.data_folder().name == "plausible"


def test_plain_files_are_the_same_data(real, copy):
    for path in list(copy.iterdir()):
        (copy / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert prepare("mnist", copy).checksum == real.checksum


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_changed_labels_are_noticed(copy, suffix):
    path = copy / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    path.unlink()
    content[8], content[9] = content[9], content[8]  # a valid file with two labels swapped
    changed = copy / f"t10k-labels-idx1-ubyte{suffix}"
    changed.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(DataError, match="SHA-256") as caught:
        prepare("mnist", copy)
    assert str(changed) in str(caught.value) and "delete it" in str(caught.value)


def test_truncated_file_is_named_as_such(copy):
    path = copy / "t10k-images-idx3-ubyte.gz"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1000])
    with pytest.raises(DataError, match="truncated"):
        prepare("mnist", copy)


CONTENT = b"a file"
FILE = mnist.SourceFile("file", "labels", hashlib.sha256(CONTENT).hexdigest(), "")
MIRRORS = ("https://first.example/", "https://second.example/")


def test_download_goes_on_to_the_next_mirror(tmp_path):
    asked = []

    def fetch(url, path):
        asked.append(url)
        if "first" in url:
            raise ConnectionError("no route")
        path.write_bytes(CONTENT)

    path = mnist.download(FILE, tmp_path / "mnist", MIRRORS, fetch)
    assert path == tmp_path / "mnist" / "file.gz" and path.read_bytes() == CONTENT
    assert asked == ["https://first.example/file.gz", "https://second.example/file.gz"]


def test_a_mirror_with_another_file_is_passed_over(tmp_path):
    def fetch(url, path):
        path.write_bytes(CONTENT if "second" in url else b"please log in")

    assert mnist.download(FILE, tmp_path, MIRRORS, fetch).read_bytes() == CONTENT


def test_offline_is_one_sentence_with_a_way_out(tmp_path):
    def fetch(url, path):
        raise ConnectionError("no route\nto host")

    with pytest.raises(DataError) as caught:
        mnist.download(FILE, tmp_path, MIRRORS, fetch)
    sentence = str(caught.value)
    for word in (str(tmp_path / "file.gz"), FILE.gzip_sha256, "data.dir", "PLAUSIBLE_DATA"):
        assert word in sentence
    assert "`scale: demo`" in sentence and "\n" not in sentence and sentence.endswith(".")
    assert list(tmp_path.iterdir()) == []


def test_broken_downloads_leave_nothing(tmp_path):
    def fetch(url, path):
        path.write_bytes(CONTENT[:3])

    with pytest.raises(DataError, match="it gave a file with the SHA-256"):
        mnist.download(FILE, tmp_path, MIRRORS, fetch)
    assert list(tmp_path.iterdir()) == []


def test_missing_files_are_downloaded_into_the_folder(tmp_path, monkeypatch):
    folders = []

    def download(file, folder):
        folders.append(folder)
        raise DataError("stop here.")

    monkeypatch.setattr(mnist, "download", download)
    with pytest.raises(DataError, match="stop here"):
        prepare("mnist", tmp_path)
    assert folders == [tmp_path / "mnist"]


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server on this machine that holds file.gz."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "file.gz").write_bytes(CONTENT)

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
    """Through pooch: a file that is there, and one that is not (404, so the next mirror)."""
    mirrors = (f"{server}nothing/", server)
    assert mnist.download(FILE, tmp_path, mirrors).read_bytes() == CONTENT
    with pytest.raises(DataError, match="404"):
        mnist.download(FILE._replace(name="other"), tmp_path, (server,))
