"""Paramiko by itself: a pool of threads, a shell each, read until the prompt.

usage: paramiko_threads.py HOSTS AT_ONCE     HOSTS has "address:port" first on each line
"""

import concurrent.futures
import json
import os
import sys

import paramiko


def read_prompt(channel):
    output = b""
    while not output.endswith(b"#"):
        chunk = channel.recv(65536)
        if not chunk:
            raise EOFError(output)
        output += chunk
    return output.decode()


def command(channel, line):
    channel.sendall(line.encode() + b"\n")
    lines = read_prompt(channel).splitlines()
    return "\n".join(lines[1:-1])  # without the echo and the prompt


def visit(endpoint):
    address, port = endpoint.rsplit(":", 1)
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(address, int(port), os.environ["BENCH_USER"], os.environ["BENCH_PASSWORD"],
                       look_for_keys=False, allow_agent=False, timeout=60, banner_timeout=60,
                       auth_timeout=60)
        channel = client.invoke_shell()
        channel.settimeout(60)
        read_prompt(channel)
        command(channel, "terminal length 0")
        return address, command(channel, "show version")


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        endpoints = [line.split()[0] for line in file]
    with concurrent.futures.ThreadPoolExecutor(int(sys.argv[2])) as pool:
        for host, output in pool.map(visit, endpoints):
            print(json.dumps({"host": host, "output": output}))


main()
