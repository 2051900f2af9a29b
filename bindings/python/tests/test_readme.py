"""What the page shows runs, word by word."""

import http.server
import pathlib
import subprocess
import sys
import threading
import urllib.error

import pytest

import amparo
from conftest import MADE, PACKS, ROOT, ROOT_JSON, start
from table import Keys


def test_the_code_of_the_page_runs(tmp_path):
    page = (ROOT / "bindings/README.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    folder = "/path/of/the/app/private/amparo"
    assert code.count(folder) == 1
    given = {"root_bytes": ROOT_JSON, "packs": PACKS, "keystore": Keys()}
    exec(compile(code.replace(folder, str(tmp_path / "amparo")), "README", "exec"), given)
    assert given["found"].services and given["view"].progress.number == 2
    assert given["device"].is_locked()
    with amparo.opened(amparo.OpenRequest(folder=str(tmp_path / "amparo"), root_json=ROOT_JSON), Keys()) as device:
        assert device.screenings(0, 9).total == 1 and device.verify().whole


class Desk(http.server.BaseHTTPRequestHandler):
    """Headquarters by HTTP, as strict about path and content type as the relay; under /hotel one that is not it."""

    def do_POST(self):
        body, kind = self.rfile.read(int(self.headers["content-length"])), self.headers["content-type"]
        roads = {"/v1/enrol": ("application/cbor", self.server.hq.enrol), "/v1/exchange": ("application/cbor-seq", self.server.hq.exchange),
                 "/none/v1/exchange": ("application/cbor-seq", lambda _: b"")}
        if self.path.startswith("/hotel/"):
            return self.reply(200, "text/html", b"Synthetic page")
        if self.path.startswith("/slow/"):
            return self.reply(408, "application/problem+json", b"{}")
        if self.path.startswith("/cut/"):
            return None
        wanted, answer = roads.get(self.path, (None, None))
        if wanted is None or kind != wanted:
            return self.reply(404 if wanted is None else 415, "application/problem+json", b"{}")
        replies = answer(body)
        return self.reply(200 if replies else 204, wanted, replies)

    def reply(self, status, kind, body):
        self.send_response(status)
        if body:
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_the_http_of_the_page_reaches_a_headquarters(device):
    blocks = (ROOT / "bindings/README.md").read_text().split("```python\n")[2:]
    given = {"amparo": amparo}
    for block in blocks:
        exec(compile(block.split("```")[0], "README", "exec"), given)
    ends = {"/elsewhere": amparo.SyncEnd.REFUSED(code=404), "/hotel": amparo.SyncEnd.REFUSED(code=200), "/none": amparo.SyncEnd.STUCK(),
            "/slow": amparo.SyncEnd.CUT(), "/cut": amparo.SyncEnd.CUT()}
    with http.server.HTTPServer(("127.0.0.1", 0), Desk) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        server.hq = amparo.Headquarters.at(url + "/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert given["enrol"](device, server.hq.ticket()).url == url + "/"
        device.close_screening(start(device, "four-questions").line.id)
        for folder, end in ends.items():
            assert device.sync(given["Https"](url + folder), None).end == end, folder
        # What the page is without, and the real headquarters does not forgive.
        for path, kind, status in (("", "application/cbor-seq", 404), ("/v1/exchange", "application/cbor", 415), ("/v1/enrol", "application/cbor-seq", 415)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                given["post"](url, path, kind, b"")
            assert caught.value.code == status
        report = device.sync(given["Https"](device.enrolment().url), None)
        assert isinstance(report.end, amparo.SyncEnd.DONE) and report.receipts > 0
        server.shutdown()
    assert isinstance(device.sync(given["Https"](url), None).end, amparo.SyncEnd.OFFLINE)


def test_the_example_runs():
    example = ROOT / "bindings/python/examples/screen.py"
    packs = sorted(str(path) for path in pathlib.Path(ROOT / "content/packs").glob("*.pack"))
    words = [sys.executable, str(example), str(ROOT / "content/keys/root.json"), *packs]
    said = subprocess.run(words, env={"PYTHONPATH": str(MADE)}, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert "store is whole: True" in said.stdout and "closed: FULL" in said.stdout
