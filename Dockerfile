# The image of the seven services and of the tools around them: one static program on nothing.
#
#   docker build .                                   # the last stage, final: builds the program, too
#   docker build --target prebuilt FOLDER -f Dockerfile
#                                                    # pulls nothing; FOLDER has the program as tracelab, and an empty folder named empty
#
# No CA certificates are in it: the program speaks to nobody outside of the lab's own network, and there in plain text. Time zones
# come from nowhere, either: all times are UTC.
ARG GO_VERSION=1.26.8

# base is what both ways have in common.
FROM scratch AS base
LABEL org.opencontainers.image.title="tracelab" \
      org.opencontainers.image.description="One business flow over calls and messages, with every hop traced and every trace judged" \
      org.opencontainers.image.licenses="Apache-2.0"
# The same as in the images of the collector and of Jaeger. All of them can write into a volume that begins as one of the folders below:
# the collector's queue, and what the services keep of the steps that were done.
USER 10001:10001
ENTRYPOINT ["/tracelab"]
CMD ["--help"]

# prebuilt comes before anything that is pulled: builders without BuildKit build every stage up to the one asked for.
FROM base AS prebuilt
COPY --chown=10001:10001 empty /var/lib/otelcol
COPY --chown=10001:10001 empty /var/lib/tracelab
COPY tracelab /tracelab

FROM golang:${GO_VERSION}-alpine AS build
# The image has no .git: COMMIT=$(git rev-parse HEAD) docker compose build
ARG COMMIT=unreleased
WORKDIR /src
# The nested modules are needed to read go.mod; the workspace is not, and would have its own versions downloaded.
ENV GOWORK=off
COPY go.mod go.sum ./
COPY journey/go.mod journey/go.sum journey/
COPY otelamqp/go.mod otelamqp/go.sum otelamqp/
COPY otelkgo/go.mod otelkgo/go.sum otelkgo/
COPY tracecontext/go.mod tracecontext/go.sum tracecontext/
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.commit=${COMMIT}" -o /tracelab ./cmd/tracelab && mkdir /empty

FROM base AS final
COPY --from=build --chown=10001:10001 /empty /var/lib/otelcol
COPY --from=build --chown=10001:10001 /empty /var/lib/tracelab
COPY LICENSE NOTICE /
COPY --from=build /tracelab /tracelab
