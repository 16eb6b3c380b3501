#!/usr/bin/env bash
# Installs the Debian packages that `demo` or `test` needs and this machine lacks.
set -euo pipefail
what=${1:?usage: install.sh demo|test}

packages=(qemu-system-x86 busybox-static ca-certificates)
if [ "$what" = test ]; then
	packages+=(gcc libc6-dev git dash bash python3-yaml shellcheck postgresql chromium qemu-utils bats e2fsprogs curl atftp)
fi
command -v npm >/dev/null || packages+=(npm)

missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
# The kernel's package is fetched, not installed: that takes a list of packages too.
[ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2>/dev/null)" ] || lists=missing
if [ ${#missing[@]} -eq 0 ] && [ -z "${lists:-}" ]; then
	exit 0
fi
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
echo "installing: ${missing[*]:-package lists}" >&2
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
"${apt[@]}" update
if [ ${#missing[@]} -gt 0 ]; then
	"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
fi
