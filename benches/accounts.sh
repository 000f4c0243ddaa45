#!/bin/sh
# What the account service costs: cold start, memory, pages per second with CPU per request, and
# forms during a storm of sign-ins. Rates are as the machine allows; the CPU per request says what
# they would be without neighbours.
#
#   cargo build --profile dist --no-default-features --features accounts && sh benches/accounts.sh
#
# BIN      the program (target/dist/jitsi-accounts, or target/*/dist)
# SECONDS_EACH  how long each page is asked for (5)
# FORM     CPU in µs that the register form may take (150); above: exit 1
# ACCOUNT  CPU in µs that the account page may take (300); above: exit 1
# START    ms from start to the first answer, the fastest of ten (50); above: exit 1
# IDLE     kB in memory before the first request (25600); above: exit 1
#
# It takes wrk, curl, python3 and base64.
set -eu
LC_ALL=C
export LC_ALL

target=${CARGO_TARGET_DIR:-target}
if [ -z "${BIN:-}" ]; then
    for BIN in "$target"/*/dist/jitsi-accounts "$target"/dist/jitsi-accounts; do
        [ ! -x "$BIN" ] || break
    done
fi
EACH=${SECONDS_EACH:-5} FORM=${FORM:-150} ACCOUNT=${ACCOUNT:-300} START=${START:-50} IDLE=${IDLE:-25600}

skip() { echo "SKIPPED: $1" >&2; exit 77; }
for program in "$BIN" wrk curl python3 base64; do
    command -v "$program" >/dev/null 2>&1 || skip "\`$program\` is missing"
done

work=$(mktemp -d)
pid=
# shellcheck disable=SC2317 # called by the trap
ended() { [ -z "$pid" ] || kill "$pid" 2>/dev/null || :; rm -rf "$work"; }
trap ended EXIT
trap 'exit 1' INT TERM

free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
web=$(free) internal=$(free)
(umask 077; head -c 32 /dev/urandom | base64 >"$work/key"; echo secret-of-prosody >"$work/prosody")
cat >"$work/accounts.toml" <<EOF
schema = 1
public_url = "http://127.0.0.1:$web/accounts"
listen = "127.0.0.1:$web"
internal = "127.0.0.1:$internal"
database = "sqlite:$work/accounts.sqlite"
key_file = "$work/key"
[registration]
mode = "open"
[prosody]
secret_file = "$work/prosody"
EOF
export JITSI_ACCOUNTS_CONFIG="$work/accounts.toml"
# An account whose password was hashed elsewhere: `a quiet word`.
python3 - >"$work/people.csv" <<'EOF'
import base64, hashlib
word = base64.b64encode(hashlib.pbkdf2_hmac("sha256", b"a quiet word", b"salt", 1000)).decode()
print("login,email,password")
print(f"ann,ann@example.org,pbkdf2_sha256$1000$salt${word}")
EOF
"$BIN" import csv "$work/people.csv" >/dev/null

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
bad=0
least() { # name, figure, limit, unit
    if [ "$2" -gt "$3" ]; then echo "$1: $2 $4 is above $3 $4" >&2; bad=1; fi
}

echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"

fastest=$(python3 - "$BIN" "$internal" <<'EOF'
import socket, subprocess, sys, time
best = 9999.0
for _ in range(10):
    begun = time.monotonic()
    child = subprocess.Popen([sys.argv[1], "serve"], stderr=subprocess.DEVNULL)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as line:
                line.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in line.recv(100):
                    break
        except OSError:
            pass
        time.sleep(0.0005)
    best = min(best, (time.monotonic() - begun) * 1000)
    child.terminate()
    child.wait()
print(round(best))
EOF
)
echo "cold start: $fastest ms to a database that answers"
least "cold start" "$fastest" "$START" ms

"$BIN" serve 2>>"$work/log" &
pid=$!
until curl -sf "http://127.0.0.1:$internal/readyz" >/dev/null; do sleep 0.05; done
idle=$(resident)
echo "idle: $idle kB"
least idle "$idle" "$IDLE" kB

cookie=$(curl -s -o /dev/null -D - -H "Origin: http://127.0.0.1:$web" --data-urlencode name=ann \
    --data-urlencode 'password=a quiet word' "http://127.0.0.1:$web/accounts/sign-in" |
    sed -n 's/^set-cookie: \([^;]*\).*/\1/Ip' | paste -sd';' -)
[ -n "$cookie" ] || { echo "nobody could sign in" >&2; exit 1; }

# Asks for a page and sets `micros` to its CPU time in µs and `p99` to its 99th percentile.
page() { # name, path, header
    before=$(ticks)
    wrk -t1 -c16 -d"${EACH}s" --latency ${3:+-H "$3"} "http://127.0.0.1:$web$2" >"$work/wrk"
    after=$(ticks)
    if grep -q 'Non-2xx' "$work/wrk"; then echo "$1: $(grep Non-2xx "$work/wrk")" >&2; exit 1; fi
    count=$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' "$work/wrk")
    rate=$(sed -n 's/^Requests.sec: *//p' "$work/wrk")
    p99=$(sed -n 's/^ *99% *//p' "$work/wrk")
    micros=$(((after - before) * 1000000 / $(getconf CLK_TCK) / count))
    echo "$1: $rate a second, p99 $p99, $micros µs of CPU each"
}
page "register form" /accounts/sign-up ""
least "register form" "$micros" "$FORM" µs
page "account page" /accounts/account "Cookie: $cookie"
least "account page" "$micros" "$ACCOUNT" µs
echo "under load: $(resident) kB"
page "sign-in form" /accounts/sign-in ""
quiet=$p99

cat >"$work/storm.lua" <<'EOF'
local n = 0
request = function()
    n = n + 1
    return wrk.format("POST", "/prosody/password", {["Authorization"] = "Bearer secret-of-prosody"},
        '{"username":"nobody' .. n .. '","password":"wrong"}')
end
EOF
wrk -t1 -c20 -d"$((EACH + 2))s" -s "$work/storm.lua" "http://127.0.0.1:$internal" >"$work/storm" &
storm=$!
sleep 1
page "sign-in form during a storm of sign-ins" /accounts/sign-in ""
wait "$storm" || :
echo "storm: $(sed -n 's/^Requests.sec: *//p' "$work/storm") questions a second; quiet p99 $quiet, in the storm $p99; $(resident) kB"
exit "$bad"
