# Builds Slipway, and an image that runs it. docs/install.md says how.
FROM rust:1.95-bookworm AS build
WORKDIR /slipway
COPY . .
RUN cargo build --release --locked -p slipway && install -D target/release/slipway /out/slipway

FROM debian:bookworm-slim
# pg_dump is for rehearsals on a copy of the schema.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/slipway --create-home slipway
COPY --from=build /out/slipway /usr/local/bin/slipway
USER slipway
VOLUME /var/lib/slipway
EXPOSE 8080
ENTRYPOINT ["slipway"]
CMD ["serve", "--config", "/etc/slipway/slipway.toml"]
