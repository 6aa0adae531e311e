FROM node:22-bookworm-slim AS assets
WORKDIR /assets
COPY web-assets/package.json web-assets/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
WORKDIR /src/console
COPY console/package.json console/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY console ./
RUN npm run build

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# The tools that make the wheel stay in this stage; what the server imports goes to /opt/skubber. Both before the
# sources: a change of these does not fetch anything anew.
COPY requirements.lock requirements-container.lock ./
RUN python -m venv tools \
    && tools/bin/pip install --require-hashes -r requirements.lock \
    && python -m venv /opt/skubber \
    && /opt/skubber/bin/pip install --require-hashes -r requirements-container.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
COPY --from=assets /assets/node_modules/@microsoft/signalr/dist/browser/signalr.min.js src/skubber/web/assets/vendor/
COPY web-assets/signalr.LICENSE.txt src/skubber/web/assets/vendor/
COPY --from=assets /src/src/skubber/web/assets/console src/skubber/web/assets/console
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/skubber/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/skubber/bin/python -m compileall -q /opt/skubber \
    && /opt/skubber/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Skubber" \
      org.opencontainers.image.description="Self-hosted realtime push: Pusher Channels and a SignalR hub on one port" \
      org.opencontainers.image.licenses="MIT"
# By number: Kubernetes can tell that it is not root only so.
RUN groupadd --gid 10001 skubber \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin skubber \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/skubber /opt/skubber
ENV PATH=/opt/skubber/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SKUBBER_HOST=0.0.0.0 \
    SKUBBER_LOG_FORMAT=json
USER 10001:10001
# skubber.db and skubber.key: nothing else is ever written, the root file system may be read-only.
WORKDIR /data
VOLUME /data
EXPOSE 5187
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('SKUBBER_PORT', '5187') + '/health', timeout=4)"]
ENTRYPOINT ["skubber"]
CMD ["serve"]
