#!/bin/sh
# Time and memory of making one keystore: jitsi-install against openssl + keytool, in the same run.
#
#   cargo dist-build && sh benches/keystore.sh
#
# BIN    the program (target/*/dist/jitsi-install: statically linked, as packages carry it)
# RUNS   runs of theirs of which the median is taken (9); ours runs three times as often
# RATIO  how many times faster it must be at the least (50); below: exit 1
# PEAK   how much memory it may take at the most, in kB (10240); above: exit 1
#
# Theirs is what an administrator types otherwise: `openssl pkcs12 -export`, then
# `keytool -importkeystore` to PKCS12 or to JKS. The clock is read by `date` (GNU: nanoseconds), whose
# own start counts against both.
# To add a key: a line in "keys" and a row at the end.
set -eu
LC_ALL=C
export LC_ALL

BIN=${BIN:-$(echo target/*/dist/jitsi-install)}
RUNS=${RUNS:-9}
RATIO=${RATIO:-50}
PEAK=${PEAK:-10240}

for program in "$BIN" openssl keytool; do
    command -v "$program" >/dev/null 2>&1 || { echo "SKIPPED: \`$program\` is missing" >&2; exit 77; }
done
case $BIN in
    /*) ;;
    */*) BIN=$(pwd)/$BIN ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
cd "$work"
echo 'bench-password' >password

# keys
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.key 2>/dev/null
for key in rsa p256; do
    openssl req -x509 -new -key "$key.key" -subj /CN=meet.example.org -days 30 \
        -addext subjectAltName=DNS:meet.example.org -out "$key.pem" 2>/dev/null
done

ours() { # KEY FORMAT
    "$BIN" keystore build --cert "$1.pem" --key "$1.key" --out ours --format "$2" --password-file password
}
export_p12() { # KEY
    openssl pkcs12 -export -name jvb -in "$1.pem" -inkey "$1.key" -passout file:password -out between.p12
}
import() { # FORMAT
    keytool -importkeystore -noprompt -srckeystore between.p12 -srcstoretype PKCS12 \
        -srcstorepass:file password -destkeystore theirs -deststoretype "$1" -deststorepass:file password
}
theirs() { # KEY FORMAT
    export_p12 "$1" && import "$2"
}

# Adds the time of a command to a list, in microseconds.
sample() { # LIST COMMAND
    list=$1
    shift
    rm -f ours theirs between.p12
    begun=$(date +%s%N)
    "$@" >log 2>&1 || { cat log >&2; exit 1; }
    ended=$(date +%s%N)
    echo $(((ended - begun) / 1000)) >>"$list"
}
median() { # LIST
    sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}

# Peak memory of a command in kB; 0 when nothing can tell.
peak() {
    rm -f ours theirs
    if [ -x /usr/bin/time ] && /usr/bin/time -v true 2>&1 | grep -q Maximum; then
        /usr/bin/time -v "$@" 2>&1 >/dev/null | sed -n 's/.*Maximum resident set size (kbytes): //p'
    elif command -v python3 >/dev/null 2>&1; then
        # The peak of the largest child; python itself is not counted.
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
    else
        echo 0
    fi
}

for format in pkcs12 jks; do # warms the caches and shows mistakes
    ours rsa "$format" >log 2>&1 || { cat log >&2; exit 1; }
    keytool -list -keystore ours -storepass:file password >log 2>&1 || { cat log >&2; exit 1; }
    rm ours
done
theirs rsa PKCS12 >log 2>&1 || { cat log >&2; exit 1; }

echo "median of $RUNS runs, load $(cut -d' ' -f1 /proc/loadavg)"
printf '%-9s %-7s %12s %20s %7s\n' key format 'ours' 'openssl + keytool' ratio
worst=
for key in rsa p256; do
    for format in PKCS12 JKS; do
        rm -f us them
        run=0
        # By turns, so that whatever else the machine does falls upon both.
        while [ "$run" -lt "$RUNS" ]; do
            for _ in 1 2 3; do
                sample us ours "$key" "$(echo "$format" | tr '[:upper:]' '[:lower:]')"
            done
            sample them theirs "$key" "$format"
            run=$((run + 1))
        done
        us=$(median us)
        them=$(median them)
        ratio=$((them * 10 / us))
        case $key in rsa) name=RSA-2048 ;; *) name=P-256 ;; esac
        printf '%-9s %-7s %9s ms %17s ms %6s\n' "$name" "$format" \
            "$((us / 1000)).$((us / 100 % 10))" "$((them / 1000)).$((them / 100 % 10))" \
            "$((ratio / 10)).$((ratio % 10))"
        if [ -z "$worst" ] || [ "$ratio" -lt "$worst" ]; then worst=$ratio; fi
    done
done

our_peak=$(peak "$BIN" keystore build --cert rsa.pem --key rsa.key --out ours --password-file password)
export_p12 rsa
their_peak=$(peak keytool -importkeystore -noprompt -srckeystore between.p12 -srcstoretype PKCS12 \
    -srcstorepass:file password -destkeystore theirs -deststoretype PKCS12 -deststorepass:file password)
echo "peak memory: ours $our_peak kB, keytool $their_peak kB"

if [ "$worst" -lt $((RATIO * 10)) ]; then
    echo "FAILED: less than $RATIO times faster" >&2
    exit 1
fi
if [ "$our_peak" -gt "$PEAK" ]; then
    echo "FAILED: more than $PEAK kB" >&2
    exit 1
fi
