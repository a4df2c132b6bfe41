"""The verbs that ask a long-lived dispatcher, and what they make of a server that has accidents."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import unittest

import fake_api
import rig
import terminal
from fake_api import result, sweep

SWEEP = "20261125-030000-ab12"
EVENTS = r"/v1/sweeps/[^/]+/events"
RESULTS = r"/v1/sweeps/[^/]+/results\?.*"
ONE = r"/v1/sweeps/[^/?]+"


class Verbs(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.api = fake_api.FakeApi(self)
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
        self.api.on("GET", EVENTS, fake_api.in_turn(*handlers))


class Tokens(Verbs):
    def setUp(self):
        super().setUp()
        self.api.get("/v1/workers", {"workers": []})

    def sent(self):
        return [headers.get("Authorization") for _, _, headers, _ in self.api.requests]

    def test_the_most_explicit_one_is_sent(self):
        state = self.path("state/netfleet")
        self.ask("workers")
        os.makedirs(state)
        with open(f"{state}/api-token", "w", encoding="ascii") as file:
            file.write("nf_own\n")
        self.ask("workers")
        self.ask("workers", env={"NETFLEET_TOKEN": "nf_variable"})
        of_file = self.write("token", "nf_file\nanything\n", 0o600)
        both = {"NETFLEET_TOKEN": "nf_variable", "NETFLEET_TOKEN_FILE": of_file}
        self.ask("workers", env=both)
        typed = self.write("typed", "nf_typed\r\n", 0o600)
        self.ask("workers", "--token-file", typed, env=both)
        self.assertEqual(self.sent(), [None, "Bearer nf_own", "Bearer nf_variable",
                                       "Bearer nf_file", "Bearer nf_typed"])

    def test_what_is_no_token_is_sent_nowhere(self):
        for name, text in (("empty", ""), ("blank", "\n"), ("words", "two words\n"),
                           ("long", "x" * 5000), ("header", "a\rX-Evil: 1\n"), ("bytes", b"\xff\0")):
            path = self.write(name, text)
            ran = self.ask("workers", "--token-file", path, status=2)
            self.assertIn(path, ran.err)
        self.assertIn("No such file", self.ask("workers", "--token-file", "none", status=2).err)
        self.ask("workers", "--token-file", self.directory, status=2)
        ran = self.ask("workers", status=2, env={"NETFLEET_TOKEN": "nf secret"})
        self.assertNotIn("secret", ran.err)
        self.assertEqual(self.api.requests, [])

    def test_a_token_is_not_sent_in_clear_text_to_another_machine(self):
        env = {"NETFLEET_TOKEN": "nf_secret"}
        ran = self.ask("workers", "--server", "http://192.0.2.1:7680", status=2, env=env)
        self.assertIn("in clear text", ran.err)
        self.assertNotIn("nf_secret", ran.err)

    def test_the_own_services_token_is_for_this_machine_alone(self):
        os.makedirs(self.path("state/netfleet"))
        self.write("state/netfleet/api-token", "nf_own\n", 0o600)
        # Without a token, plain HTTP is no secret's matter; nobody is there.
        ran = self.ask("workers", "--server", "http://nobody.invalid:1", status=3)
        self.assertIn("look up nobody.invalid", ran.err)

    def test_a_redirect_is_not_followed(self):
        other = fake_api.FakeApi(self)
        other.get("/v1/workers", {"workers": []})
        self.api.on("GET", "/v1/workers", lambda answer: answer.json(
            {}, 307, Location=f"{other.url}/v1/workers"))
        ran = self.ask("workers", status=3, env={"NETFLEET_TOKEN": "nf_x"})
        self.assertIn(f"it sends to '{other.url}/v1/workers'", ran.err)
        self.assertEqual(other.requests, [])

    def test_refusals_name_the_token(self):
        self.api.on("GET", "/v1/workers", lambda answer: answer.error(401, "not known"))
        self.assertIn("not known (no token was found", self.ask("workers", status=2).err)
        path = self.write("token", "nf_x\n", 0o600)
        self.api.on("GET", "/v1/workers", lambda answer: answer.error(
            403, "it takes the scope read"))
        ran = self.ask("workers", "--token-file", path, status=2)
        self.assertIn(f"it takes the scope read (the token is that of {path})", ran.err)


class Answers(Verbs):
    def test_nobody_is_there(self):
        self.api.stop()
        for verb in (["status"], ["watch"], ["submit", "j"], ["results"], ["diff"], ["workers"],
                     ["cancel", "last"], ["retry", "last"], ["schedule"]):
            ran = self.ask(*verb, status=3)
            self.assertIn(f"ask {self.api.url}: connection refused (is 'netfleet serve' running?",
                          ran.err)

    def test_another_server_is_there(self):
        page = b"<html>\x1b[31m</html>"
        for status in (200, 404, 500):
            self.api.on("GET", "/.*", lambda answer, s=status: answer.send(page, "text/html", s))
            for verb in ("status", "watch", "results", "diff", "workers", "schedule"):
                ran = self.ask(verb, status=3)
                self.assertIn(f"ask {self.api.url}: ", ran.err)
                self.assertEqual(ran.out, b"")
                self.assertNotIn("\x1b", ran.err)

    def test_strange_answers(self):
        for value in ({}, [], 7, {"sweeps": 7}, {"sweeps": [{"sweep": 7}]}, {"ok": "yes"}):
            self.api.get("/.*", value)
            for verb in ("status", "watch", "results", "workers", "schedule"):
                self.assertIn("no dispatcher gives", self.ask(verb, status=3).err)
        self.api.on("GET", "/.*", lambda answer: answer.send(b"{", "application/json"))
        self.assertIn("it is no JSON", self.ask("status", status=3).err)

        def endless(answer):
            answer.begin("application/json")
            while True:
                answer.chunk(b" " * 65536)
        self.api.on("GET", "/.*", endless)
        self.assertIn("too large", self.ask("status", status=3).err)

        def without_length(answer):
            answer.send_response(200)
            answer.send_header("Content-Type", "application/json")
            answer.end_headers()
            answer.wfile.write(b'{"workers": []}')
        self.api.on("GET", "/v1/workers", without_length)
        self.assertIn("no length", self.ask("workers", status=3).err)

    def test_it_speaks_another_protocol(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            asked = self.begin("workers", "--server", url)
            connection = server.accept()[0]
            with connection:
                connection.recv(100)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.assertEqual(asked.wait(), 3, asked.text())
            asked.wait_for("the connection ended before an answer")

    def test_words_of_the_user_cannot_leave_their_place(self):
        self.ask("status", "../../x?y=1#z", status=2)
        self.ask("schedule", "pause", "a/b\r\nX: y", status=2)
        targets = [request[1] for request in self.api.requests]
        self.assertEqual(targets, ["/v1/sweeps/..%2F..%2Fx%3Fy%3D1%23z",
                                   "/v1/schedules/a%2Fb%0D%0AX%3A%20y/pause"])


class Https(Verbs):
    def setUp(self):
        super().setUp()
        self.key, self.certificate = self.path("key.pem"), self.path("certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=hub",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key,
                        "-out", self.certificate], check=True, capture_output=True, timeout=30)
        self.secure(self.api)
        self.api.get("/v1/workers", {"workers": []})

    def secure(self, api):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        api.http.socket = context.wrap_socket(api.http.socket, server_side=True)

    def test_a_server_that_is_trusted(self):
        url = self.api.url.replace("http:", "https:")
        token = {"NETFLEET_TOKEN": "nf_x"}
        for server in (url, url.replace("127.0.0.1", "localhost")):
            ran = self.ask("workers", "--server", server, "--ca", self.certificate, env=token)
            self.assertEqual(ran.out, b"no workers\n")
        self.assertEqual([r[2]["Authorization"] for r in self.api.requests], ["Bearer nf_x"] * 2)

    def test_a_certificate_of_another_name(self):
        other = fake_api.FakeApi(self, address="127.0.0.2")
        other.get("/v1/workers", {"workers": []})
        self.secure(other)
        ran = self.ask("workers", "--server", f"https://127.0.0.2:{other.port}", "--ca",
                       self.certificate, status=3, env={"NETFLEET_TOKEN": "nf_x"})
        self.assertIn("its certificate is not of that name", ran.err)
        self.assertEqual(other.requests, [])

    def test_servers_that_are_not(self):
        url = self.api.url.replace("http:", "https:")
        token = {"NETFLEET_TOKEN": "nf_x"}
        ran = self.ask("workers", "--server", url, status=3, env=token)
        self.assertIn("not signed by anybody who is trusted", ran.err)
        self.ask("workers", "--server", url, "--ca", self.key, status=3, env=token)
        ran = self.ask("workers", "--server", url, "--ca", self.path("none"), status=2, env=token)
        self.assertIn("No such file", ran.err)
        self.assertEqual(self.api.requests, [])


class Submit(Verbs):
    def bodies(self):
        return [json.loads(body) for _, _, _, body in self.api.asked("POST", "/v1/sweeps")]

    def idempotency_keys(self):
        return [headers["Idempotency-Key"]
                for _, _, headers, _ in self.api.asked("POST", "/v1/sweeps")]

    def test_prints_the_id(self):
        self.api.on("POST", "/v1/sweeps", lambda answer: answer.json({"sweep": SWEEP}, 202))
        config = self.write("ntp.cfg", "ntp server 10.0.0.1\r\nntp server 10.0.0.2\n")
        ran = self.ask("submit", "ntp", "-l", "a", "-l", "b", "--config-line", "clock utc",
                       "--config-file", config, "--dry-run")
        self.assertEqual(ran.out.decode(), SWEEP + "\n")
        self.ask("submit", "backup", "-c", "show clock")
        self.assertEqual(self.bodies(), [
            {"job": "ntp", "limit": ["a", "b"], "dry_run": True,
             "configuration": "clock utc\nntp server 10.0.0.1\nntp server 10.0.0.2\n"},
            {"job": "backup", "commands": ["show clock"]}])
        self.assertEqual(len(set(self.idempotency_keys())), 2)

    def test_begins_one_sweep_however_often_the_connection_is_lost(self):
        def lost_in_mid_answer(answer):
            answer.begin("application/json")
            answer.chunk('{"sweep":')
            raise fake_api.Lost()
        self.api.on("POST", "/v1/sweeps", fake_api.in_turn(
            fake_api.lost, lambda answer: answer.error(503, "too much at once"),
            lost_in_mid_answer, lambda answer: answer.json({"sweep": SWEEP}, 202)))
        ran = self.ask("submit", "backup")
        self.assertEqual(ran.out.decode(), SWEEP + "\n")
        self.assertEqual(len(self.idempotency_keys()), 4)
        self.assertEqual(len(set(self.idempotency_keys())), 1)

    def test_outlives_a_restart(self):
        self.api.on("POST", "/v1/sweeps", fake_api.lost)
        submitted = self.begin("submit", "backup")
        submitted.wait_for("the connection ended before an answer: again")
        self.api.stop()
        self.api.on("POST", "/v1/sweeps", lambda answer: answer.json({"sweep": SWEEP}, 202))
        self.api.start()
        submitted.wait_for(SWEEP)
        self.assertEqual(submitted.wait(), 0)
        self.assertEqual(len(set(self.idempotency_keys())), 1)

    def test_a_refusal_is_not_repeated(self):
        self.api.on("POST", "/v1/sweeps", lambda answer: answer.error(404, "there is no job x"))
        self.assertIn("there is no job x", self.ask("submit", "x", status=2).err)
        self.assertEqual(len(self.idempotency_keys()), 1)

    def test_wrong_files(self):
        for name, text, said in (("a.mustache", "x {{name}}\n", "template"),
                                 ("tab.cfg", "a\tb\n", "tab"), ("none.cfg", "\n\n", "no configuration")):
            ran = self.ask("submit", "x", "--config-file", self.write(name, text), status=2)
            self.assertIn(said, ran.err)
        self.ask("submit", "x", "--config-file", self.path("missing"), status=2)
        self.assertEqual(self.api.requests, [])

    def test_watches_it(self):
        self.api.on("POST", "/v1/sweeps", lambda answer: answer.json({"sweep": SWEEP}, 202))
        self.api.get(ONE, sweep(state="running", outcomes={"ok": 1}, total=3))
        self.watched(lambda answer: answer.events(sweep()))
        ran = self.ask("submit", "backup", "--watch")
        self.assertEqual(ran.out.decode(), SWEEP + "\n")
        self.assertIn("3 hosts: 3 ok in 90.5 s", ran.err)


class Watch(Verbs):
    def setUp(self):
        super().setUp()
        self.api.get(ONE, sweep(state="running", outcomes={"ok": 1}, total=3))

    def running(self, **fields):
        return sweep(state="running", **{"outcomes": {"ok": 2}, "total": 3, **fields})

    def test_exit_status_is_that_of_the_sweep(self):
        self.watched(lambda answer: answer.events(self.running(), sweep()))
        self.assertIn("3 hosts: 3 ok in 90.5 s", self.ask("watch").err)
        failed = sweep(outcomes={"ok": 2, "timed_out": 1})
        self.watched(lambda answer: answer.events(failed))
        self.api.on("GET", RESULTS, lambda answer: answer.lines(
            result(2, "timed_out", error="login: timed \x1b[31mout")))
        ran = self.ask("watch", SWEEP, status=1)
        self.assertIn("3 hosts: 2 ok, 1 timed_out in 90.5 s", ran.err)
        self.assertIn("  timed_out edge-3: login: timed ^[[31mout", ran.err)
        self.assertEqual(ran.out, b"")
        self.watched(lambda answer: answer.events(
            sweep(state="unfinished", outcomes={"ok": 2}, total=3)))
        self.assertIn("stopped before its end", self.ask("watch", status=1).err)
        self.api.on("GET", ONE, lambda answer: answer.error(404, "there is no such sweep"))
        self.assertIn("there is no such sweep", self.ask("watch", "x", status=2).err)

    def test_a_sweep_that_has_ended_needs_no_stream(self):
        self.api.get(ONE, sweep())
        self.ask("watch")
        self.assertEqual(self.api.asked("GET", EVENTS), [])

    def test_goes_on_over_lost_connections_and_restarts(self):
        def cut(answer):
            answer.begin("text/event-stream")
            answer.chunk(": here\n\n")
            answer.event("progress", self.running())
            answer.chunk("event: progress\nda")
            raise fake_api.Lost()
        self.watched(cut, fake_api.lost, cut)
        watching = self.begin("watch")
        self.api.wait_for("GET", EVENTS, 3)
        self.api.stop()
        watching.wait_for("trying again")
        self.watched(lambda answer: answer.events(sweep()))
        self.api.start()
        watching.wait_for("3 hosts: 3 ok")
        self.assertEqual(watching.wait(), 0, watching.text())

    def test_an_end_that_was_not_seen(self):
        self.watched(fake_api.lost)
        self.api.get(ONE, self.running(), sweep())
        self.assertIn("3 hosts: 3 ok", self.ask("watch").err)

    def test_ctrl_c_ends_the_watching_only(self):
        def quiet(answer):
            answer.begin("text/event-stream")
            answer.event("progress", self.running())
            answer.rfile.read(1)  # until they leave
        self.watched(quiet)
        for number in (signal.SIGINT, signal.SIGTERM):
            watching = self.begin("watch")
            watching.wait_for("running: ")
            watching.send_signal(number)
            self.assertEqual(watching.wait(), 128 + number)
            watching.wait_for(f"sweep {SWEEP} goes on")
        self.assertEqual(self.api.asked("POST", ".*"), [])

    def test_strange_events(self):
        for data in ("{", "[]", '{"sweep": 7}', "x" * 5_000_000):
            def strange(answer, text=data):
                answer.begin("text/event-stream")
                answer.chunk("event: other\ndata: {\n\n")
                answer.chunk(f"event: progress\ndata: {text}\n\n")
            self.watched(strange)
            self.ask("watch", status=3)

    def test_a_line_on_a_terminal(self):
        shown_once = threading.Event()

        def run(answer):
            answer.begin("text/event-stream")
            answer.event("progress", self.running(running=1))
            shown_once.wait(rig.DEADLINE)
            answer.event("end", sweep())
            answer.end()
        self.watched(run)
        shown = terminal.Terminal(self, self.argv("watch"))
        shown.wait_for(rb"2/3 66%.*1 running")
        shown_once.set()
        shown.wait_for(rb"3 hosts: 3 ok")
        self.assertEqual(shown.wait(), 0)


class RollOuts(Verbs):
    """A roll-out that asks whether it goes on."""

    def setUp(self):
        super().setUp()
        asking = sweep(state="asking", outcomes={"ok": 1, "lost": 1}, total=3, why="1 of 3 failed")
        self.answered = []
        self.api.get(ONE, asking)

        def take(answer):
            self.answered.append(json.loads(self.api.requests[-1][3])["go_on"])
            self.api.get(ONE, sweep(outcomes={"ok": 2, "skipped": 1}))
            self.watched(lambda a: a.events(sweep(outcomes={"ok": 2, "skipped": 1})))
            answer.json({"sweep": SWEEP}, 202)
        self.api.on("POST", r".*/answer", take)
        self.api.on("GET", RESULTS, lambda answer: answer.lines())

        def wait(answer):
            answer.begin("text/event-stream")
            answer.event("progress", asking)
            answer.rfile.read(1)  # until they leave
        self.watched(wait)

    def test_an_option_answers(self):
        self.ask("watch", "--stop", status=1)
        self.assertEqual(self.answered, [False])

    def test_go_on(self):
        self.ask("watch", "--go-on", status=1)
        self.assertEqual(self.answered, [True])

    def test_a_person_is_asked(self):
        for typed, answer in ((b"y\n", True), (b"\n", False), (b"yesterday\n", False)):
            self.setUp()
            shown = terminal.Terminal(self, self.argv("watch"))
            shown.wait_for(rb"1 of 3 failed")
            shown.wait_for(rb"go on with the rest\? \[y/N\] ")
            shown.type(typed)
            self.assertEqual(shown.wait(), 1, shown.text())
            self.assertEqual(self.answered, [answer])

    def test_nobody_is_asked_without_a_terminal(self):
        watching = self.begin("watch")
        watching.wait_for("it asks whether it goes on: 1 of 3 failed")
        watching.wait_for("--go-on' or '--stop' answers")
        self.assertEqual(self.answered, [])

    def test_somebody_else_is_faster(self):
        shown = terminal.Terminal(self, self.argv("watch"))
        shown.wait_for(rb"\[y/N\] ")
        self.watched(lambda answer: answer.events(sweep()))
        self.api.get(ONE, sweep())
        shown.wait_for(rb"somebody else has answered")
        self.assertEqual(shown.wait(), 0)
        self.assertEqual(self.answered, [])

    def test_a_token_that_may_not_answer_goes_on_watching(self):
        self.api.on("POST", r".*/answer", lambda answer: answer.error(403, "takes scope change"))
        self.watched(lambda answer: answer.events(sweep()))
        self.assertIn("takes scope change", self.ask("watch", "--go-on").err)
        self.assertEqual(len(self.api.asked("POST", ".*/answer")), 1)


class Results(Verbs):
    def setUp(self):
        super().setUp()
        self.api.get(ONE, sweep(outcomes={"ok": 2, "unreachable": 1}))
        self.results = [result(0), result(1, output="same\n"),
                        result(2, "unreachable")]

    def from_position(self, *cuts):
        """Each time so many results, then the connection is lost; at last all that are left."""
        left = list(cuts)

        def answer_some(answer):
            first = int(answer.path.split("first=")[1].split("&")[0])
            answer.begin("application/x-ndjson")
            count = left.pop(0) if left else len(self.results)
            for one in self.results[first:first + count]:
                answer.chunk(json.dumps(one) + "\n")
            if left or count < len(self.results):
                answer.chunk('{"sweep": "cut')
                raise fake_api.Lost()
            answer.end()
        self.api.on("GET", RESULTS, answer_some)

    def test_every_form(self):
        self.from_position()
        ran = self.ask("results", "last", "-o", "jsonl", status=1)
        self.assertEqual(ran.objects(), self.results)
        text = self.ask("results", status=1).out.decode()
        self.assertIn("=== edge-1 (10.0.0.1:22) ok 0.12s\nhello\n", text)
        self.assertIn("edge-3 (10.0.0.3:22) unreachable 0.12s\nconnect edge-3: refused\n", text)
        rows = self.ask("results", "-o", "csv", status=1).out.decode().split("\r\n")
        self.assertTrue(rows[2].startswith(f"{SWEEP},1,edge-2,10.0.0.2,22,cisco_ios,,w1,1,ok,"))
        self.assertIn("3 hosts: 2 ok, 1 unreachable in 90.5 s",
                      self.ask("results", "-o", "summary", status=1).out.decode())
        self.results[1] = result(1)
        grouped = self.ask("results", "-o", "grouped", status=1).out.decode()
        self.assertIn("=== edge-[1-2] (2 hosts) ok\nhello\n", grouped)
        self.results[1] = result(1, output="hallo\n")
        self.assertIn("-hello\n+hallo\n",
                      self.ask("results", "-o", "grouped", "--diff", status=1).out.decode())
        self.ask("results", "--output-dir", self.path("out"), status=1)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["edge-1.txt", "edge-2.txt"])

    def test_terminals_are_not_steered(self):
        self.results[0] = result(0, output="red \x1b[31m\x9b1m\r\n", host="a\x1b]0;x\x07")
        self.from_position()
        for form in ("text", "jsonl", "csv", "grouped", "summary"):
            shown = terminal.Terminal(self, self.argv("results", "-o", form))
            self.assertEqual(shown.wait(), 1)
            self.assertIn(b"connect edge-3: refused", shown.shown)
            self.assertNotIn(b"\x1b", shown.shown.replace(b"\x1b[K", b""))
            self.assertNotIn(b"\x07", shown.shown)

    def test_each_once_over_lost_connections(self):
        for form in ([], ["--follow"]):
            self.from_position(1, 0, 1)
            ran = self.ask("results", "-o", "jsonl", *form, status=1)
            self.assertEqual(ran.objects(), self.results)

    def test_follow_prints_what_comes_when_it_comes(self):
        def slowly(answer):
            self.assertIn("follow=1", answer.path)
            answer.begin("application/x-ndjson")
            answer.chunk(json.dumps(self.results[0]) + "\n" + json.dumps(self.results[1])[:50])
            following.wait_for("edge-1")
            answer.chunk(json.dumps(self.results[1])[50:] + "\n\n\n")
            following.wait_for("edge-2")
            answer.chunk(json.dumps(self.results[2]) + "\n")
            answer.end()
        self.api.get(ONE, sweep(state="running", outcomes={"ok": 1}, total=3), sweep())
        self.api.on("GET", RESULTS, slowly)
        following = self.begin("results", "--follow")
        following.wait_for("edge-3")
        self.assertEqual(following.wait(), 1, following.text())

    def test_unfinished(self):
        self.api.get(ONE, sweep(state="running", outcomes={"ok": 1}, total=5))
        self.from_position()
        self.assertIn("2 of 5 hosts have no result", self.ask("results", status=1).err)

    def test_wrong_lines(self):
        for line in ("{", "[]", "7", '{"sweep": "x"}', json.dumps(result(7)), "x" * 100_000,
                     json.dumps(result(0, outcome="superb"))):
            def strange(answer, text=line):
                answer.begin("application/x-ndjson")
                answer.chunk(text + "\n")
                answer.end()
            self.api.on("GET", RESULTS, strange)
            ran = self.ask("results", status=3)
            self.assertNotEqual(ran.err, "")
        self.api.on("GET", RESULTS, lambda answer: answer.lines(result(1), result(0)))
        self.assertIn("out of order", self.ask("results", status=3).err)
        self.api.on("GET", RESULTS, lambda answer: answer.lines(result(0), result(0)))
        self.assertIn("out of order", self.ask("results", status=3).err)

    def test_a_reader_that_leaves(self):
        self.results = [result(i, output="x" * 50_000 + "\n") for i in range(200)]
        self.api.get(ONE, sweep(outcomes={"ok": 200}))
        self.from_position()
        ran = self.ask_shell(f"{' '.join(self.argv('results'))} | head -1")
        self.assertEqual(ran.out.decode(), "=== edge-1 (10.0.0.1:22) ok 0.12s\n")
        self.assertEqual(ran.err, "")

    def ask_shell(self, line):
        return self.finish(["bash", "-c", line])

    def test_the_store_here_is_meant_where_it_is_named(self):
        self.assertIn("no store at", self.ask("results", "--store", self.path("s"), status=2).err)
        self.assertIn("--follow is for", self.ask("results", "--follow", status=2,
                                                  env={"NETFLEET_SERVER": ""}).err)
        self.assertEqual(self.api.requests, [])

    def test_list(self):
        self.api.get(r"/v1/sweeps\?limit=50", {"sweeps": [sweep()]})
        self.assertIn(SWEEP, self.ask("results", "--list").out.decode())


class Others(Verbs):
    def test_diff(self):
        changed = {"host": "edge-1", "changed": [{"command": "show run", "hunks":
                                                  "@@ -1 +1 @@\n-a\n+\x1b[31mb\n"}],
                   "not_compared": []}
        end = {"before": "B", "after": "A", "hosts": 3, "changed": 1, "not_compared": 0}
        self.api.get(r"/v1/sweeps\?limit=1000", {"sweeps": [
            sweep("live", "running"), sweep("config", commands=[]), sweep("A")]})
        self.api.on("GET", r"/v1/sweeps/A/diff\?format=jsonl", lambda a: a.lines(changed, end))
        ran = self.ask("diff", status=1)
        self.assertEqual(ran.out.decode(), "--- edge-1 B show run\n+++ edge-1 A show run\n"
                         "@@ -1 +1 @@\n-a\n+\x1b[31mb\n")
        self.assertEqual(ran.err, "B to A: 1 of 3 hosts differ\n")
        shown = terminal.Terminal(self, self.argv("diff"))
        self.assertEqual(shown.wait(), 1)
        self.assertIn(b"+^[[31mb", shown.shown)

        self.api.get("/v1/sweeps/[AB]", sweep("B"), sweep("A"))
        self.api.on("GET", r"/v1/sweeps/A/diff\?format=jsonl&with=B&mask=no&limit=%28x%29%20and"
                    r"%20%28y%29", lambda a: a.lines({**end, "changed": 0}))
        ran = self.ask("diff", "B", "A", "--no-mask", "-l", "x", "-l", "y")
        self.assertEqual((ran.out, ran.err), (b"", "B to A: 0 of 3 hosts differ\n"))

        self.api.on("GET", r"/v1/sweeps/A/diff\?.*", lambda a: a.lines(changed))
        self.assertIn("stops before its end", self.ask("diff", "A", status=3).err)
        self.api.on("GET", r"/v1/sweeps/A/diff\?.*", lambda a: a.error(404, "no sweep before A"))
        self.assertIn("no sweep before A", self.ask("diff", "A", status=2).err)
        self.ask("diff", "--volatile", "x", status=2)

    def test_status(self):
        self.api.get("/v1/health", {"ok": True, "version": "0.1.0", "since": fake_api.STARTED,
                                    "problems": [], "workers": 2, "slots": 100, "running": 3,
                                    "sweeps": 1})
        sweeps = [sweep(state="running", total=9, running=2), sweep("20261124-a")]
        self.api.get(r"/v1/sweeps\?limit=20", {"sweeps": sweeps})
        out = self.ask("status").out.decode()
        self.assertIn(f"at {self.api.url} since 2026-11-25T03:00:00Z: 2 workers, 100 slots", out)
        self.assertRegex(out, rf"{SWEEP} +backup +running +2026-11-25T03:00:00Z +- +9 +3 +2 +0 +sch")
        self.assertEqual(self.ask("status", "-o", "jsonl").objects(), sweeps)
        self.api.get(r"/v1/sweeps\?limit=5&job=a%20b", {"sweeps": []})
        self.assertIn("no sweeps", self.ask("status", "--sweeps", "5", "--job",
                                            "a b").out.decode())
        one = sweep(outcomes={"ok": 2, "lost": 1})
        self.api.get(ONE, one)
        self.assertRegex(self.ask("status", SWEEP).out.decode(), r"2 ok\n +1 lost\n")
        self.assertEqual(self.ask("status", SWEEP, "-o", "jsonl").objects(), [one])
        self.api.get("/v1/health", {"ok": False, "version": "0.1.0"})
        self.assertIn("something is wrong", self.ask("status", status=1).out.decode())

    def test_cancel_and_retry(self):
        self.api.on("POST", ".*", lambda answer: answer.json({"sweep": "new"}, 202))
        self.assertIn("nothing else is started", self.ask("cancel", "last").err)
        self.assertIn("being stopped", self.ask("cancel", "last", "--now").err)
        self.assertEqual(self.ask("retry", "last").out, b"new\n")
        self.ask("retry", "last", "--only", "lost,skipped")
        self.assertEqual([(r[1], json.loads(r[3])) for r in self.api.requests], [
            ("/v1/sweeps/last/cancel", {"now": False}), ("/v1/sweeps/last/cancel", {"now": True}),
            ("/v1/sweeps/last/retry", {"only": "failed"}),
            ("/v1/sweeps/last/retry", {"only": "skipped,lost"})])
        self.api.on("POST", ".*/retry", fake_api.lost)
        self.assertIn("maybe it is begun", self.ask("retry", "last", status=3).err)
        self.assertEqual(len(self.api.asked("POST", ".*/retry")), 3)
        self.api.on("POST", ".*", lambda answer: answer.error(409, "it has ended"))
        self.assertIn("it has ended", self.ask("cancel", "last", status=2).err)

    def test_schedules(self):
        schedule = {"job": "backup", "cron": "0 3 * * *", "zone": "Europe/Berlin",
                    "next": fake_api.ENDED, "paused": False, "running": None,
                    "warning": "cannot finish before its next start"}
        firing = {"job": "backup", "due": fake_api.STARTED, "what": "skipped", "sweep": None,
                  "why": "the one before still runs"}
        self.api.get("/v1/schedules", {"schedules": [schedule]})
        self.api.get(r"/v1/schedules/backup/firings\?limit=50", {"firings": [firing]})
        self.api.get("/v1/jobs", {"jobs": [
            {"name": "new", "path": "/etc/new.yaml", "error": "/etc/new.yaml:3: what is this",
             "changes": True, "scheduled": False}]})
        out = self.ask("schedule").out.decode()
        self.assertRegex(out, r"backup +0 3 \* \* \* +Europe/Berlin +2026-11-25T03:01:30Z +waiting")
        self.assertIn("backup: cannot finish before", out)
        self.assertIn("/etc/new.yaml:3: what is", self.ask("schedule", "list", "--all").out.decode())
        self.assertEqual(self.ask("schedule", "-o", "jsonl").objects(), [schedule])
        for more in ([], ["backup"]):
            self.assertIn("the one before still runs",
                          self.ask("schedule", "history", *more).out.decode())
        self.assertEqual(self.ask("schedule", "history", "-o", "jsonl").objects(), [firing])
        self.api.on("POST", "/v1/schedules/backup/(pause|resume)", lambda answer: answer.json(
            {"job": "backup", "paused": answer.path.endswith("pause")}))
        self.assertIn("pauses until", self.ask("schedule", "pause", "backup").err)
        self.assertIn("goes on", self.ask("schedule", "resume", "backup").err)

    def test_workers(self):
        self.api.get("/v1/workers", {"workers": [
            {"name": "w\x1b1", "regions": ["eu", ""], "slots": 50, "free": 3, "running": 47,
             "done": 12, "joined_ago_ms": 4000, "seen_ago_ms": 100, "silent": False}]})
        self.assertRegex(self.ask("workers").out.decode(),
                         r"w\^\[1 +here +eu,\(default\) +50 +3 +47 +12 +3.0 ")
        worker = self.ask("workers", "-o", "jsonl").objects()[0]
        self.assertEqual((worker["worker"], worker["rate"]), ("w\x1b1", 3.0))


if __name__ == "__main__":
    unittest.main()
