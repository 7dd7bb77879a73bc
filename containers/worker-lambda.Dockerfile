# The worker as a container Lambda, on processors: takes jobs from SQS, brings along its engine, its model and the
# client of Lambda's Runtime API. `cdk deploy` builds it.
#   docker build -f containers/worker-lambda.Dockerfile --build-arg MODEL=large-v3-q5_0 .

# A Debian 12. Pinned by its date: docs/containers.md says how to pin it by digest, and how to do without a registry.
ARG BASE=debian:bookworm-20251229-slim
ARG ENGINE_BASE=tools

# The same stages stand at the head of every Dockerfile here, so they are built once for all of them.
FROM ${BASE} AS tools
WORKDIR /build
COPY containers/build/tools.sh containers/build/trust.sh containers/build/
ARG NPM_REGISTRY
RUN --mount=type=secret,id=ca sh containers/build/tools.sh

FROM tools AS ffmpeg
COPY lib/adapters/audio/ffmpeg.ts lib/adapters/audio/findings.ts lib/adapters/audio/
COPY lib/core/errors.ts lib/core/
COPY containers/build/ffmpeg.sh containers/build/ffmpeg-flags.ts containers/build/
RUN sh containers/build/ffmpeg.sh /opt/ffmpeg

FROM tools AS modules
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=npmrc,target=/root/.npmrc \
  . containers/build/trust.sh && npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${ENGINE_BASE} AS engine
WORKDIR /build
COPY containers/build/tools.sh containers/build/trust.sh containers/build/
RUN --mount=type=secret,id=ca sh containers/build/tools.sh compilers
COPY --from=tools /usr/local/bin/ /usr/local/bin/
COPY --from=tools /usr/local/lib/npm /usr/local/lib/npm
COPY --from=tools /build/package.json ./
COPY --from=modules /build/node_modules/zod node_modules/zod
COPY containers/build/engine.ts containers/build/cuda.cmake containers/build/
COPY lib/core/errors.ts lib/core/
COPY lib/adapters/env.ts lib/adapters/cache.ts lib/adapters/
COPY lib/adapters/whisper lib/adapters/whisper
ARG CUDA_ARCHITECTURES
ENV VERBATIM_CACHE=/opt/verbatim CUDA_ARCHITECTURES=${CUDA_ARCHITECTURES}
RUN --mount=type=secret,id=ca --mount=type=secret,id=npmrc,target=/root/.npmrc \
  . containers/build/trust.sh && \
  if [ -n "$CUDA_ARCHITECTURES" ]; then export CMAKE_TOOLCHAIN_FILE=/build/containers/build/cuda.cmake; fi && \
  node containers/build/engine.ts /opt/verbatim/lib

FROM modules AS program
# With what only building needs; --ignore-scripts, as nothing of it has to be compiled.
RUN --mount=type=secret,id=ca --mount=type=secret,id=npmrc,target=/root/.npmrc \
  . containers/build/trust.sh && npm ci --ignore-scripts --no-audit --no-fund
COPY lib lib
COPY local local
COPY lambdas lambdas
COPY containers containers
RUN node containers/build/bundle.ts containers/lambda/main.ts /app/main.mjs

FROM engine AS model
COPY containers/build/model.ts containers/build/
COPY models/mini/ggml-mini-q5_0.bin models/mini/
ARG MODEL=large-v3-q5_0
ARG VERBATIM_MODEL_URL
RUN --mount=type=secret,id=ca \
  . containers/build/trust.sh && VERBATIM_CACHE=/tmp/cache node containers/build/model.ts "$MODEL" /opt/model.bin && \
  rm -rf /tmp/cache

FROM ${BASE}
# The C++ compiler's runtime for several threads; all else is in the base or brought along.
RUN apt-get update -qq && \
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libgomp1 >/dev/null && \
  rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/*.log /var/log/apt && \
  useradd --system --uid 10001 --user-group --home-dir /tmp --no-create-home verbatim
COPY --from=tools /usr/local/bin/node /usr/local/bin/
COPY --from=tools /usr/local/share/licenses /usr/local/share/licenses
COPY --from=ffmpeg /opt/ffmpeg/ffmpeg /usr/local/bin/
COPY --from=ffmpeg /opt/ffmpeg/LICENSE.ffmpeg /usr/local/share/licenses/ffmpeg/LICENSE
COPY --from=model /opt/model.bin /opt/model.bin
COPY --from=engine /opt/verbatim /opt/verbatim
COPY --chmod=755 containers/worker-entry.sh /usr/local/bin/worker-entry
COPY --from=program /app /app
ARG MODEL=large-v3-q5_0
ENV NODE_ENV=production HOME=/tmp \
  MODEL=${MODEL} MODEL_PATH=/opt/model.bin SCRATCH_DIR=/tmp VERBATIM_FFMPEG=/usr/local/bin/ffmpeg
USER 10001:10001
ENTRYPOINT ["worker-entry"]
CMD ["/app/main.mjs"]
