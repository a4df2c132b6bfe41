"""Devices with a shell like Cisco's that show files: one for each user name, all at one port.
Prints "ready PORT" when it listens; the password is "admin".

    file_device.py DIR    "show ... WORD" by user NAME shows DIR/NAME/WORD; without that file the
                          connection is closed
"""

import os
import socket
import sys
import threading


class Shell:
    def __init__(self, channel, directory):
        self._channel = channel
        self._directory = directory
        self._prompt = b"R1#"

    def run(self):
        self._channel.sendall(b"\r\n" + self._prompt)
        line = b""
        while byte := self._channel.recv(1):
            if byte != b"\n":
                line += byte
                continue
            command, line = line.decode(), b""
            if command == "exit":
                break
            self._channel.sendall(command.encode() + b"\r\n")
            if command.startswith("show ") and not self.show(command.split()[-1]):
                break
            self._channel.sendall(self._prompt)
        self._channel.close()
        self._channel.get_transport().close()

    def show(self, word):
        try:
            with open(os.path.join(self._directory, word), "rb") as file:
                self._channel.sendall(file.read().replace(b"\n", b"\r\n"))
            return True
        except FileNotFoundError:
            return False


def main():
    import paramiko

    class Server(paramiko.ServerInterface):
        def check_auth_password(self, username, password):
            self.directory = os.path.join(sys.argv[1], username)
            return paramiko.AUTH_SUCCESSFUL if password == "admin" else paramiko.AUTH_FAILED

        def get_allowed_auths(self, username):
            return "password"

        def check_channel_request(self, kind, chanid):
            return paramiko.OPEN_SUCCEEDED

        def check_channel_pty_request(self, *arguments):
            return True

        def check_channel_shell_request(self, channel):
            threading.Thread(target=Shell(channel, self.directory).run, daemon=True).start()
            return True

    host_key = paramiko.RSAKey.generate(2048)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready {listener.getsockname()[1]}", flush=True)
    transports = []
    while True:
        connection, _ = listener.accept()
        transports.append(paramiko.Transport(connection))
        transports[-1].add_server_key(host_key)
        try:
            transports[-1].start_server(server=Server())
        except (paramiko.SSHException, EOFError, OSError):
            pass  # who only looked whether somebody is there, or was killed


if __name__ == "__main__":
    main()
