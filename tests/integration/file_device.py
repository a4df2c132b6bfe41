"""Devices with a shell like Cisco's that show files: one for each user name, all at one port.
Prints "ready PORT" when it listens; the password is "admin".

    file_device.py DIR    "show ... WORD" by user NAME shows DIR/NAME/WORD; without that file the
                          connection is closed
"""

import os
import sys

import shell_server


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


if __name__ == "__main__":
    shell_server.serve(
        lambda channel, user: Shell(channel, os.path.join(sys.argv[1], user)).run())
