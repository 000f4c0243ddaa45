#!/bin/sh
# Time of a `renew` that finds everything in order: what the daily look costs, and every hook that is
# called for a certificate that is known.
#
#   cargo dist-build && sh benches/renew.sh
#
# BIN   the program (target/*/dist/jitsi-install: statically linked, as packages carry it)
# RUNS  runs of which the median is taken (101)
# MOST  milliseconds that the median may be (20); above: exit 1
set -eu
LC_ALL=C
export LC_ALL

BIN=${BIN:-$(echo target/*/dist/jitsi-install)}
RUNS=${RUNS:-101}
MOST=${MOST:-20}

for program in "$BIN" openssl python3; do
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
"$BIN" renew --family debian --root root --site "$site" 2>&1 | grep -q "nothing to do" || {
    echo "FAILED: a renew after an apply has something to do" >&2
    exit 1
}

exec python3 - "$BIN" "$site" "$RUNS" "$MOST" <<'PY'
import os, statistics, sys, time

binary, site, runs, most = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
renew = [binary, "renew", "--quiet", "--family", "debian", "--root", "root", "--site", site]

def once():
    begun = time.perf_counter()
    # posix_spawn rather than subprocess: less of python's own time in the figure.
    pid = os.posix_spawnp(renew[0], renew, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status = os.waitpid(pid, 0)
    assert status == 0, renew
    return (time.perf_counter() - begun) * 1000

figures = [once() for _ in range(runs)]
median = statistics.median(figures)
print(f"{runs} runs, load {open('/proc/loadavg').read().split()[0]}")
print(f"jitsi-install renew  min {min(figures):6.2f}  median {median:6.2f}  max {max(figures):6.2f} ms")
if median > most:
    sys.exit(f"FAILED: more than {most} ms")
PY
