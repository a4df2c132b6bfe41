"""Peers that a fleet did not ask for: raw ZMTP over sockets, and ZeroMQ sockets that say what they
like. The protocol's messages (proto/netfleet.proto) are written by hand here, so that they can be
wrong."""

import contextlib
import socket
import struct

import zmq


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """A field of a protobuf message: an int as a varint, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def fields(data):
    """Yields (number, value) of a message that is well formed."""
    def number():
        nonlocal position
        shift = value = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
    position = 0
    while position < len(data):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        elif tag & 7 == 1:
            yield tag >> 3, struct.unpack_from("<Q", data, position)[0]
            position += 8
        else:
            length = number()
            yield tag >> 3, data[position:position + length]
            position += length


PREFIX = b"nf\x02"
HELLO, CLAIM, HEARTBEAT = 4, 5, 7          # of ToDispatcher
WELCOME, REFUSED, GRANT, HELLO_AGAIN = 2, 3, 5, 9  # of ToWorker
OK = 1                                     # Outcome


def control(incarnation, body, content, sequence=1, free=0, journal=0):
    return (PREFIX + fixed64(1, incarnation) + field(2, sequence) + field(3, free) +
            fixed64(12, journal) + field(body, content))


def hello(incarnation, name, slots=1):
    return control(incarnation, HELLO, field(1, name.encode()) + field(3, slots), free=slots)


def journal_of(welcome):
    """Which journal a dispatcher works on: what is said to it must name that."""
    return dict(fields(welcome))[6]


def heartbeat(incarnation, sequence=2, journal=0):
    return control(incarnation, HEARTBEAT, fixed64(1, 1), sequence, journal=journal)


def claim(incarnation, offers, journal, sequence=3):
    return control(incarnation, CLAIM,
                   fixed64(1, 1) + b"".join(field(2, offer) for offer in offers), sequence,
                   journal=journal)


def result(incarnation, task, output, journal=0):
    command = field(1, b"show version") + field(2, output) + field(3, OK)
    body = field(1, task) + field(2, OK) + field(9, command)
    return (PREFIX + fixed64(1, incarnation) + field(2, 1 << 40) + field(4, body) +
            fixed64(5, journal))


def told(peer):
    """The number and the content of the next thing that a dispatcher says; a credential's secret,
    which is a second frame, is left out."""
    frame = peer.recv_multipart()[0]
    assert frame.startswith(PREFIX), frame
    return next((number, content) for number, content in fields(frame[len(PREFIX):]) if number > 1)


class Key:
    """What a key file says."""

    def __init__(self, path):
        with open(path, encoding="ascii") as file:
            self.kind, self.role, self.name, self.text = file.read().split()


class Peers:
    """ZeroMQ sockets on the dispatcher at `port`; closed together."""

    def __init__(self, port, address="127.0.0.1"):
        self.port, self.address = port, address
        self.context = zmq.Context()
        self.sockets = []

    def connect(self, kind, offset, incarnation=None, pair=None, server=None, **options):
        """`pair`: (public, secret) in Z85, `server`: the server's public key; None: no CURVE."""
        peer = self.context.socket(kind)
        self.sockets.append(peer)
        peer.linger = 0
        peer.sndtimeo = peer.rcvtimeo = 20000
        for name, value in options.items():
            setattr(peer, name, value)
        if incarnation is not None:
            peer.routing_id = struct.pack("<Q", incarnation)
        if pair:
            peer.curve_publickey, peer.curve_secretkey = (key.encode() for key in pair)
            peer.curve_serverkey = server.encode()
        peer.connect(f"tcp://{self.address}:{self.port + offset}")
        return peer

    def close(self):
        for peer in self.sockets:
            peer.close(linger=0)
        self.context.term()


def new_pair():
    return tuple(key.decode() for key in zmq.curve_keypair())


def zmtp_frame(body, more=False):
    return struct.pack(">BQ", 0x02 | (0x01 if more else 0), len(body)) + body


def greeting(mechanism=b"NULL", minor=0):
    return (b"\xff" + b"\0" * 8 + b"\x7f\x03" + bytes([minor]) + mechanism.ljust(20, b"\0") +
            b"\0" * 32)


def ready(kind):
    text = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    return struct.pack(">BB", 0x04, len(text)) + text


def raw_attacks():
    """Bytes that no honest peer begins with, by name."""
    messages = b"".join(zmtp_frame(body) for body in (b"", PREFIX, b"x" * 5000))
    attacks = {
        "nothing": b"", "zeros": b"\0" * 64, "http": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "ssh": b"SSH-2.0-OpenSSH_9.2\r\n", "ones": b"\xff" * 4096, "all": bytes(range(256)) * 16,
        "zmtp1": b"\x01\x00" + b"\x06\x00hello" * 100,
        "zmtp2": b"\xff" + b"\0" * 7 + b"\x01\x7f\x01\x05\0\0" + b"\0\x05hello" * 100,
        "half a greeting": greeting()[:20], "greeting alone": greeting(),
        "plain mechanism": greeting(b"PLAIN") + b"\x04\x10\x05HELLO\x01a\x01b",
        "curve hello of nonsense": greeting(b"CURVE") + struct.pack(">BB", 4, 200) +
                                   b"\x05HELLO\x01\0" + b"x" * 192,
        "terabyte": greeting() + ready(b"DEALER") + struct.pack(">BQ", 0x02, 1 << 40),
    }
    for kind in (b"DEALER", b"PUSH", b"PULL", b"REQ", b"SUB", b"NONSENSE"):
        name = kind.decode()
        attacks[f"{name} messages"] = greeting() + ready(kind) + messages
        attacks[f"{name} parts"] = greeting() + ready(kind) + zmtp_frame(b"x", more=True) * 500
    return attacks


def throw(port, data, address="127.0.0.1"):
    """Connects, sends, hangs up."""
    with socket.create_connection((address, port), timeout=10) as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(data)
