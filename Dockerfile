# netfleet's images: docker build --target dispatcher | worker | lab (a jump host and simulated devices).
#
# Without a registry: any Debian 12 as BASE (debootstrap --variant=minbase bookworm root; tar -C root -c . | docker import -
# bookworm), and its packages from APT_SOURCE, a line of sources.list: "deb http://mirror.example/debian bookworm main".
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS base
ARG APT_SOURCE=
RUN if [ -n "$APT_SOURCE" ]; then \
      rm -rf /etc/apt/sources.list.d && echo "$APT_SOURCE" >/etc/apt/sources.list; \
    fi \
 && useradd --system --uid 800 --user-group --home-dir /var/lib/netfleet netfleet \
 && install -d -o netfleet -g netfleet -m 0700 /keys /var/lib/netfleet

FROM base AS build
WORKDIR /src
COPY . .
RUN scripts/setup \
 && cmake --preset release -DNETFLEET_TESTS=OFF \
 && cmake --build --preset release \
 && cpack --config build/release/CPackConfig.cmake -B /packages

FROM base AS dispatcher
COPY --from=build /packages/netfleet_*.deb /tmp/packages/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/packages/*.deb \
 && rm -rf /tmp/packages /var/lib/apt/lists/* /var/cache/apt/*
USER netfleet
WORKDIR /var/lib/netfleet
ENV XDG_STATE_HOME=/var/lib
EXPOSE 7600-7607 7680
# While a sweep runs, or of a service with --listen. It asks as an operator: netfleet keygen /keys operator NAME
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["netfleet", "workers", "--dispatcher", "tcp://127.0.0.1:7600", "--keys", "/keys"]
ENTRYPOINT ["netfleet"]
CMD ["--help"]

FROM base AS worker
COPY --from=build /packages/netfleet-worker_*.deb /tmp/packages/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/packages/*.deb \
 && rm -rf /tmp/packages /var/lib/apt/lists/* /var/cache/apt/*
USER netfleet
WORKDIR /var/lib/netfleet
ENV XDG_STATE_HOME=/var/lib
# Joined: it has a connection to a dispatcher's port 7600 (1DB0).
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["grep", "-q", ":1DB0 01 ", "/proc/net/tcp", "/proc/net/tcp6"]
ENTRYPOINT ["netfleet-worker"]
CMD ["--help"]

# What docker-compose.yml shows netfleet on, and nothing to install anywhere: devsim, a jump host, keys.
FROM dispatcher AS lab
USER root
COPY --from=build /packages/netfleet-devsim_*.deb /tmp/packages/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/packages/*.deb openssh-server \
 && rm -rf /tmp/packages /var/lib/apt/lists/* /var/cache/apt/* /etc/ssh/ssh_host_*
COPY scripts/lab /lab
RUN install -d -o netfleet -g netfleet -m 0700 /fleet/hub /fleet/eu /fleet/us \
 && install -d -o netfleet -g netfleet /fleet/jump-eu /fleet/jump-us /jump
USER netfleet
HEALTHCHECK NONE
ENTRYPOINT []
CMD ["/bin/sh"]
