# syntax=docker/dockerfile:1

FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/bot
# The locked packages first: their layer changes only with the lock.
COPY requirements.txt requirements-build.txt ./
RUN pip --python /opt/bot/bin/python install --only-binary=:all: --require-hashes -r requirements.txt \
    && pip install --only-binary=:all: --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md ./
COPY bot ./bot
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/bot/bin/python install --no-deps --no-index /wheels/*.whl


FROM python:3.13-slim
ARG VERSION=dev
LABEL org.opencontainers.image.title="itempath-alert-bot" \
      org.opencontainers.image.description="Watches ItemPath's connections and keeps a Slack channel true" \
      org.opencontainers.image.version="${VERSION}"

# Nothing is installed in a running container. The bot writes to /data alone (and SQLite, now and then, to /tmp), so the
# root file system may be read-only.
RUN pip uninstall --yes --root-user-action=ignore pip \
    && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=build /opt/bot /opt/bot

ENV PATH=/opt/bot/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BOT_LISTEN=0.0.0.0:8080 \
    BOT_DATABASE_URL=sqlite:////data/bot.db

# A configuration file is found at /app/config/bot.toml, if one is mounted there.
WORKDIR /app
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-m", "bot.healthcheck"]
ENTRYPOINT ["itempath-bot"]
CMD ["run"]
