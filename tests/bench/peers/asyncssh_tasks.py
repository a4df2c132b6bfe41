"""AsyncSSH: one event loop, a task a device, a semaphore for how many at once.

usage: asyncssh_tasks.py HOSTS AT_ONCE     HOSTS has "address:port" first on each line
"""

import asyncio
import json
import os
import sys

import asyncssh


async def read_prompt(shell):
    output = ""
    while not output.endswith("#"):
        chunk = await shell.stdout.read(65536)
        if not chunk:
            raise EOFError(output)
        output += chunk
    return output


async def command(shell, line):
    shell.stdin.write(line + "\n")
    lines = (await read_prompt(shell)).splitlines()
    return "\n".join(lines[1:-1])  # without the echo and the prompt


async def visit(endpoint, room):
    address, port = endpoint.rsplit(":", 1)
    async with room:
        async with asyncssh.connect(
                address, int(port), username=os.environ["BENCH_USER"],
                password=os.environ["BENCH_PASSWORD"], known_hosts=None, client_keys=None,
                agent_path=None, config=None, login_timeout=60) as connection:
            async with connection.create_process(term_type="vt100") as shell:
                await read_prompt(shell)
                await command(shell, "terminal length 0")
                output = await command(shell, "show version")
                shell.stdin.write("exit\n")
    return address, output


async def main():
    with open(sys.argv[1], encoding="ascii") as file:
        endpoints = [line.split()[0] for line in file]
    room = asyncio.Semaphore(int(sys.argv[2]))
    for host, output in await asyncio.gather(*(visit(one, room) for one in endpoints)):
        print(json.dumps({"host": host, "output": output}))


asyncio.run(main())
