# syntax=docker/dockerfile:1
# One image for `serve` and `work`. Build: docker build -t issue-tagger .

FROM python:3.11-slim AS build
# PyPI's torch brings CUDA along, some 2 GB that a service on CPUs never uses.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/issue-tagger
ENV PATH=/opt/issue-tagger/bin:$PATH
WORKDIR /src
# The dependencies alone first: a change of our own code then reuses this layer.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > dependencies.txt \
    && pip install --extra-index-url "$TORCH_INDEX" -c constraints.txt -r dependencies.txt
COPY README.md ./
COPY bot bot
COPY tagger tagger
COPY store store
COPY migrations migrations
RUN pip install --no-deps .

FROM python:3.11-slim
LABEL org.opencontainers.image.title="issue-tagger" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --create-home tagger \
    && install --directory --owner tagger --group tagger /data
COPY --from=build /opt/issue-tagger /opt/issue-tagger
# Models that are fetched from the hub lie beside the data, so that they outlive the container.
ENV PATH=/opt/issue-tagger/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/data/models \
    ISSUE_TAGGER_DATA_DIR=/data \
    ISSUE_TAGGER_HOST=0.0.0.0 \
    ISSUE_TAGGER_PORT=8000 \
    ISSUE_TAGGER_LOG_FORMAT=json
USER tagger
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"ISSUE_TAGGER_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["issue-tagger"]
CMD ["serve"]
