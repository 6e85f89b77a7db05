#!/usr/bin/env bash
# Installs the programs that the tests speak with, from Debian's packages. The one list of them; test/support/peers.ts
# finds them. Does nothing when all are there. None of these packages starts a service.
set -euo pipefail

packages=(
  python3             # CPython's socket module: client, server, twins of the examples
  netcat-openbsd      # nc
  ncat
  socat
  curl                # telnet://
  iproute2            # ip netns, ss
  nftables            # connections that a firewall redirects: SO_ORIGINAL_DST
  iputils-ping        # ping
  tcpdump             # filters and packets in words
  tshark              # captures as files
  systemd             # systemd-socket-activate and systemd-notify, which need no running systemd
  bsdutils            # logger
  wrk                 # HTTP: many connections at once, and the load of benchmarks
  nginx-light         # HTTP: another reading of the same bytes, a proxy before our servers
  haproxy             # the PROXY protocol's own program
  openssl             # certificates for it
  redis-server        # ioredis over our streams
  python3-aiosmtpd    # nodemailer over our streams
  python3-websockets  # WebSocket, both sides
  chromium            # a browser: pages, WebSocket, EventSource
  nats-server         # topics across machines
  build-essential     # node-gyp; its gcc brings AddressSanitizer
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && { echo "peers: all present"; exit 0; }

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
echo "peers: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
