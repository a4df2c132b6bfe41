"""A device with a shell like Cisco's that is odd in one way: the one that its user's name says.
Prints "ready PORT" when it listens; the password is "admin".

    odd_device.py RECORD    gets a line for each line that was typed
"""

import sys
import threading

import shell_server

PAUSE = 6.0
LONG_LINE = 20 << 20


class Shell:
    def __init__(self, channel, oddity, record):
        self._channel = channel
        self._oddity = oddity
        self._record = record
        self._prompt = "R1#"

    def say(self, text):
        self._channel.sendall(text.encode())

    def run(self):
        self.say("\r\n" + self._prompt)
        line = b""
        while byte := self._channel.recv(1):
            if byte != b"\n":
                line += byte
                continue
            command, line = line.decode(), b""
            with open(self._record, "a", encoding="utf-8") as record:
                record.write(command + "\n")
            if command == "exit":
                break
            if self._oddity != "echoes-never":
                self.say(command + "\r\n")
            if self._oddity == "echoes-twice":
                self.say(command + "\r\n")
            if command.startswith("show"):
                self.output()
            self.say(self._prompt)
        self._channel.close()

    def output(self):
        self.say("first line\r\n")
        if self._oddity == "pauses":
            threading.Event().wait(PAUSE)
        elif self._oddity == "never-ends-a-line":
            for _ in range(LONG_LINE >> 16):
                self.say("x" * (1 << 16))
            self.say("\r\n")
        elif self._oddity == "asks":
            self.say("Delete everything? [yes/no] ")
            self._channel.recv(1)  # an answer that must not come, or the end
            self.say("deleted\r\n")
        elif self._oddity == "asks-for-a-secret":
            self.say("Password: ")
            self._channel.recv(1)
        elif self._oddity == "cuts-characters":
            for byte in "\u20ac\u00e4\x1b[1mbold\x1b[0m\r\n".encode():
                self._channel.sendall(bytes([byte]))
        elif self._oddity == "is-renamed":
            self._prompt = "R2#"
        elif self._oddity == "looks-like-a-prompt":
            self.say("R1#\r\nR1#show clock\r\nR1(config)#\r\n R1#\r\n")
        self.say("last line\r\n")


if __name__ == "__main__":
    shell_server.serve(lambda channel, user: Shell(channel, user, sys.argv[1]).run(),
                       has_terminal=lambda user: user != "refuses-a-terminal")
