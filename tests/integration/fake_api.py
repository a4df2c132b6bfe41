"""A stand-in for the HTTP side of `netfleet serve`, which has accidents on purpose: what the verbs
that ask it do then is tested here; that the real one answers so, elsewhere.
"""

import http.server
import json
import re
import threading

import rig

SWEEP = "20261125-030000-ab12"
EVENTS = r"/v1/sweeps/[^/]+/events"
RESULTS = r"/v1/sweeps/[^/]+/results\?.*"
ONE = r"/v1/sweeps/[^/?]+"
STARTED = "2026-11-25T03:00:00.000Z"
ENDED = "2026-11-25T03:01:30.500Z"


def sweep(name=SWEEP, state="ended", outcomes=None, **fields):
    outcomes = {"ok": 3} if outcomes is None else outcomes
    done = sum(outcomes.values())
    return {"sweep": name, "job": "backup", "origin": "schedule", "state": state, "why": None,
            "started_at": STARTED, "ended_at": ENDED if state == "ended" else None,
            "commands": ["show version"], "changes": False, "guarded": False, "total": done,
            "running": 0, "done": done, "outcomes": outcomes, **fields}


def result(index, outcome="ok", output="hello\n", **fields):
    return {"sweep": SWEEP, "index": index, "host": f"edge-{index + 1}",
            "address": f"10.0.0.{index + 1}", "port": 22, "platform": "cisco_ios", "region": "",
            "worker": "w1", "attempt": 1, "outcome": outcome,
            "error": None if outcome == "ok" else f"connect edge-{index + 1}: refused",
            "jump": None, "started_at": STARTED, "duration_ms": 120,
            "commands": [{"command": "show version", "output": output, "outcome": "ok",
                          "duration_ms": 100, "truncated": False}] if outcome == "ok" else [],
            **fields}


class Lost(Exception):
    """The connection ends here, whatever has been sent."""


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def json(self, value, status=200, **headers):
        self.send(json.dumps(value).encode(), "application/json", status, **headers)

    def error(self, status, text):
        self.json({"error": text}, status)

    def send(self, content, kind, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def begin(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, content):
        content = content if isinstance(content, bytes) else content.encode()
        if content:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.flush()

    def end(self):
        self.wfile.write(b"0\r\n\r\n")

    def event(self, name, value):
        self.chunk(f"event: {name}\ndata: {json.dumps(value)}\n\n")

    def events(self, *sweeps):
        """A whole stream of events; the last one ends it."""
        self.begin("text/event-stream")
        for one in sweeps[:-1]:
            self.event("progress", one)
        self.event("end", sweeps[-1])
        self.end()

    def lines(self, *objects):
        self.begin("application/x-ndjson")
        for one in objects:
            self.chunk(json.dumps(one) + "\n")
        self.end()

    def answer(self):
        api = self.server.api
        with api.changed:
            api.requests.append((self.command, self.path, dict(self.headers), self.body()))
            api.changed.notify_all()
        self.close_connection = True
        try:
            for method, pattern, handler in api.routes:
                if method == self.command and re.fullmatch(pattern, self.path):
                    handler(self)
                    return
            self.error(404, f"there is no {self.path}")
        except (Lost, BrokenPipeError, ConnectionResetError):
            pass

    do_GET = do_POST = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class FakeApi:
    """Answers by its routes, the newest first, until it is stopped; may be started again."""

    def __init__(self, test, address="127.0.0.1"):
        self.routes = []
        self.requests = []  # (method, target, headers, body)
        self.changed = threading.Condition()
        self.http = None
        self.address = address
        self.port = 0
        self.start()
        test.addCleanup(self.stop)

    def start(self):
        self.http = Server((self.address, self.port), Answer)
        self.http.api = self
        self.port = self.http.server_port
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.http:
            self.http.shutdown()
            self.http.server_close()
        self.http = None

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def on(self, method, pattern, handler):
        """`handler(answer)`; or the values of one answer after another, the last one for ever."""
        self.routes.insert(0, (method, pattern, handler))

    def get(self, pattern, *values):
        self.on("GET", pattern, in_turn(*[lambda answer, v=value: answer.json(v)
                                          for value in values]))

    def asked(self, method, pattern):
        with self.changed:
            return [request for request in self.requests
                    if request[0] == method and re.fullmatch(pattern, request[1])]

    def wait_for(self, method, pattern, count=1):
        with self.changed:
            if not self.changed.wait_for(lambda: sum(
                    r[0] == method and bool(re.fullmatch(pattern, r[1])) for r in self.requests)
                    >= count, rig.DEADLINE):
                raise AssertionError(f"nobody asked {method} {pattern}: {self.requests}")


def in_turn(*handlers):
    """One handler for each time; the last one for all that follow."""
    left = list(handlers)
    lock = threading.Lock()

    def handle(answer):
        with lock:
            handler = left.pop(0) if len(left) > 1 else left[0]
        handler(answer)
    return handle


def lost(_):
    raise Lost()


class Verbs(rig.RigTest):
    """Tests of the verbs, which find the stand-in by their environment."""

    def setUp(self):
        super().setUp()
        self.api = FakeApi(self)
        self.env["NETFLEET_SERVER"] = self.api.url

    def argv(self, *arguments):
        return [f"{rig.BIN}/netfleet", *map(str, arguments)]

    def ask(self, *arguments, status=0, **options):
        ran = self.finish(self.argv(*arguments), **options)
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def begin(self, *arguments):
        return self.start(*self.argv(*arguments))

    def watched(self, *handlers):
        self.api.on("GET", EVENTS, in_turn(*handlers))
