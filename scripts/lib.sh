# Shared by the scripts of this folder; source it from bash with `set -euo pipefail` on.
# It sets ROOT (the repository) and JOBS (parallel compiles), and never changes the caller's working folder.
# shellcheck shell=bash

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
JOBS="${JOBS:-$(nproc 2>/dev/null || echo 2)}"

say() { printf '%s\n' "== $*" >&2; }
die() {
  printf '%s\n' "error: $*" >&2
  exit 1
}

# What the server itself needs. An entry is a Debian package, or `command:package` where any provider of the command
# will do.
# shellcheck disable=SC2034
BUILD_PACKAGES=(g++:g++ cmake:cmake ninja:ninja-build pkg-config:pkg-config libuv1-dev libfmt-dev libjemalloc-dev liblzf-dev libssl-dev)

# missing_packages ENTRY...: prints the packages that are not installed, one a line. One dpkg-query for all of them,
# because this runs before every start.
missing_packages() {
  local entry packages=() installed package
  for entry in "$@"; do
    case "$entry" in
      *:*) command -v "${entry%%:*}" >/dev/null 2>&1 || packages+=("${entry#*:}") ;;
      *) packages+=("$entry") ;;
    esac
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  # shellcheck disable=SC2016
  installed="$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)"
  for package in "${packages[@]}"; do
    grep -qx "$package installed" <<<"$installed" || printf '%s\n' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo: $*"
  fi
}

# Packages that bring a service must not start it (redis-server would take port 6379): maintainer scripts ask
# /usr/sbin/policy-rc.d, and 101 means "not now". A policy that is there already is left alone.
POLICY_FILE=/usr/sbin/policy-rc.d
forbid_service_starts() {
  [ -e "$POLICY_FILE" ] && return 0
  trap allow_service_starts EXIT
  printf '#!/bin/sh\n# temporary, by pinyon scripts/lib.sh\nexit 101\n' | as_root tee "$POLICY_FILE" >/dev/null
  as_root chmod 755 "$POLICY_FILE"
}
allow_service_starts() {
  if grep -qs 'pinyon scripts/lib.sh' "$POLICY_FILE"; then as_root rm -f "$POLICY_FILE"; fi
  trap - EXIT
}

# apt_get ARGUMENT...: quiet unless it fails.
apt_get() {
  local log status=0
  log="$(mktemp)"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# install_packages ENTRY...: installs what is missing, and nothing when nothing is. The package lists are refreshed
# only when they do not know a package, or are too old to fetch it.
install_packages() {
  command -v dpkg-query >/dev/null 2>&1 || return 0 # not a Debian: the build will say what it lacks
  local missing package fresh=no
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  forbid_service_starts
  for package in "${missing[@]}"; do
    if [ "$fresh" = no ] && ! apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
      apt_get update || die "apt-get update failed"
      fresh=yes
    fi
  done
  if ! apt_get install --no-install-recommends "${missing[@]}"; then
    [ "$fresh" = no ] || die "could not install ${missing[*]}"
    say "refreshing the package lists and trying again"
    apt_get update || die "apt-get update failed"
    apt_get install --no-install-recommends "${missing[@]}" || die "could not install ${missing[*]}"
  fi
  case " ${missing[*]} " in
    *" redis-server "*) disable_packaged_redis ;;
  esac
  allow_service_starts
}

# The package also enables its service for the next boot.
disable_packaged_redis() {
  if command -v systemctl >/dev/null 2>&1; then
    as_root systemctl disable redis-server >/dev/null 2>&1 || true
  elif command -v update-rc.d >/dev/null 2>&1; then
    as_root update-rc.d redis-server disable >/dev/null 2>&1 || true
  fi
}

# cached_setting FOLDER NAME: a value from a build folder's cache, empty when there is none.
cached_setting() { sed -n "s/^$2:[A-Z]*=//p" "$1/CMakeCache.txt" 2>/dev/null || true; }

# configure FOLDER ARGUMENT...: runs cmake over ROOT. A folder that was configured for another place (the repository
# has moved) starts anew. Quiet unless it fails.
configure() {
  local folder="$1" home log launcher=()
  shift
  home="$(cached_setting "$folder" CMAKE_HOME_DIRECTORY)"
  [ -z "$home" ] || [ "$home" = "$ROOT" ] || rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"
  # The generator of an existing folder cannot change; Ninja is the one for a new folder.
  if [ ! -e "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then launcher+=(-G Ninja); fi
  if command -v ccache >/dev/null 2>&1; then
    launcher+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    # With precompiled headers it caches nothing otherwise; no source asks for the time of its compilation.
    export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros}"
  fi
  mkdir -p "$folder"
  log="$folder/configure.log"
  cmake -S "$ROOT" -B "$folder" "${launcher[@]}" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "cmake could not configure $folder"
  }
}

# build FOLDER TARGET...: everything goes to standard error, so that standard output stays the caller's.
build() {
  local folder="$1"
  shift
  cmake --build "$folder" --parallel "$JOBS" --target "$@" >&2 || die "the build in $folder failed"
}
