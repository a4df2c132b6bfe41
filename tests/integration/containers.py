"""Containers as Docker makes them, without Docker: images are layers over this machine's own root
file system, built as a Dockerfile says; a container is such a root, a network namespace and a user.
Processes are not hidden from each other. All mounts are in a mount namespace of the test process
and below one directory, which nobody deletes: /proc and /dev are among them.
"""

import ctypes
import fcntl
import itertools
import json
import os
import re
import shlex
import shutil

import rig
from servers import call

PLACE = "/run/netfleet-containers"
CLONE_NEWNS = 0x20000
_numbers = itertools.count(1)
_lock = None


def private_mounts():
    """For setUpModule: what is mounted from now on is seen by this process and its children, and
    gone with them. Layers lie in memory: this machine's root, the lowest, must not hold them."""
    global _lock
    _lock = open("/var/lib/dpkg/lock-frontend", "w", encoding="utf-8")
    fcntl.lockf(_lock, fcntl.LOCK_EX)  # apt's: nobody changes the lowest layer meanwhile
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise AssertionError(f"unshare: {os.strerror(ctypes.get_errno())}")
    call("mount", "--make-rslave", "/")
    os.makedirs(PLACE, exist_ok=True)
    call("mount", "-t", "tmpfs", "-o", "mode=755", "netfleet-containers", PLACE)


class Image:
    """Layers, and what a Dockerfile says of who runs what in them."""

    def __init__(self, layers=("/",), user="root", directory="/", env=(), entrypoint=(),
                 command=(), health=()):
        self.layers, self.user, self.directory = tuple(layers), user, directory
        self.env, self.entrypoint, self.command = dict(env), list(entrypoint), list(command)
        self.health = list(health)

    def derived(self):
        return Image(self.layers, self.user, self.directory, self.env, self.entrypoint,
                     self.command, self.health)


class Root:
    """An image's layers with an own one on top, mounted. `volumes`: (source, target, writable); a
    source that is not there yet is made as the image has the target. `memory`: empty directories.
    """

    def __init__(self, image, volumes=(), memory=(), read_only=False):
        place = os.path.join(PLACE, str(next(_numbers)))
        self.path, self.layer = f"{place}/root", f"{place}/layer"
        for directory in (self.path, self.layer, f"{place}/work"):
            os.makedirs(directory)
        call("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={':'.join(image.layers)},"
             f"upperdir={self.layer},workdir={place}/work", self.path)
        for system in ("proc", "sys", "dev"):
            call("mount", "--rbind", f"/{system}", f"{self.path}/{system}")
        for source, target, _ in volumes:
            if not os.path.exists(source):
                call("cp", "--archive", self.path + target, source)
            self._make(target, os.path.isfile(source))
        for target in memory:
            self._make(target, False)
        if read_only:
            call("mount", "-o", "remount,ro", self.path)
        for source, target, writable in volumes:
            call("mount", "--bind", source, self.path + target)
            if not writable:
                call("mount", "-o", "remount,bind,ro", self.path + target)
        for target in memory:
            call("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", self.path + target)

    def _make(self, target, file):
        os.makedirs(os.path.dirname(self.path + target), exist_ok=True)
        if file:
            open(self.path + target, "ab").close()
        else:
            os.makedirs(self.path + target, exist_ok=True)

    def unmount(self):
        call("umount", "--recursive", "--lazy", self.path)

    def argv(self, user, directory, command):
        """How to run a command in it, as one process from here to there."""
        inside = ["env", f"--chdir={directory}", *command]
        if user != "root":
            inside = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                      "--no-new-privs", "--pdeathsig", "KILL", *inside]
        return ["chroot", self.path, *inside]


class Dockerfile:
    """Its stages, built as they are asked for. `given`: files that a stage has made elsewhere, by
    (stage, path), instead of building it; `base`: what stands below FROM ${BASE}."""

    def __init__(self, path, given=None, base=None):
        self.context, self.given, self.base = os.path.dirname(path), given or {}, base or Image()
        self.stages, self.built = {}, {}
        text = re.sub(r"^\s*#.*\n", "", rig.read(path).decode(), flags=re.M)
        for line in re.sub(r"\\\n", " ", text).splitlines():
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                parent, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
                steps = self.stages[name] = (parent, [])
            elif word and self.stages:
                steps[1].append((word, rest.strip()))

    def image(self, stage):
        if stage not in self.built:
            parent, steps = self.stages[stage]
            image = (self.base if parent == "${BASE}" else self.image(parent)).derived()
            root = Root(image)
            for word, rest in steps:
                getattr(self, f"_{word.lower()}")(image, root, rest)
            root.unmount()
            image.layers = (root.layer, *image.layers)
            self.built[stage] = image
        return self.built[stage]

    def _run(self, image, root, rest):
        # Without a network: all packages that it installs must be here, or be the ones given.
        call("unshare", "--net", *root.argv(image.user, image.directory, ["/bin/sh", "-c", rest]))

    def _copy(self, _image, root, rest):
        stage = re.match(r"--from=(\S+) ", rest)
        source, target = rest.split()[-2:]
        if not stage:
            shutil.copytree(os.path.join(self.context, source), root.path + target)
            return
        os.makedirs(root.path + target)
        for path in self.given[stage.group(1), source]:
            shutil.copy(path, root.path + target)

    def _user(self, image, _root, rest):
        image.user = rest

    def _workdir(self, image, _root, rest):
        image.directory = rest

    def _env(self, image, _root, rest):
        name, _, value = rest.partition("=")
        image.env[name] = value

    def _entrypoint(self, image, _root, rest):
        image.entrypoint, image.command = json.loads(rest), []

    def _cmd(self, image, _root, rest):
        image.command = json.loads(rest)

    def _healthcheck(self, image, _root, rest):
        image.health = json.loads(rest.partition("CMD ")[2] or "[]")

    def _arg(self, *_):
        """Has a default that suits here."""

    def _expose(self, *_):
        """Says nothing to anybody."""


class Container:
    """A root, a network namespace, and the image's program or another command in them."""

    def __init__(self, test, image, network, volumes=(), **options):
        self.test, self.image, self.network, self.process = test, image, network, None
        self.health = image.health
        self.hosts, nothing = (f"{PLACE}/{next(_numbers)}.hosts" for _ in range(2))
        for path in (self.hosts, nothing):
            open(path, "wb").close()
        self.root = Root(image, [*volumes, (self.hosts, "/etc/hosts", False),
                                 (nothing, "/etc/resolv.conf", False)], **options)
        test.addCleanup(self.root.unmount)

    def start(self, command=None):
        words = shlex.split(command) if command else self.image.command
        self.process = self.test.start(*self.argv([*self.image.entrypoint, *words]),
                                       env=self.env())

    def env(self):
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG": "C.UTF-8", "HOME": self.image.directory, **self.image.env}

    def argv(self, command):
        return [*self.network.inside,
                *self.root.argv(self.image.user, self.image.directory, command)]

    def run(self, *command, **options):
        """Another command in it, to its end."""
        return self.test.finish(self.argv(command), env=self.env(), **options)

    def healthy(self):
        return not self.process.ended() and self.run(*self.health).status == 0
