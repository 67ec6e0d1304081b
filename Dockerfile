# Three images of one build: `--target dashboard` (the default), `consumer`, `producer`. None runs as root or writes
# outside /tmp and the folders mounted at /cache and /state, so each runs with a read-only root file system.
FROM python:3.12-slim AS build
WORKDIR /source
RUN python -m venv /opt/loglake
ENV PATH=/opt/loglake/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY constraints.txt setup.cfg pyproject.toml README.md LICENSE loglake.py ./
COPY catalog catalog
COPY cloudformation cloudformation
COPY consumer consumer
COPY dashboard dashboard
COPY firehose firehose
COPY glue_streaming glue_streaming
COPY localcloud localcloud
COPY producer producer
RUN pip install --constraint constraints.txt '.[dashboard]'

# The KCL's daemon needs a JVM and the jars that its package fetches while it is installed.
FROM build AS kcl
RUN pip install --constraint constraints.txt '.[kcl]'

FROM python:3.12-slim AS base
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin loglake \
    && install --directory --owner loglake --mode 1777 /tmp \
    && install --directory --owner loglake /cache /state
# A task's mounts belong to root and are closed to others unless the image declares these very paths as volumes.
VOLUME ["/tmp", "/cache", "/state"]
ENV PATH=/opt/loglake/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001
WORKDIR /state
ENTRYPOINT ["loglake"]

FROM base AS producer
COPY --from=build /opt/loglake /opt/loglake
CMD ["produce", "--to", "kinesis", "--rate", "200", "--ledger", "/state/ledger"]

FROM base AS consumer
COPY --from=kcl /opt/loglake /opt/loglake
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD ["python", "-c", "import os, sys, time; sys.exit(time.time() - os.stat('/state/health.json').st_mtime > 60)"]
CMD ["consume", "--engine", "kcl", "--health-file", "/state/health.json"]

FROM base AS dashboard
COPY --from=build /opt/loglake /opt/loglake
EXPOSE 8050
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8050/healthz', timeout=4)"]
CMD ["dashboard", "--host", "0.0.0.0", "--cache-dir", "/cache", "--state-dir", "/state"]
