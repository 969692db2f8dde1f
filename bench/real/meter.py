"""A proxy before a model server that counts what passes.

    with Meter(URL, FILE) as meter: ... meter.url ...

Requests, tokens and the time from the first to the last are counted where they
arrive, whatever either system reports. FILE keeps them, so that the count
continues with a run that was ended. GET /sim/stats returns them in the form of
the stand-in server.
"""

import http.server
import json
import pathlib
import threading
import time
import urllib.error
import urllib.request

NOTHING = {"answered": 0, "prompt_tokens": 0, "generated_tokens": 0,
           "seconds": 0}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/sim/stats":
            self.reply(200, json.dumps(self.server.meter.figures()).encode())
        else:
            self.forward(None)

    def do_POST(self):
        self.forward(self.rfile.read(int(self.headers["Content-Length"])))

    def forward(self, body):
        request = urllib.request.Request(
            self.server.meter.behind + self.path, body,
            {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=900) as answer:
                status, made = answer.status, answer.read()
        except urllib.error.HTTPError as fault:
            status, made = fault.code, fault.read()
        if body is not None and status == 200:
            self.server.meter.count(json.loads(made))
        self.reply(status, made)

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Meter:
    def __init__(self, behind, path):
        self.behind = behind
        self.path = pathlib.Path(path)
        self.counts = dict(NOTHING)
        if self.path.exists():
            self.counts |= json.loads(self.path.read_text())
        self.lock = threading.Lock()
        self.last = time.monotonic()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.meter = self
        self.url = "http://127.0.0.1:%d" % self.server.server_port

    def count(self, answer):
        usage = answer.get("usage") or {}
        with self.lock:
            now = time.monotonic()
            self.counts["seconds"] += now - self.last
            self.last = now
            self.counts["answered"] += 1
            self.counts["prompt_tokens"] += usage.get("prompt_tokens", 0)
            self.counts["generated_tokens"] += usage.get("completion_tokens", 0)
            self.path.write_text(json.dumps(self.counts))

    def figures(self):
        with self.lock:
            return dict(self.counts)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
