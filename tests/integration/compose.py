"""docker-compose.yml without Docker: its services as containers.py runs them, from the stages of
the Dockerfile, each network a bridge that joins their namespaces, service names in their hosts
files. What the file says is asked of docker-compose itself.
"""

import itertools
import os

import yaml

import containers
import rig
import servers

COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"


class Network:
    """A bridge, from which containers have addresses."""

    def __init__(self, test, number):
        self.prefix, self.used = f"198.18.{number}", 0
        self.switch = servers.Lan(test, f"-n{number}", f"{self.prefix}.254/24")
        self.names = []  # (address, service)

    def connect(self, container, service, aliases=()):
        self.used += 1
        address = f"{self.prefix}.{self.used}"
        self.switch.connect(container.network, f"{address}/24")
        self.names += [(address, name) for name in (service, *aliases)]
        return address

    def forget(self, address):
        self.names = [(other, name) for other, name in self.names if other != address]


class Project:
    def __init__(self, test, path, debs):
        self.test = test
        shown = test.finish(["docker-compose", "--file", path, "config"])
        test.assertEqual(shown.status, 0, str(shown))
        self.file = yaml.safe_load(shown.out)
        packages = {("build", f"/packages/{name}_*.deb"): [deb] for name, deb in debs.items()}
        self.dockerfile = containers.Dockerfile(os.path.join(os.path.dirname(path), "Dockerfile"),
                                                packages)
        self.networks = {name: Network(test, number)
                         for number, name in enumerate(self.file["networks"], 1)}
        self.volumes, self.containers, self.started = {}, {}, 0

    def up(self, *services, **scale):
        """As `docker compose up -d`: what these services (none: all without a profile) depend on,
        too. What runs is left alone; `worker_eu=3` as --scale has it."""
        scale = {name.replace("_", "-"): count for name, count in scale.items()}
        usual = [name for name, service in self.file["services"].items()
                 if not service.get("profiles")]
        for name in services or usual:
            for other, how in self.file["services"][name].get("depends_on", {}).items():
                self.up(other)
                if how["condition"] == COMPLETED:
                    self.finished(other)
                elif how["condition"] == HEALTHY:
                    rig.wait_until(self.containers[other][0].healthy, f"{other} is healthy")
            self.forget_ended(name)
            while len(self.containers[name]) < scale.get(name, 1):
                self._start(name)

    def run(self, name, command):
        """As `docker compose run --use-aliases`: with another command."""
        self.forget_ended(name)
        return self._start(name, command)

    def forget_ended(self, name):
        kept = [one for one in self.containers.get(name, ()) if not one.process.ended()]
        for one in set(self.containers.get(name, ())) - set(kept):
            for network, address in one.addresses.items():
                self.networks[network].forget(address)
        self.containers[name] = kept

    def finished(self, name):
        """Of a service that ends by itself: its last container, which did so with success."""
        container = self.containers[name][-1]
        self.test.assertEqual(container.process.wait(), 0, container.process.text())
        container.process.stop()
        return container

    def _start(self, name, command=None):
        service = self.file["services"][name]
        image = self.dockerfile.image(service["build"]["target"])
        self.started += 1
        inside = servers.Namespace(self.test, f"-c{self.started}")
        memory = [mount.partition(":")[0] for mount in service.get("tmpfs", ())]
        container = containers.Container(self.test, image, inside, self._volumes(service),
                                         memory=memory, read_only=service.get("read_only", False))
        container.addresses = {
            network: self.networks[network].connect(container, name, (how or {}).get("aliases", ()))
            for network, how in service.get("networks", {}).items()}
        self.containers.setdefault(name, []).append(container)
        self._tell_names()
        container.health = service.get("healthcheck", {}).get("test", ["CMD", *image.health])[1:]
        container.start(command or service.get("command"))
        return container

    def _volumes(self, service):
        for volume in service.get("volumes", ()):
            source, target, mode = volume.split(":")
            if not source.startswith("/"):
                source = os.path.join(containers.PLACE, f"volume-{source}")
            yield source, target, mode == "rw"
        for secret in service.get("secrets", ()):
            name = secret["source"] if isinstance(secret, dict) else secret
            yield self.file["secrets"][name]["file"], f"/run/secrets/{name}", False

    def _tell_names(self):
        """Who is in a container's networks."""
        for container in itertools.chain.from_iterable(self.containers.values()):
            lines = ["127.0.0.1 localhost"] + [
                f"{address} {service}" for network in container.addresses
                for address, service in self.networks[network].names]
            with open(container.hosts, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
