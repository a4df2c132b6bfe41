"""SSH servers of other makes, as processes: python3-asyncssh and python3-paramiko.

    other_ssh.py asyncssh|paramiko SCENARIO RECORD

SCENARIO is JSON: `user`, and what the server wants of it: `methods`, a list of steps that all must
be passed in order ("password", "keyboard-interactive"; asyncssh wants any one of them),
`password`, and `rounds` of keyboard-interactive: each has `prompts`
([text, echo]) and the answers that are `right`, maybe `title` and `instruction`; `again` asks a
wrongly answered round once more. Algorithms by asyncssh's names: `kex_algs`, `encryption_algs`,
`mac_algs`. After the login there is a shell with the prompt "sim> " (`shell`: false: none), and
commands by exec, which /bin/sh runs. `prompt` is another prompt; with `outputs`, a
table, the shell prints what it says of a command, and `refusal` for any other.

RECORD gets a JSON line for each answer, command and login. Prints "ready PORT" when it listens.
"""

import asyncio
import json
import socket
import subprocess
import sys
import threading

def prompt_of(scenario):
    return scenario.get("prompt", "sim> ")


def answer_of(scenario, command):
    """What the shell prints."""
    if "outputs" in scenario:
        return scenario["outputs"].get(command, scenario["refusal"]) if command else ""
    return f"ran {command}\n" if command else ""


class Record:
    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def add(self, event, **fields):
        with self._lock:
            self._file.write(json.dumps({"event": event, **fields}) + "\n")


class Rounds:
    """The keyboard-interactive dialogue of one login."""

    def __init__(self, scenario, record):
        self._left = list(scenario.get("rounds", []))
        self._record = record

    def current(self):
        return self._left[0]

    def judge(self, answers):
        """True: all are passed; False: refused; None: current() is to be asked."""
        asked = self._left[0]
        for (text, _), answer in zip(asked["prompts"], answers):
            self._record.add("answer", prompt=text, answer=answer)
        if list(answers) == asked["right"]:
            self._left.pop(0)
            return None if self._left else True
        if asked.pop("again", False):
            return None
        return False


def say(line):
    print(line, flush=True)


# asyncssh ---------------------------------------------------------------------------------------

def serve_asyncssh(scenario, record):
    import asyncssh

    class Server(asyncssh.SSHServer):
        def __init__(self):
            self._rounds = Rounds(json.loads(json.dumps(scenario)), record)

        def begin_auth(self, username):
            return True

        def password_auth_supported(self):
            return "password" in scenario["methods"]

        def validate_password(self, username, password):
            record.add("password", answer=password)
            return password == scenario["password"]

        def kbdint_auth_supported(self):
            return "keyboard-interactive" in scenario["methods"]

        def _challenge(self):
            asked = self._rounds.current()
            return (asked.get("title", ""), asked.get("instruction", ""), "",
                    [tuple(prompt) for prompt in asked["prompts"]])

        def get_kbdint_challenge(self, username, lang, submethods):
            return self._challenge()

        def validate_kbdint_response(self, username, responses):
            verdict = self._rounds.judge(responses)
            return self._challenge() if verdict is None else verdict

        def auth_completed(self):
            record.add("login")

    async def run_command(process):
        record.add("exec", command=process.command, pty=process.term_type is not None)
        if process.command.startswith("!signal "):
            process.exit_with_signal(process.command.split()[1], msg="told to")
            return
        done = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", process.command, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL)
        out, err = await done.communicate()
        process.stdout.write(out.decode())
        process.stderr.write(err.decode())
        process.exit(done.returncode)

    async def run_shell(process):
        prompt = prompt_of(scenario)
        process.stdout.write(prompt)
        async for line in process.stdin:
            command = line.strip()
            record.add("command", text=command)
            if command == "exit":
                break
            process.stdout.write(answer_of(scenario, command) + prompt)
        process.exit(0)

    async def handle(process):
        await (run_command if process.command is not None else run_shell)(process)

    async def serve():
        lists = ("kex_algs", "encryption_algs", "mac_algs")
        server = await asyncssh.create_server(
            Server, "127.0.0.1", 0, process_factory=handle, encoding="utf-8",
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            **{name: scenario[name] for name in lists if name in scenario})
        say(f"ready {server.sockets[0].getsockname()[1]}")
        await asyncio.Event().wait()
    asyncio.run(serve())


# paramiko ---------------------------------------------------------------------------------------

def serve_paramiko(scenario, record):
    import paramiko

    class Server(paramiko.ServerInterface):
        def __init__(self):
            self._steps = list(scenario["methods"])
            self._rounds = Rounds(json.loads(json.dumps(scenario)), record)
            self.shells = []

        def get_allowed_auths(self, username):
            return self._steps[0]

        def _passed(self):
            self._steps.pop(0)
            if self._steps:
                return paramiko.AUTH_PARTIALLY_SUCCESSFUL
            record.add("login")
            return paramiko.AUTH_SUCCESSFUL

        def check_auth_password(self, username, password):
            record.add("password", answer=password)
            right = self._steps[0] == "password" and password == scenario["password"]
            return self._passed() if right else paramiko.AUTH_FAILED

        def _query(self):
            asked = self._rounds.current()
            return paramiko.InteractiveQuery(asked.get("title", ""), asked.get("instruction", ""),
                                             *[tuple(prompt) for prompt in asked["prompts"]])

        def check_auth_interactive(self, username, submethods):
            return self._query()

        def check_auth_interactive_response(self, responses):
            verdict = self._rounds.judge(responses)
            if verdict is None:
                return self._query()
            return self._passed() if verdict else paramiko.AUTH_FAILED

        def check_channel_request(self, kind, chanid):
            return paramiko.OPEN_SUCCEEDED

        def check_channel_pty_request(self, *arguments):
            return True

        def check_channel_shell_request(self, channel):
            threading.Thread(target=run_shell, args=(channel,), daemon=True).start()
            return bool(scenario.get("shell", True))

        def check_channel_exec_request(self, channel, command):
            threading.Thread(target=run_command, args=(channel, command), daemon=True).start()
            return True

    def run_command(channel, command):
        record.add("exec", command=command.decode())
        done = subprocess.run(["/bin/sh", "-c", command.decode()], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL)
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()

    def run_shell(channel):
        line = b""
        prompt = prompt_of(scenario)
        channel.sendall(prompt.encode())
        while byte := channel.recv(1):
            channel.sendall(byte if byte != b"\n" else b"\r\n")
            if byte not in b"\r\n":
                line += byte
                continue
            record.add("command", text=line.decode())
            if line == b"exit":
                break
            answer = answer_of(scenario, line.decode()).replace("\n", "\r\n")
            channel.sendall((answer + prompt).encode())
            line = b""
        channel.close()

    host_key = paramiko.RSAKey.generate(2048)
    listener = socket.create_server(("127.0.0.1", 0))
    say(f"ready {listener.getsockname()[1]}")
    transports = []
    while True:
        connection, _ = listener.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(host_key)
        transports.append(transport)
        try:
            transport.start_server(server=Server())
        except (paramiko.SSHException, EOFError):
            pass  # who only looked whether somebody is there


def main():
    make, path, record = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        scenario = json.load(file)
    {"asyncssh": serve_asyncssh, "paramiko": serve_paramiko}[make](scenario, Record(record))


if __name__ == "__main__":
    main()
