#!/bin/sh
# What an import of Prosody's accounts costs: 100,000 files written beforehand, as Prosody's
# internal storage has them, into SQLite; a second run, which finds everybody there; and, in the
# same run, what it takes a loop in Python only to open and read the same files.
#
#   cargo build --release && sh benches/import.sh
#
# BIN      the program (target/release/jitsi-accounts)
# PEOPLE   how many accounts (100000)
# SECONDS_MOST  seconds that the first import may take at the most (30); above: exit 1
# MEMORY   MiB that it may take at the most (150); above: exit 1
set -eu
LC_ALL=C
export LC_ALL

BIN=${BIN:-${CARGO_TARGET_DIR:-target}/release/jitsi-accounts}
PEOPLE=${PEOPLE:-100000}
SECONDS_MOST=${SECONDS_MOST:-30}
MEMORY=${MEMORY:-150}

skip() { echo "SKIPPED: $1" >&2; exit 77; }
for program in "$BIN" python3; do
    command -v "$program" >/dev/null 2>&1 || skip "\`$program\` is missing"
done
BIN=$(realpath "$BIN")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 - "$PEOPLE" <<'EOF'
import hashlib, os, sys, uuid
os.makedirs("data/meet%2eexample%2eorg/accounts")
for number in range(int(sys.argv[1])):
    key = hashlib.sha1(b"%d" % number).hexdigest()
    with open("data/meet%%2eexample%%2eorg/accounts/user%06d.dat" % number, "w") as file:
        file.write('return {\n\t["stored_key"] = "%s";\n\t["salt"] = "%s";\n\t["server_key"] = "%s";\n\t["iteration_count"] = 10000;\n};\n'
                   % (key, uuid.UUID(int=number), key))
EOF
head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >key
chmod 600 key
cat >accounts.toml <<EOF
schema = 1
public_url = "https://meet.example.org/accounts"
database = "sqlite:$work/accounts.sqlite"
key_file = "$work/key"

[passwords]
scram = ["SHA-1"]
EOF

# Seconds of wall clock and of CPU, and MiB at the most, of a command and its children.
cat >measure.py <<'EOF'
import resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
took = time.monotonic() - began
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.1f %.1f %.0f" % (took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
sys.exit(code)
EOF
cat >read.py <<'EOF'
import os
for folder, _, names in os.walk("data"):
    for name in sorted(names):
        with open(os.path.join(folder, name)) as file:
            dict(line.strip("\t;\n").split(" = ", 1) for line in file if " = " in line)
EOF

import() { python3 measure.py "$BIN" --config "$work/accounts.toml" import prosody "$work/data"; }
# shellcheck disable=SC2086 # three words: seconds, seconds of the processor, MiB
show() { printf '%-44s %8s s  %8s s CPU  %6s MiB\n' "$1" $2; }
loop=$(python3 measure.py python3 read.py)
first=$(import)
again=$(import)
printf '%s accounts of Prosody\n' "$PEOPLE"
show "a loop in Python that reads them" "$loop"
show "import into SQLite" "$first"
show "import again: everybody is there" "$again"

# shellcheck disable=SC2086 # three words
set -- $first
awk -v took="$1" -v most="$SECONDS_MOST" -v used="$3" -v memory="$MEMORY" 'BEGIN {
    if (took > most) { print "slower than " most " s"; bad = 1 }
    if (used > memory) { print "more than " memory " MiB"; bad = 1 }
    exit bad
}'
