#!/bin/sh
# Installs what the tests need and the machine lacks, where that is allowed: as root, or with sudo that asks nothing.
set -eu

# Servers are where only root looks for them.
PATH="$PATH:/usr/sbin"
packages=
need() { # command, packages
    command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
need node nodejs
need npm npm
need chromium chromium
need cc 'gcc libc6-dev'
# A library has no command: what counts is whether the compiler finds its header.
echo '#include <openssl/ssl.h>' | cc -E - >/dev/null 2>&1 || packages="$packages libssl-dev"
need curl curl
need openssl openssl
need javac default-jdk-headless
need mvn maven
need redis-server redis-server
need nginx nginx-light
need haproxy haproxy
need caddy caddy
need promtool prometheus
need systemd-analyze systemd
if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    packages="$packages postgresql"
fi

[ -n "$packages" ] || exit 0
command -v apt-get >/dev/null 2>&1 || { echo "Please install:$packages" >&2; exit 0; }
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "Please install:$packages" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list on purpose
$as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null
