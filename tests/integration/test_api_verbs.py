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
from fake_api import EVENTS, ONE, RESULTS, SWEEP, Verbs, result, sweep


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
                           ("long", "x" * 5000), ("header", "a\rX-Evil: 1\n"),
                           ("bytes", b"\xff\0")):
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

    def test_a_retry_is_begun_once_however_often_the_connection_is_lost(self):
        path = f"/v1/sweeps/{SWEEP}/retry"
        self.api.on("POST", path, fake_api.in_turn(
            fake_api.lost, lambda answer: answer.error(503, "too much at once"),
            lambda answer: answer.json({"sweep": "20261125-040000-cd34"}, 202)))
        ran = self.ask("retry", SWEEP, "--only", "lost")
        self.assertEqual(ran.out.decode(), "20261125-040000-cd34\n")
        asked = self.api.asked("POST", path)
        self.assertEqual([json.loads(body) for _, _, _, body in asked], [{"only": "lost"}] * 3)
        self.assertEqual(len({headers["Idempotency-Key"] for _, _, headers, _ in asked}), 1)

    def test_wrong_files(self):
        for name, text, said in (("a.mustache", "x {{name}}\n", "template"),
                                 ("tab.cfg", "a\tb\n", "tab"),
                                 ("none.cfg", "\n\n", "no configuration")):
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
        self.watched(lambda answer: answer.events(
            sweep(outcomes={"ok": 1, "auth_failed": 1, "skipped": 1}, guarded=True)))
        self.assertIn("the authentication guard ended the sweep", self.ask("watch", status=4).err)
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


if __name__ == "__main__":
    unittest.main()
