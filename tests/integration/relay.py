"""A TCP relay between a worker and its dispatcher: a network that stalls, trickles and resets.

The dispatcher has consecutive ports: control, sink, lanes. The relay has as many, so a worker that
is told the relay's first port finds all the others there. UP is from the worker to the dispatcher.
What a stalled direction was given is kept and delivered when it heals, as by TCP after an outage;
what is under way when connections are reset is lost.
"""

import asyncio
import collections
import ctypes
import os
import socket
import struct
import threading

import rig

UP, DOWN = "up", "down"
CONTROL, SINK, LANE = 0, 1, 2  # the offsets of the ports
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER
TRICKLE_EVERY = 0.01  # seconds
MOST_WAITING = 1 << 20  # bytes of a connection that the relay keeps; then the sender's TCP waits


class End(asyncio.Protocol):
    """One end of a relayed connection. `lane` is what it receives: (offset, UP or DOWN)."""

    def __init__(self, relay, lane):
        self.relay, self.lane = relay, lane
        self.peer = self.transport = None
        self.waiting = collections.deque()  # received, not passed on
        self.crowded = False  # too much waits: nothing more is read
        self.ended = False  # nothing more comes

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.relay.arrived[self.lane] += len(data)
        self.waiting.append(data)
        self.flush()
        if sum(map(len, self.waiting)) > MOST_WAITING:
            self.crowded = True
            self.transport.pause_reading()

    def connection_lost(self, exc):
        self.ended = True
        self.flush()

    def pause_writing(self):
        self.peer.transport.pause_reading()

    def resume_writing(self):
        self.peer.transport.resume_reading()

    def flush(self):
        """Passes on what waits, if it may and there is a place for it."""
        if self.lane in self.relay.stalled or not self.peer or not self.peer.transport:
            return
        if self.peer.transport.is_closing():
            self.waiting.clear()
        piece = self.relay.trickles.get(self.lane)
        while self.waiting:
            data = self.waiting.popleft()
            self.peer.transport.write(data[:piece])
            if piece and len(data) > piece:
                self.waiting.appendleft(data[piece:])
                self.relay.loop.call_later(TRICKLE_EVERY, self.flush)
                return
        if self.ended:
            self.peer.transport.close()
        elif self.crowded:
            self.crowded = False
            self.transport.resume_reading()

    def reset(self):
        self.waiting.clear()
        if self.transport and not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            self.transport.abort()


class Relay:
    """Relays to 127.0.0.1:`target_port` and the ports after it, in a thread of its own."""

    def __init__(self, test, target_port, ports=3, target="127.0.0.1", namespace=None):
        """`namespace`: where it listens, on the loopback there, and connects."""
        self.target, self.target_port, self.ports = target, target_port, ports
        self.namespace = namespace
        self.stalled, self.trickles = set(), {}
        self.arrived = collections.Counter()  # bytes, by (offset, way)
        self._ends = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        test.addCleanup(self._stop)
        self.port = rig.free_port(ports)
        self._servers = [self._call(self._listen(offset)) for offset in range(ports)]

    @property
    def endpoint(self):
        return f"tcp://127.0.0.1:{self.port}"

    def stall(self, *lanes):
        """Nothing passes in these any more (none given: in all), not even a connection's end."""
        everything = [(offset, way) for offset in range(self.ports) for way in (UP, DOWN)]
        self._call(self._set_stalled(self.stalled | set(lanes or everything)))

    def heal(self):
        self._call(self._set_stalled(set()))

    def trickle(self, lane, piece):
        """At most `piece` bytes pass every 10 ms."""
        self.trickles[lane] = piece

    def reset(self):
        """RST to both sides of all connections; what was under way is lost. New ones may come."""
        self._call(self._reset())

    # ---- in the relay's thread

    def _run(self):
        if self.namespace:
            with open(f"/run/netns/{self.namespace}", "rb") as entered:
                if ctypes.CDLL(None, use_errno=True).setns(entered.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self.loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(rig.DEADLINE)

    async def _listen(self, offset):
        def accepted():
            end = End(self, (offset, UP))
            self.loop.create_task(self._connect(end, offset))
            return end
        return await self.loop.create_server(accepted, "127.0.0.1", self.port + offset)

    async def _connect(self, near, offset):
        far = End(self, (offset, DOWN))
        near.peer, far.peer = far, near
        self._ends = [end for end in self._ends if not (end.ended and end.peer.ended)]
        self._ends += [near, far]
        try:
            await self.loop.create_connection(lambda: far, self.target, self.target_port + offset)
        except OSError:
            far.connection_lost(None)
        near.flush()

    async def _set_stalled(self, lanes):
        self.stalled = lanes
        for end in self._ends:
            end.flush()

    async def _reset(self):
        for end in self._ends:
            end.reset()

    async def _close(self):
        for server in self._servers:
            server.close()
        await self._reset()

    def _stop(self):
        self._call(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(rig.DEADLINE)
        self.loop.close()
