# The one-machine service: API, storage, queue and worker in one container. Its data are in the volume /data.
#   docker build -f containers/verbatim.Dockerfile -t verbatim .
# With CUDA: --build-arg ENGINE_BASE=nvidia/cuda:12.8.1-devel-ubuntu22.04 --build-arg CUDA_ARCHITECTURES="75;80;86;89;90"

# A Debian 12. Pinned by its date: docs/containers.md says how to pin it by digest, and how to do without a registry.
ARG BASE=debian:bookworm-20251229-slim
# Where the engine is compiled: the stage `tools`, or an image with CUDA's compiler.
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

# Some of the codecs of the decoder for machines without ffmpeg are GPL; here there is ffmpeg (docs/adr/0003-decoding.md).
FROM modules AS slim
RUN --mount=type=secret,id=ca --mount=type=secret,id=npmrc,target=/root/.npmrc \
  . containers/build/trust.sh && \
  npm uninstall --omit=dev --no-save --ignore-scripts --no-audit --no-fund audio-decode && \
  ! ls node_modules/@audio | grep .

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
COPY --from=engine /opt/verbatim /opt/verbatim
WORKDIR /app
COPY --from=slim /build/node_modules node_modules
COPY package.json ./
COPY models/mini/ggml-mini-q5_0.bin models/mini/
COPY lib lib
COPY lambdas lambdas
COPY local local
COPY client-cli client-cli
COPY --chmod=755 containers/verbatim-entry.sh /usr/local/bin/verbatim-entry
# Models that are fetched by name lie with the data; the engine is the image's.
RUN ln -s /data/models /opt/verbatim/models && \
  ln -s /app/client-cli/verbatim.js /usr/local/bin/verbatim && \
  mkdir /data && chown verbatim:verbatim /data
ENV NODE_ENV=production HOME=/tmp \
  VERBATIM_CACHE=/opt/verbatim VERBATIM_DATA=/data VERBATIM_FFMPEG=/usr/local/bin/ffmpeg \
  LD_LIBRARY_PATH=/opt/verbatim/lib \
  NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["verbatim-entry"]
CMD ["--host", "0.0.0.0", "--port", "8787"]
