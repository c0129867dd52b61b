#!/bin/sh
# install.sh PYTHON VENV LOCK: a virtual environment with what LOCK lists, hashes checked.
#
# uv installs in seconds what takes pip minutes, so pip only fetches uv itself, as locked; where uv fails, pip does it all.
set -eu
python=$1
venv=$2
lock=$3

say() { printf '%s\n' "$*" >&2; }

make_venv() {
    command -v "$python" >/dev/null || { say "There is no $python here: install Python 3.11 or later."; exit 2; }
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say "Python 3.11 or later is needed; $python is $("$python" -V 2>&1). Try: make run PYTHON=python3.12"
        exit 2
    }
    say "Making $venv with $("$python" -V 2>&1)"
    "$python" -m venv --clear "$venv" || {
        rm -rf "$venv"
        say "$python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"
        exit 2
    }
}

# The lines of uv: from its name to the first that does not go on.
lock_of_uv() { awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements.txt; }

# pip's settings name the index of this machine; uv does not read them.
index_of_pip() { printf '%s' "${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}"; }

install_with_uv() {
    if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
        lock_of_uv >"$venv/uv.txt"
        "$venv/bin/python" -m pip install --disable-pip-version-check --require-hashes --no-deps -r "$venv/uv.txt" || return 1
    fi
    index=$(index_of_pip)
    if [ -n "$index" ]; then
        UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
        export UV_DEFAULT_INDEX
    fi
    "$venv/bin/uv" pip install --no-config --require-hashes --python "$venv/bin/python" -r "$lock"
}

# pip comes last into a new environment, so one that has it was made to the end.
[ -x "$venv/bin/pip" ] && "$venv/bin/python" -c '' 2>/dev/null || make_venv
say "Installing $lock"
install_with_uv || {
    say "uv could not install it; pip takes over, which takes minutes."
    "$venv/bin/python" -m pip install --disable-pip-version-check --require-hashes -r "$lock"
}
