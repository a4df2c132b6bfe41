"""Who is told of a sweep: a command, and a webhook on a real HTTP server."""

import http.server
import json
import os
import queue
import ssl
import subprocess
import threading
import unittest

import rig

SECRET = "Tr0ub4dor&3"


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.put((self.path, self.headers["Content-Type"], body))
        status, headers = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Notices(rig.RigTest):
    def serve(self, certificate=None, answer=(204, {})):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        server.got, server.answer = queue.Queue(), answer
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def run_sweep(self, inventory, *arguments, status=0):
        return self.sweep("-i", inventory, "-u", "admin", "--store", "none", "--retries", 0, "-o",
                          "summary", "-c", "show version", *arguments, status=status)

    def test_a_command_is_told_without_secrets(self):
        self.env["NETFLEET_TEST_PASSWORD"] = SECRET
        inventory = self.devsim(5, "--password", SECRET, "--fault", "refuse:2")
        told = self.path("told")
        self.run_sweep(inventory, "--notify-command", f"env >>{told}.env; cat >>{told}",
                       "--notify-failures", "20%", status=1)
        failures, ended = [json.loads(line) for line in rig.read(told).splitlines()]
        self.assertEqual((failures["event"], failures["failed"]), ("failures", 1))
        self.assertEqual(ended["event"], "ended")
        self.assertEqual(ended["outcomes"], {"ok": 4, "unreachable": 1})
        self.assertEqual(ended["exit_status"], 1)
        self.assertEqual(len(ended["failed_hosts"]), 1)
        self.assertNotIn(SECRET.encode(), rig.read(told) + rig.read(f"{told}.env"))
        self.assertNotIn(b"show version", rig.read(told))

    def test_a_webhook_gets_a_post(self):
        server = self.serve()
        hook = self.write("hook", f"http://127.0.0.1:{server.server_port}/a?token=x\n", 0o600)
        self.write(".curlrc", "fail-early\nproxy = http://127.0.0.1:1\n")
        self.run_sweep(self.devsim(3), "--notify-webhook-file", hook)
        path, kind, body = server.got.get(timeout=10)
        self.assertEqual((path, kind), ("/a?token=x", "application/json"))
        self.assertEqual(json.loads(body)["outcomes"], {"ok": 3})

    def test_certificates_are_verified(self):
        key, certificate = self.path("key.pem"), self.path("cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        server = self.serve((certificate, key))
        url = f"https://localhost:{server.server_port}/token"
        inventory = self.devsim(1)
        ran = self.run_sweep(inventory, "--notify-webhook", url)
        self.assertIn("--notify-webhook: nobody was told: curl: (60)", ran.err)
        self.assertTrue(server.got.empty())
        self.env["CURL_CA_BUNDLE"] = certificate
        ran = self.run_sweep(inventory, "--notify-webhook", url)
        self.assertNotIn("nobody was told", ran.err)
        self.assertEqual(server.got.get(timeout=10)[0], "/token")

    def test_what_fails_fails_no_sweep(self):
        elsewhere = self.serve()
        moved = self.serve(answer=(302, {"Location":
                                         f"http://127.0.0.1:{elsewhere.server_port}/"}))
        inventory = self.devsim(2)
        for url, message in ((f"http://127.0.0.1:{moved.server_port}/token", "it answered 302"),
                             (f"http://127.0.0.1:{rig.free_port()}/token", "curl: (7)"),
                             ("http://nowhere.invalid/token", "curl: (6)")):
            ran = self.run_sweep(inventory, "--notify-webhook", url, "--notify-command", "exit 9")
            self.assertIn(f"--notify-webhook: nobody was told: {message}", ran.err)
            self.assertIn("--notify-command: nobody was told: it ended with status 9", ran.err)
            self.assertNotIn("token", ran.err)
        self.assertTrue(elsewhere.got.empty())
        self.env["PATH"] = self.path("nothing")
        ran = self.run_sweep(inventory, "--notify-webhook", url)
        self.assertIn("nobody was told: run curl: No such file or directory", ran.err)

    def test_a_slow_command_holds_up_nothing(self):
        """Results are all printed while it hangs, and an interrupt ends the wait."""
        pid = self.path("pid")
        run = self.start(*self.run_argv("-i", self.devsim(3), "-u", "admin", "--store", "none",
                                        "-c", "show clock", "--notify-command",
                                        f"echo $$ >{pid}; exec sleep 1000"))
        run.wait_for("3 hosts: 3 ok")
        rig.wait_until(lambda: os.path.exists(pid) and rig.read(pid), "the command runs")
        run.send_signal(2)
        self.assertEqual(run.wait(), 0)
        number = int(rig.read(pid))
        self.assertFalse(os.path.exists(f"/proc/{number}"))

    def test_bad_addresses_are_refused(self):
        inventory = self.write("devices.txt", "127.0.0.1\n")
        for text, message in (("", "is empty"), ("ftp://x\n", "expected https://"),
                              ("http://a b\n", "blanks")):
            hook = self.write("hook", text, 0o600)
            ran = self.run_sweep(inventory, "--notify-webhook-file", hook, status=2)
            self.assertIn(message, ran.err)
        ran = self.run_sweep(inventory, "--notify-webhook-file", "/no/such", status=2)
        self.assertIn("/no/such", ran.err)


if __name__ == "__main__":
    unittest.main()
