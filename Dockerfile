FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml ./
RUN npx --yes bun@1.4.5 install --frozen-lockfile
COPY tsconfig.json ./
COPY src src
COPY plugins plugins
COPY db db
RUN node_modules/.bin/bun run build && install -d -m 700 /image/data && install -D dist/posthouse /image/usr/local/bin/posthouse

# glibc and nothing else, no shell: the executable brings the rest with it.
FROM gcr.io/distroless/base-nossl-debian12:nonroot
COPY --from=build --chown=nonroot:nonroot /image/ /
ENV HOST=0.0.0.0 PORT=5110 DATA_DIR=/data
VOLUME /data
EXPOSE 5110
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/posthouse", "health"]
ENTRYPOINT ["/usr/local/bin/posthouse"]
CMD ["serve"]
