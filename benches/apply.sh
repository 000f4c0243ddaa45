#!/bin/sh
# What an apply costs on a real Debian, booted in a container:
# a first one, from the bare system: the part of its time outside package manager and services, by
# its own events (`--json`); and one that has nothing to do: its CPU time with all its
# children, beside `ansible-playbook` with the same packages, people, folders, files, links and
# services, in the same run.
#
#   cargo dist-build && sh benches/apply.sh
#
# BIN      the program (target/*/dist/jitsi-install)
# RUNS     runs of which the median is taken (5)
# CPU      CPU time in ms that an apply with nothing to do may take at the most (150); above: exit 1
# SHARE    per cent of a first apply's time that may be our own (5); above: exit 1
# ANSIBLE  a folder with ansible-core, for the Python of Debian 13 (target/ansible; filled by pip where it is missing)
#
# The container is that of `tests/booted/`, and needs what that needs.
set -eu
LC_ALL=C
export LC_ALL

target=${CARGO_TARGET_DIR:-target}
BIN=${BIN:-$(echo "$target"/*/dist/jitsi-install)}
RUNS=${RUNS:-5}
CPU=${CPU:-150}
SHARE=${SHARE:-5}
ANSIBLE=${ANSIBLE:-$target/ansible}

skip() { echo "SKIPPED: $1" >&2; exit 77; }
for program in "$BIN" cargo debootstrap systemd-nspawn; do
    command -v "$program" >/dev/null 2>&1 || skip "\`$program\` is missing"
done
[ "$(id -u)" = 0 ] || skip "it takes root"
if [ ! -d "$ANSIBLE" ]; then
    rm -rf "$ANSIBLE.new"
    python3 -m pip install --quiet --target "$ANSIBLE.new" --python-version 3.13 --only-binary=:all: \
        --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 ansible-core || skip "pip has no ansible-core"
    mv "$ANSIBLE.new" "$ANSIBLE"
fi
BIN=$(realpath "$BIN")
ANSIBLE=$(realpath "$ANSIBLE")
export BIN RUNS CPU SHARE ANSIBLE

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' HUP INT TERM
cargo test --quiet --test booted -- --ignored --exact bench::apply --nocapture >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
echo "load $(cut -d' ' -f1 /proc/loadavg)"
sed -n '/^a first apply/p; /^an apply/,/^  ratio/p' "$log"
