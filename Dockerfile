# promptcc in a small image: one stage builds it, the other runs it without root
# rights.
FROM debian:12-slim AS build
RUN apt-get update -q && apt-get install -y -q --no-install-recommends \
    gcc libc6-dev cmake ninja-build pkg-config libzmq3-dev \
    libcurl4-openssl-dev libmsgpack-dev libsqlite3-dev libfyaml-dev \
    libjansson-dev libsodium-dev libpcre2-dev libmicrohttpd-dev libutf8proc-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release -B /build -DPROMPTCC_TESTS=OFF \
    -DPROMPTCC_BENCH=OFF \
    && cmake --build /build --target promptcc \
    && strip /build/cli/promptcc

FROM debian:12-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends \
    libzmq5 libcurl4 libmsgpackc2 libsqlite3-0 libfyaml0 libjansson4 \
    libsodium23 libpcre2-8-0 libmicrohttpd12 libutf8proc2 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --create-home promptcc \
    && install -d -o promptcc -m 700 /keys
COPY --from=build /build/cli/promptcc /usr/local/bin/promptcc
USER promptcc
WORKDIR /data
ENTRYPOINT ["promptcc"]
CMD ["help"]
