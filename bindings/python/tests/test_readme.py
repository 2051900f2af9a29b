"""What the page shows runs, word by word."""

import http.server
import pathlib
import subprocess
import sys
import threading

import amparo
from conftest import MADE, PACKS, ROOT, ROOT_JSON
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


def test_the_transport_of_the_page_reaches_a_headquarters(device):
    hq, code = amparo.Headquarters(), (ROOT / "bindings/README.md").read_text().split("```python\n")[2].split("```")[0]

    class Desk(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            upload = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200 if self.path == "/" else 404)
            self.end_headers()
            self.wfile.write(hq.exchange(upload))

        def log_message(self, *_):
            pass

    given = {"amparo": amparo}
    exec(compile(code, "README", "exec"), given)
    device.enrolled(hq.enrol(device.enrolment_request(hq.ticket())))
    with http.server.HTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert isinstance(device.sync(given["Https"](url + "/"), None).end, amparo.SyncEnd.DONE)
        assert device.sync(given["Https"](url + "/elsewhere"), None).end == amparo.SyncEnd.REFUSED(code=404)
        server.shutdown()
    assert isinstance(device.sync(given["Https"](url), None).end, amparo.SyncEnd.OFFLINE)


def test_the_example_runs():
    example = ROOT / "bindings/python/examples/screen.py"
    packs = sorted(str(path) for path in pathlib.Path(ROOT / "content/packs").glob("*.pack"))
    words = [sys.executable, str(example), str(ROOT / "content/keys/root.json"), *packs]
    said = subprocess.run(words, env={"PYTHONPATH": str(MADE)}, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert "store is whole: True" in said.stdout and "closed: FULL" in said.stdout
