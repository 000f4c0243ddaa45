#!/bin/sh
# Time and memory of a plan that has nothing to do, beside `sha256sum` over the same files, in the
# same run: what an administrator pays for asking "is all as it should be?".
#
#   cargo dist-build && sh benches/plan.sh
#
# BIN    the program (target/*/dist/jitsi-install: statically linked, as packages carry it)
# RUNS   runs of which the median is taken (101)
# RATIO  how many times slower it may be at the most (3); above: exit 1
# PEAK   memory in kB that it may take at the most (30000); above: exit 1
set -eu
LC_ALL=C
export LC_ALL

BIN=${BIN:-$(echo target/*/dist/jitsi-install)}
RUNS=${RUNS:-101}
RATIO=${RATIO:-3}
PEAK=${PEAK:-30000}

for program in "$BIN" openssl sha256sum python3; do
    command -v "$program" >/dev/null 2>&1 || { echo "SKIPPED: \`$program\` is missing" >&2; exit 77; }
done
case $BIN in
    /*) ;;
    */*) BIN=$(pwd)/$BIN ;;
esac
site=$(pwd)/examples/full.toml

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
cd "$work"

# examples/full.toml has its certificate from acme.sh: a folder as acme.sh leaves it.
home=root/root/.acme.sh/meet.example.org_ecc
mkdir -p "$home"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=meet.example.org \
    -addext subjectAltName=DNS:meet.example.org -keyout key.pem -out "$home/fullchain.cer" 2>/dev/null
openssl ec -in key.pem -out "$home/meet.example.org.key" 2>/dev/null

# The secrets that it names.
mkdir -p root/etc/jitsi-install
(
    umask 077
    for secret in database.password reader.password smtp.password webhook.key; do
        openssl rand -base64 33 >"root/etc/jitsi-install/$secret"
    done
)

"$BIN" apply --yes --quiet --family debian --root root --site "$site" >/dev/null
"$BIN" plan --quiet --exit-code --family debian --root root --site "$site" >/dev/null || {
    echo "FAILED: a plan after an apply has something to do" >&2
    exit 1
}
find root -type f -not -path 'root/var/lib/jitsi-install/*' -not -path 'root/root/*' >files

exec python3 - "$BIN" "$site" "$RUNS" "$RATIO" "$PEAK" <<'PY'
import os, resource, statistics, subprocess, sys, time

binary, site, runs, ratio, peak = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
files = open("files").read().split("\n")[:-1]
plan = [binary, "plan", "--quiet", "--family", "debian", "--root", "root", "--site", site]
sums = ["sha256sum", "--", *files]

def once(command):
    begun = time.perf_counter()
    # posix_spawn rather than subprocess: less of python's own time in the figure.
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, command
    return (time.perf_counter() - begun) * 1000, usage.ru_maxrss

pairs = [(once(sums), once(plan)) for _ in range(runs)]
theirs = [pair[0][0] for pair in pairs]
ours = [pair[1][0] for pair in pairs]
memory = max(pair[1][1] for pair in pairs)
quotient = statistics.median(ours) / statistics.median(theirs)
print(f"{len(files)} files, {runs} runs by turns, load {open('/proc/loadavg').read().split()[0]}")
for name, figures in (("sha256sum", theirs), ("jitsi-install plan", ours)):
    print(f"{name:<20} min {min(figures):6.2f}  median {statistics.median(figures):6.2f}  max {max(figures):6.2f} ms")
print(f"ratio of the medians {quotient:.2f}; peak memory {memory} kB")
if quotient > ratio:
    sys.exit(f"FAILED: more than {ratio} times as slow")
if memory > peak:
    sys.exit(f"FAILED: more than {peak} kB")
PY
