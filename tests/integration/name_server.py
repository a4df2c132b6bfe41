"""A name server that knows one name: name_server.py SERVER NAME ADDRESS answers on SERVER:53."""

import socket
import struct
import sys

server, name, address = sys.argv[1:]
known = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
A, NXDOMAIN, AUTHORITATIVE, RESPONSE = 1, 3, 0x0400, 0x8000

with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET,
                   socket.SOCK_DGRAM) as listener:
    listener.bind((server, 53))
    print("ready", flush=True)
    while True:
        query, client = listener.recvfrom(512)
        end = query.index(b"\0", 12) + 1
        asked, kind = query[12:end], struct.unpack("!H", query[end:end + 2])[0]
        if asked.lower() == known:
            print(f"asked for {name}", flush=True)
        found = asked.lower() == known and kind == A
        flags = RESPONSE | AUTHORITATIVE | (0 if asked.lower() == known else NXDOMAIN)
        answer = query[:2] + struct.pack("!HHHHH", flags, 1, int(found), 0, 0) + query[12:end + 4]
        if found:
            answer += b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 60, 4) + socket.inet_aton(address)
        listener.sendto(answer, client)
