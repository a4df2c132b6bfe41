"""Netmiko as its documentation has it for many devices: a pool of threads.

usage: netmiko_threads.py HOSTS AT_ONCE     HOSTS has "address:port" first on each line
"""

import concurrent.futures
import json
import os
import sys

import netmiko

PROMPT = r"[\w-]#\s*$"  # said, and not found out before every command: that goes wrong under load


def visit(endpoint):
    address, port = endpoint.rsplit(":", 1)
    with netmiko.ConnectHandler(
            device_type="cisco_ios", host=address, port=int(port),
            username=os.environ["BENCH_USER"], password=os.environ["BENCH_PASSWORD"],
            timeout=60, blocking_timeout=60, session_timeout=120,
            fast_cli=True) as device:
        return address, device.send_command("show version", expect_string=PROMPT)


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        endpoints = [line.split()[0] for line in file]
    with concurrent.futures.ThreadPoolExecutor(int(sys.argv[2])) as pool:
        for host, output in pool.map(visit, endpoints):
            print(json.dumps({"host": host, "output": output}))


main()
