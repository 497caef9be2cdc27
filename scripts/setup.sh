#!/usr/bin/env bash
# Makes the environment: system packages that are missing (Debian and its kin), .venv, the pinned constraints.
# Works as root or with sudo; otherwise it prints the line to run. `make setup` calls it.
set -euo pipefail

PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"
PIP_ARGS="${PIP_ARGS:-}"

# What napari and Xvfb need on a bare Debian; the library and the command line need none of it.
SCREEN_PACKAGES=(xvfb xauth libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0
    libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libgssapi-krb5-2)

# What .venv takes, with torch's build for CPUs and what pip unpacks on the way; builds for GPUs take more.
ROOM_MB=4000

say() { printf '[setup] %s\n' "$*"; }

missing_packages() {
    local package status
    for package in "$@"; do
        # newer releases call some of them NAMEt64
        status="$(dpkg-query -W -f='${Status}\n' "$package" "${package}t64" 2>/dev/null || true)"
        case "$status" in
            *"install ok installed"*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

# Installs the packages named; 1 when that is not possible (and says which line would do it).
apt_install() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            as_root=(sudo)
        else
            say "these system packages are missing and only an administrator can install them; run:"
            say "    sudo apt-get update && sudo apt-get install --yes --no-install-recommends $*"
            return 1
        fi
    fi
    say "installing system packages: $*"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@" >/dev/null
}

ensure_packages() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: install by hand what napari needs to open a window (on Linux: Xvfb, OpenGL, xcb)"
        return 0
    fi
    local missing
    missing="$(missing_packages "${SCREEN_PACKAGES[@]}")"
    if [ -z "$missing" ]; then
        say "system packages: all there"
    else
        # shellcheck disable=SC2086  # a list of words
        apt_install $missing || say "going on without them: tests that open napari will be skipped"
    fi
}

# A set-up that was interrupted, or a Python without its venv module, leaves an environment without pip.
environment_works() {
    [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -m pip --version >/dev/null 2>&1
}

ensure_python() {
    if ! command -v "$PYTHON" >/dev/null; then
        say "there is no '$PYTHON': install Python 3.11 or newer, or name one with PYTHON=..."
        exit 1
    fi
    if ! "$PYTHON" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
        say "'$PYTHON' is $("$PYTHON" --version), Python 3.11 or newer is needed: name one with PYTHON=..."
        exit 1
    fi
    if ! environment_works && ! "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null; then
        local package
        package="python$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        say "'$PYTHON' cannot make environments: it lacks its venv module"
        if ! command -v apt-get >/dev/null || ! apt_install "$package"; then
            exit 1
        fi
    fi
}

# pip says late, and at length, that a disk is full
ensure_room() {
    local free
    { read -r _; read -r _ _ _ free _; } < <(df -Pk .)
    if [ "$free" -lt $((ROOM_MB * 1024)) ]; then
        say "the environment takes $ROOM_MB MB and the disk of $PWD has $((free / 1024)) MB free: make room there, then run this again"
        exit 1
    fi
}

ensure_environment() {
    if ! environment_works; then
        ensure_room
        say "making $VENV"
        "$PYTHON" -m venv "$VENV"
    fi
    say "installing Python packages (the first time takes some minutes)"
    # shellcheck disable=SC2086  # a list of words
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check $PIP_ARGS -c constraints.txt -e '.[napari,stain,dev]'
    # staintools asks for `spams`, which does not build; spams-bin (extra "stain") stands in for it
    # shellcheck disable=SC2086
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check $PIP_ARGS -c constraints.txt --no-deps staintools
}

ensure_python
ensure_packages
ensure_environment
say "ready: $VENV/bin/c2lst --help"
