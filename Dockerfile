# docker build -t pinyon .
# docker run -p 127.0.0.1:6379:6379 -v pinyon:/data pinyon [--DIRECTIVE VALUE]...
#
# Inside a container every client is a remote one, so the image listens on all addresses with protected mode off: who
# can reach the server is decided by the ports that are published. Beyond 127.0.0.1, set a password too:
#   docker run -p 6379:6379 pinyon --requirepass SECRET
# A configuration of your own takes the place of the image's: -v ./my.conf:/etc/pinyon/pinyon.conf:ro (then `bind` and
# `protected-mode` are yours to set as well).

FROM debian:bookworm-slim AS build
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        g++ cmake ninja-build pkg-config libuv1-dev libfmt-dev libjemalloc-dev liblzf-dev libssl-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY CMakeLists.txt ./
COPY src src
RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DPINYON_TESTS=OFF -DPINYON_UNITY=ON \
    && cmake --build /build --target pinyon-server pinyon-check
COPY conf conf
RUN { cat conf/pinyon.conf; printf '\n# For the container; see the Dockerfile.\nbind * -::*\nprotected-mode no\ndir /data\n'; } \
    > /build/pinyon.conf

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libuv1 libfmt9 libjemalloc2 liblzf1 libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 999 pinyon \
    && useradd --system --uid 999 --gid pinyon --home-dir /data --shell /usr/sbin/nologin pinyon \
    && install -d -o pinyon -g pinyon -m 750 /data
COPY --from=build /build/pinyon-server /build/pinyon-check /usr/local/bin/
COPY --from=build /build/pinyon.conf /etc/pinyon/pinyon.conf
COPY LICENSE /usr/share/doc/pinyon/copyright

USER pinyon
WORKDIR /data
VOLUME /data
EXPOSE 6379
STOPSIGNAL SIGTERM
# A server that wants a password (-NOAUTH) is healthy; one that still loads (-LOADING) is not yet. Set
# PINYON_PORT when the server is told to listen elsewhere.
ENV PINYON_PORT=6379
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$PINYON_PORT && printf 'PING\\r\\n' >&3 && read -r -t 2 line <&3 && [[ $line == +PONG* || $line == -NOAUTH* ]]"]
ENTRYPOINT ["pinyon-server", "/etc/pinyon/pinyon.conf"]
