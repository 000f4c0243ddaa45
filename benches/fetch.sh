#!/bin/sh
# Speed and memory of fetching a source into the cache, hash and all, beside `curl` and `sha256sum`, in
# the same run, from a server on this machine.
#
#   cargo dist-build && sh benches/fetch.sh
#
# BIN    the program (target/*/dist/jitsi-install: statically linked, as packages carry it)
# SIZE   megabytes of the file (256)
# RUNS   runs of each of which the median is taken (9)
# SPEED  megabytes for each second of one processor that it must come to at the least (500); below: exit 1.
#        Receiving and hashing run side by side, so that an idle machine is faster than that, and a busy
#        one is not blamed on the program
# RATIO  how many times faster than curl and sha256sum it must be by the clock (1.2); below: exit 1
# PEAK   memory in kB that it may take at the most (40000); above: exit 1
#
# The server is nginx, which sends files by sendfile(2). With several files at once the disk is the limit.
set -eu
LC_ALL=C
export LC_ALL

BIN=${BIN:-$(echo target/*/dist/jitsi-install)}
SIZE=${SIZE:-256}
RUNS=${RUNS:-9}
SPEED=${SPEED:-500}
RATIO=${RATIO:-1.2}
PEAK=${PEAK:-40000}

PATH=$PATH:/usr/local/sbin:/usr/sbin
for program in "$BIN" nginx curl sha256sum python3; do
    command -v "$program" >/dev/null 2>&1 || { echo "SKIPPED: \`$program\` is missing" >&2; exit 77; }
done
case $BIN in
    /*) ;;
    */*) BIN=$(pwd)/$BIN ;;
esac
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
chmod 755 "$work"
cd "$work"

mkdir files logs root
head -c "$((SIZE * 1000000))" /dev/urandom >files/source.tar.gz
chmod -R a+rX files
sum=$(sha256sum files/source.tar.gz | cut -d' ' -f1)
cat >catalogue.toml <<TOML
schema = 1
[upstream]
index = "https://upstream.invalid/stable/"
key = "https://upstream.invalid/key"
fingerprint = "0000000000000000000000000000000000000000"
metapackage = "jitsi-meet"
[[piece]]
name = "source"
summary = "a large file"
description = "A large file."
licence = "MIT"
copyright = "nobody"
homepage = "https://upstream.invalid/"
style = "archive"
place = [{ from = "a", to = "usr/share/a" }]
[[piece.release]]
version = "1.0"
time = 1780000000
source = [{ url = "https://upstream.invalid/source.tar.gz", sha256 = "$sum", size = $((SIZE * 1000000)), record = "computed" }]
TOML

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >nginx.conf <<CONF
daemon off;
worker_processes 2;
pid $work/nginx.pid;
error_log $work/logs/error;
events {}
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path $work/logs/body;
    proxy_temp_path $work/logs/proxy;
    fastcgi_temp_path $work/logs/fastcgi;
    uwsgi_temp_path $work/logs/uwsgi;
    scgi_temp_path $work/logs/scgi;
    server { listen 127.0.0.1:$port; root $work/files; }
}
CONF
nginx -e "$work/logs/error" -c "$work/nginx.conf" 2>logs/start &
server=$!
base=http://127.0.0.1:$port
tries=0
until curl -sfI "$base/source.tar.gz" >/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { cat logs/* >&2; exit 1; }
    sleep 0.1
done

python3 - "$BIN" "$base" "$SIZE" "$RUNS" "$SPEED" "$PEAK" "$RATIO" "$sum" <<'PY'
import os, statistics, subprocess, sys, time

binary, base, ratio, sum = sys.argv[1], sys.argv[2], float(sys.argv[7]), sys.argv[8]
size, runs, speed, peak = (int(word) for word in sys.argv[3:7])
cached = "root/var/cache/jitsi-install/sources/source.tar.gz"
fetch = [binary, "package", "fetch", "--quiet", "--root", "root", "--catalogue", "catalogue.toml", "--from", base]
theirs = ["sh", "-c", f"curl -s -o theirs {base}/source.tar.gz && sha256sum theirs"]

def once(command, gone):
    if os.path.exists(gone):
        os.remove(gone)
    begun = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, command
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss

once(fetch, cached), once(theirs, "theirs")
assert subprocess.run(["sha256sum", cached], capture_output=True, text=True, check=True).stdout.split()[0] == sum
ours_times, work, theirs_times, again, memory = [], [], [], [], 0
for _ in range(runs):
    # By turns, so that whatever else the machine does falls upon both.
    taken, worked, used = once(fetch, cached)
    ours_times.append(taken)
    work.append(worked)
    memory = max(memory, used)
    theirs_times.append(once(theirs, "theirs")[0])
    again.append(once(fetch, "nothing")[0])
ours, worked, them, offline = (statistics.median(times) for times in (ours_times, work, theirs_times, again))
print(f"median of {runs} runs, {size} MB, load {open('/proc/loadavg').read().split()[0]}")
print(f"fetch, hashed on the way    {ours * 1000:6.0f} ms {size / ours:6.0f} MB/s   (best {size / min(ours_times):.0f} MB/s)")
print(f"  its processor time        {worked * 1000:6.0f} ms {size / worked:6.0f} MB/s")
print(f"curl, then sha256sum        {them * 1000:6.0f} ms {size / them:6.0f} MB/s")
print(f"fetch of what is there      {offline * 1000:6.0f} ms {size / offline:6.0f} MB/s")
print(f"peak memory {memory} kB")
failed = []
if size / worked < speed:
    failed.append(f"slower than {speed} MB/s of processor time")
if them / ours < ratio:
    failed.append(f"less than {ratio} times faster than curl and sha256sum")
if memory > peak:
    failed.append(f"more than {peak} kB")
for why in failed:
    print(f"FAILED: {why}", file=sys.stderr)
sys.exit(1 if failed else 0)
PY
