#!/bin/bash
#
# Builds SlackBuilds in a root that looks like Slackware, made out of this machine's own /usr, and
# installs each package for the next one. Called in namespaces of its own, without a network.
#
#   build.sh FOLDER STANDINS NAME...   FOLDER/NAME holds the recipe of NAME and its source

set -e
recipes=$1 standins=$2
shift 2
folder=$(mktemp -d)
mount -t tmpfs -o size=2g,mode=0755 tmpfs "$folder"
root=$folder/root
mkdir -p "$folder"/{upper,work} "$root"
cd "$root"
mkdir -p usr etc var/log tmp root proc dev recipes out
for name in bin sbin lib lib64; do
  ln -s "usr/$name" "$name"
done
mount -t overlay -o "lowerdir=/usr,upperdir=$folder/upper,workdir=$folder/work" overlay usr
cp -a /etc/alternatives etc/
cp /etc/ld.so.cache etc/
echo 'root:x:0:0::/root:/bin/bash' > etc/passwd
echo 'root::0:root' > etc/group
install -m 755 "$standins/pkgtools/makepkg" usr/sbin/makepkg
# What Debian has of Lua would hide what is missing.
rm -rf usr/include/lua5.* usr/share/lua usr/lib/*/lua usr/bin/lua*
cp -a "$recipes/." recipes/
mount -t proc proc proc
for name in null zero urandom; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done

cat > root/all.sh <<'END'
set -e
build() {
  OUTPUT=$2 PKGTYPE=txz bash "/recipes/$1/$1.SlackBuild" > "/out/$1.log" 2>&1 || {
    tail -20 "/out/$1.log"
    exit 1
  }
}
for name in "$@"; do
  build "$name" /out
  package=$(PKGTYPE=txz PRINT_PACKAGE_NAME=1 bash "/recipes/$name/$name.SlackBuild")
  tar xf "/out/$package" -C /
  (cd / && if [ -f install/doinst.sh ]; then sh install/doinst.sh; fi)
  rm -rf /install
  echo "built $name"
done

name=luaexpat
package=$(PKGTYPE=txz PRINT_PACKAGE_NAME=1 bash "/recipes/$name/$name.SlackBuild")
mkdir /twice
build "$name" /twice
for place in out twice; do
  mkdir "/seen-$place"
  tar xf "/$place/$package" -C "/seen-$place"
done
diff -r /seen-out /seen-twice && echo "twice the same: $name"

ldconfig
lua -e 'require "lxp"; local b = require "basexx"
  local t = {}
  for _, name in ipairs { "openssl.pkey", "openssl.hmac", "openssl.digest" } do t[#t + 1] = tostring(require(name)):match "^table:" end
  print(b.to_base64 "a", table.concat(t, " "))' | tr '\t' ' '

printf x >> /recipes/luaexpat/luaexpat-1.5.2.tar.gz
if OUTPUT=/out bash /recipes/luaexpat/luaexpat.SlackBuild > /dev/null 2>&1; then
  echo "a spoiled source was built"
  exit 1
fi
echo "a spoiled source is not built"
END
exec chroot . /usr/bin/env -i HOME=/root PATH=/usr/sbin:/sbin:/usr/bin:/bin bash /root/all.sh "$@"
