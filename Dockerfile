# The page and the command line on a CPU, as an ordinary user:
#   docker build -t vst .                    (all engines: --build-arg EXTRAS=web,tensorflow-cpu)
#   docker run --rm -p 127.0.0.1:7860:7860 vst app
#   docker run --rm -v "$PWD:/videos" vst stylize holiday.mp4 -s @ink-wash -o painted.mp4
# tools/check_container.py runs these steps where there is no container engine; docs/install.md
# describes the image.
FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "uv>=0.9,<1" \
    && python3 -m venv --without-pip /opt/vst
WORKDIR /src
ARG EXTRAS=web
COPY pyproject.toml README.md LICENSE ./
COPY packaging packaging
COPY vst vst
RUN /opt/uv/bin/uv pip install --python /opt/vst/bin/python --no-cache --compile-bytecode \
    --constraint packaging/constraints.txt ".[$EXTRAS]"

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 vst \
    && install --directory --owner=vst /videos
COPY --from=build /opt/vst /opt/vst
ENV PATH=/opt/vst/bin:/usr/bin:/bin \
    VST_HOST=0.0.0.0
USER 1000
WORKDIR /videos
EXPOSE 7860
ENTRYPOINT ["vst"]
CMD ["--help"]
