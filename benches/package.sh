#!/bin/sh
# What a package of jars costs: ours beside the usual tools, in the same run, at the same level of xz,
# a .txz beside `tar | xz -T1`, a .deb beside `dpkg-deb -b`.
#
#   cargo dist-build --bench package && sh benches/package.sh
#
# BIN     the program (the newest target/*/dist/deps/package-*: statically linked, as packages carry it)
# RUNS    runs of each of which the median is taken (3)
# JARS    a folder with jars (target/jars; filled from Maven Central where it is missing)
# TXZ     how many times faster the .txz must be at the least, in per cent (200); below: exit 1
# DEB     the same of the .deb (100)
# SIZE    how much larger it may be than theirs, in per cent (1); above: exit 1
# PEAK    how much memory it may take at the most, in kB (307200); above: exit 1
#
# Jars are compressed themselves, so that xz has as much to search in them as it ever has. The .txz is
# made twice more, by one thread and by four: the bytes must be the same.
set -eu
LC_ALL=C
export LC_ALL

target=${CARGO_TARGET_DIR:-target}
BIN=${BIN:-}
if [ -z "$BIN" ]; then
    BIN=$(find "$target"/*/dist/deps -name 'package-*' ! -name '*.d' -perm -u+x -exec ls -t {} + 2>/dev/null | head -n 1)
fi
RUNS=${RUNS:-3}
JARS=${JARS:-$target/jars}
TXZ=${TXZ:-200}
DEB=${DEB:-100}
SIZE=${SIZE:-1}
PEAK=${PEAK:-307200}

skip() { echo "SKIPPED: $1" >&2; exit 77; }
[ -n "$BIN" ] || skip "there is no target/*/dist/deps/package-*: cargo dist-build --bench package"
for program in "$BIN" tar xz dpkg-deb; do
    command -v "$program" >/dev/null 2>&1 || skip "\`$program\` is missing"
done

if [ ! -d "$JARS" ]; then
    command -v curl >/dev/null 2>&1 || skip "\`curl\` is missing"
    rm -rf "$JARS.new"
    mkdir -p "$JARS.new"
    while read -r group name version; do
        curl --silent --fail --location --max-time 120 --output "$JARS.new/$name-$version.jar" \
            "https://repo1.maven.org/maven2/$group/$name/$version/$name-$version.jar" ||
            skip "Maven Central does not give $name $version"
    done <<'END'
org/bouncycastle bcprov-jdk18on 1.78.1
org/bouncycastle bcpkix-jdk18on 1.78.1
org/jetbrains/kotlin kotlin-stdlib 1.9.24
org/jetbrains/kotlin kotlin-reflect 1.9.24
org/jetbrains/kotlinx kotlinx-coroutines-core-jvm 1.8.1
com/fasterxml/jackson/core jackson-databind 2.17.2
com/fasterxml/jackson/core jackson-core 2.17.2
com/google/guava guava 33.2.1-jre
net/java/dev/jna jna 5.14.0
net/java/dev/jna jna-platform 5.14.0
org/glassfish/jersey/core jersey-server 3.1.7
org/glassfish/jersey/core jersey-common 3.1.7
org/eclipse/jetty jetty-server 11.0.22
org/eclipse/jetty jetty-util 11.0.22
org/eclipse/jetty/http2 http2-server 11.0.22
org/reflections reflections 0.10.2
com/google/protobuf protobuf-java 3.25.3
io/netty netty-buffer 4.1.111.Final
io/netty netty-codec-http2 4.1.111.Final
io/netty netty-handler 4.1.111.Final
org/scala-lang scala-library 2.13.14
org/apache/logging/log4j log4j-core 2.23.1
org/apache/lucene lucene-core 9.11.1
net/bytebuddy byte-buddy 1.14.18
com/h2database h2 2.2.224
org/springframework spring-core 6.1.10
org/apache/groovy groovy 4.0.22
END
    mv "$JARS.new" "$JARS"
fi
BIN=$(realpath "$BIN")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
mkdir -p "$work/tree/usr/share/bench/lib"
cp "$JARS"/*.jar "$work/tree/usr/share/bench/lib/"
cd "$work"
cp -R tree debian
mkdir debian/DEBIAN
cat >debian/DEBIAN/control <<'END'
Package: bench
Version: 1.0-1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: jars from Maven Central
END

threads=$(nproc)
ours() { # FORM THREADS
    "$BIN" "$1" tree "ours.$1" "$2" 2>peak
}
theirs() { # FORM
    case $1 in
        txz) tar -C tree -cf - . | xz -6 -T1 >theirs.txz ;;
        deb) dpkg-deb --root-owner-group -b debian theirs.deb >/dev/null ;;
    esac
}

# Adds the time of a command to a list, in milliseconds.
sample() { # LIST COMMAND
    list=$1
    shift
    begun=$(date +%s%N)
    "$@"
    ended=$(date +%s%N)
    echo $(((ended - begun) / 1000000)) >>"$list"
}
median() { # LIST
    sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}
size() { # FILE
    wc -c <"$1"
}

echo "$(du -sk tree | cut -f1) kB of jars, median of $RUNS runs, $threads threads, load $(cut -d' ' -f1 /proc/loadavg)"
printf '%-4s %12s %12s %7s %12s %12s %10s\n' form ours theirs ratio 'ours' theirs peak
failed=
for form in txz deb; do
    most=0
    for _ in $(seq "$RUNS"); do
        sample "ours.$form.times" ours "$form" "$threads"
        kb=$(sed -n 's/^peak \([0-9]*\) kB$/\1/p' peak)
        [ "$kb" -le "$most" ] || most=$kb
        sample "theirs.$form.times" theirs "$form"
    done
    mine=$(median "ours.$form.times")
    other=$(median "theirs.$form.times")
    ratio=$((other * 100 / mine))
    printf '%-4s %9s ms %9s ms %6s%% %10s B %10s B %7s kB\n' "$form" "$mine" "$other" "$ratio" \
        "$(size "ours.$form")" "$(size "theirs.$form")" "$most"
    case $form in
        txz) least=$TXZ ;;
        *) least=$DEB ;;
    esac
    [ "$ratio" -ge "$least" ] || failed="$failed the .$form is not $least% as fast;"
    [ "$(size "ours.$form")" -le $(($(size "theirs.$form") * (100 + SIZE) / 100)) ] ||
        failed="$failed the .$form is larger by more than $SIZE%;"
    [ "$most" -le "$PEAK" ] || failed="$failed the .$form takes more than $PEAK kB;"
done
mv ours.txz first.txz
for count in 1 4; do
    ours txz "$count"
    cmp -s first.txz ours.txz || failed="$failed $count threads make other bytes;"
    kb=$(sed -n 's/^peak \([0-9]*\) kB$/\1/p' peak)
    [ "$kb" -le "$PEAK" ] || failed="$failed $count threads take $kb kB;"
done
if [ -n "$failed" ]; then
    echo "FAILED:$failed" >&2
    exit 1
fi
