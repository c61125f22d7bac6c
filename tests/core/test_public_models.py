"""Downloads from a server on this machine: taken up again, cut off, wrong, missing, offline."""

import hashlib
import http.server
import threading

import pytest

from roomcad_core.cli import main
from roomcad_core.config import SegmentConfig, from_dict
from roomcad_core.detect import DetectorSpec, SamSpec, make_detector
from roomcad_core.public_models import PUBLIC, PublicModel, RemoteFile, cache_folder, fetch
from roomcad_core.public_models.download import download

CONTENT = bytes(range(256)) * 1024
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; the server's attributes say what goes wrong."""

    def do_GET(self):
        server, start = self.server, 0
        server.ranges.append(self.headers.get("Range"))
        if self.path != "/model.onnx":
            return self.send_error(404)
        if self.headers.get("Range") and server.knows_ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(CONTENT):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : server.cut_at])
        server.cut_at = None
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """A local server: knows_ranges, cut_at (byte where it breaks off, once), ranges asked for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.knows_ranges, server.cut_at, server.ranges = True, None, []
    server.url = f"http://127.0.0.1:{server.server_port}/model.onnx"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ROOMCAD_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path / "cache"


def remote(url, sha256=SHA256, size=SIZE):
    return RemoteFile("model.onnx", url, sha256, size)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_file_arrives_whole_and_only_once(server, tmp_path):
    path = tmp_path / "a" / "model.onnx"
    assert download(remote(server.url), path)
    assert path.read_bytes() == CONTENT and names(path.parent) == ["model.onnx"]
    assert not download(remote(server.url), path)
    assert server.ranges == [None]


def test_a_damaged_file_is_fetched_again(server, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"damaged")
    assert download(remote(server.url), path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_broken_download_goes_on_where_it_broke_off(server, tmp_path, size):
    path, file = tmp_path / "model.onnx", remote(server.url, size=size)
    server.cut_at = 100_000
    with pytest.raises(ConnectionError, match="broke off after 100000 bytes .* run it again"):
        download(file, path)
    assert not path.exists()
    assert download(file, path)
    assert path.read_bytes() == CONTENT and names(tmp_path) == ["model.onnx"]
    assert server.ranges == [None, "bytes=100000-"]


def test_a_server_that_knows_no_ranges_sends_all_again(server, tmp_path):
    path, server.cut_at = tmp_path / "model.onnx", 5000
    with pytest.raises(ConnectionError):
        download(remote(server.url), path)
    server.knows_ranges = False
    assert download(remote(server.url), path)
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_whole_already_is_not_asked_for(server, tmp_path):
    (tmp_path / f"model.onnx.{SHA256[:12]}.part").write_bytes(CONTENT)
    assert download(remote(server.url), tmp_path / "model.onnx")
    assert server.ranges == [] and names(tmp_path) == ["model.onnx"]


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    part = tmp_path / f"model.onnx.{SHA256[:12]}.part"
    part.write_bytes(CONTENT + b"more")
    with pytest.raises(ConnectionError, match="does not fit: run it again"):
        download(remote(server.url, size=None), tmp_path / "model.onnx")
    assert download(remote(server.url, size=None), tmp_path / "model.onnx")
    part.write_bytes(CONTENT + b"more")
    (tmp_path / "model.onnx").unlink()
    assert download(remote(server.url), tmp_path / "model.onnx")


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(ValueError, match=f"sha256: got {SHA256}, expected 0000.*was deleted"):
        download(remote(server.url, "0" * 64), tmp_path / "model.onnx")
    assert names(tmp_path) == []


def test_damage_in_a_part_is_noticed(server, tmp_path):
    (tmp_path / f"model.onnx.{SHA256[:12]}.part").write_bytes(b"x" * 1000)
    with pytest.raises(ValueError, match="the download was deleted"):
        download(remote(server.url), tmp_path / "model.onnx")
    assert download(remote(server.url), tmp_path / "model.onnx")


def test_a_file_of_another_size_is_not_downloaded(server, tmp_path):
    with pytest.raises(ValueError, match="got 262144 bytes, expected 5: another file"):
        download(remote(server.url, size=5), tmp_path / "model.onnx")
    assert names(tmp_path) == []


def test_what_the_server_lacks_is_named(server, tmp_path):
    url = server.url.replace("model.onnx", "gone.onnx")
    with pytest.raises(FileNotFoundError, match="gone.onnx: the server says 404"):
        download(remote(url), tmp_path / "model.onnx")


def test_offline_says_what_to_do(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(
        ConnectionError, match=f"no answer .*put it at .*model.onnx .sha256 {SHA256}"
    ):
        download(remote(server.url), tmp_path / "model.onnx")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "sha256", "message"),
    [
        ("file:///etc/hostname", SHA256, "url: got 'file:///etc/hostname', expected https"),
        ("model.onnx", SHA256, "url: got 'model.onnx'"),
        ("https://example.org/model.onnx", "abc", "sha256: got 'abc', expected 64"),
    ],
)
def test_what_cannot_be_an_address_or_a_checksum_is_refused(tmp_path, url, sha256, message):
    with pytest.raises(ValueError, match=message):
        download(remote(url, sha256), tmp_path / "model.onnx")


def test_the_command_fetches_by_address(server, cache, capsys):
    by_url = ["--url", server.url, "--sha256", SHA256, "--name", "mine"]
    assert main(["models", "fetch", *by_url]) == 0
    assert (cache / "mine" / "model.onnx").read_bytes() == CONTENT
    assert "licence: not known to roomcad" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "mine           fetched by URL" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["yolo99"], "got yolo99, expected some of yolox_s"),
        ([], "expected names, or all of --url, --sha256 and --name"),
        (["--url", "https://example.org/x"], "expected names, or all of"),
        (["yolox_s", "--name", "x"], "expected names, or all of"),
        (["--url", "https://e.org/x", "--sha256", SHA256, "--name", "../x"], "got '../x'"),
        (["--url", "https://e.org/x", "--sha256", SHA256, "--name", "yolox_s"], "has a model of"),
    ],
)
def test_the_command_refuses_what_it_cannot_fetch(arguments, message, capsys, cache):
    assert main(["models", "fetch", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not cache.exists()


def test_the_list_shows_licences_and_what_is_there(capsys, cache):
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    for model in PUBLIC.values():
        assert model.name in out and model.licence in out
    assert "fetched" not in out and str(cache) in out
    (cache / "yolox_s").mkdir(parents=True)
    (cache / "yolox_s" / PUBLIC["yolox_s"].files[0].name).write_bytes(b"")
    main(["models", "list"])
    assert capsys.readouterr().out.count("fetched") == 1


def test_a_model_is_fetched_with_all_its_files(server, cache):
    first = remote(server.url)
    second = RemoteFile("second.onnx", server.url, SHA256)
    folder = fetch(PublicModel("pair", "masks", "", "", "", (first, second)))
    assert folder == cache / "pair" and names(folder) == ["model.onnx", "second.onnx"]


def test_every_entry_of_the_table_has_a_checksum_and_a_spec_that_names_its_files():
    for name, model in PUBLIC.items():
        spec = from_dict({"detector": DetectorSpec, "masks": SamSpec}[model.task], model.spec)
        files = {file.name for file in model.files}
        used = {spec.onnx} if model.task == "detector" else {spec.encoder, spec.decoder}
        assert (model.name, used) == (name, files) and model.licence
        for file in model.files:
            assert len(file.sha256) == 64 and file.size > 1e6 and file.url.startswith("https://")


def test_a_model_that_is_not_fetched_says_how_to():
    with pytest.raises(FileNotFoundError, match="model yolox_s: .*roomcad models fetch yolox_s"):
        make_detector(SegmentConfig(detector="yolox_s"))
    with pytest.raises(
        ValueError, match="segment.detector: got 'mobile_sam', expected one of mask"
    ):
        make_detector(SegmentConfig(detector="mobile_sam"))
    with pytest.raises(FileNotFoundError, match="yolox_l: no such YAML, and no model of this name"):
        make_detector(SegmentConfig(detector="yolox_l"))


def test_a_model_that_changed_since_it_was_fetched_is_refused(cache):
    (cache / "yolox_s").mkdir(parents=True)
    (cache / "yolox_s" / PUBLIC["yolox_s"].files[0].name).write_bytes(b"changed")
    with pytest.raises(ValueError, match="sha256: got .*: roomcad models fetch yolox_s"):
        make_detector(SegmentConfig(detector="yolox_s"))


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path, cache):
    assert cache_folder() == cache
    monkeypatch.delenv("ROOMCAD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "roomcad" / "models"
