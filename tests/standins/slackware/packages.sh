#!/bin/bash
#
# Builds stand-ins for the packages that SlackBuilds.org's scripts make, by pkgtools' own rules.
# Programs that this machine's /usr has (Prosody, nginx, Caddy, Java, Lua modules) are not in them:
# there the record counts. Jicofo and the bridge are the stand-ins in Java; the Prosody plugins and
# the web application are those of other tests. What only a site with accounts wants goes into
# OUT/accounts; the account service in there is the real program.
#
#   packages.sh STANDINS LIBRARY OUT PROGRAM      LIBRARY: the HOCON library, a jar
#                                                 PROGRAM: jitsi-accounts

set -e
standins=$1 library=$2 out=$3 program=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
export XZ_OPT=-0   # they are unpacked once

# tree NAME: an empty one, with what every package has, and go there.
tree() {
  mkdir -p "$work/$1/install" "$work/$1/usr/doc/$1-1.0"
  cd "$work/$1"
  echo "A stand-in of jitsi-install's tests." > "usr/doc/$1-1.0/README"
  local line
  for line in 1 2 3 4 5 6 7 8 9 10 11; do
    echo "$1: $1 (a stand-in for tests, line $line)"
  done > install/slack-desc
}

# pack NAME: the first member is ./, no other begins so, and links are left to doinst.sh.
pack() {
  cd "$work/$1"
  find ./ | LC_COLLATE=C sort | sed '2,$s,^\./,,' \
    | tar --no-recursion --numeric-owner -T - -cJf "$out/$1-1.0-noarch-1_SBo.txz"
}

# config FILE: in doinst.sh, what SlackBuilds do with FILE.new.
config() {
  cat >> install/doinst.sh << END
if [ ! -r $1 ]; then
  mv $1.new $1 2> /dev/null || true
elif [ "\$(md5sum < $1)" = "\$(md5sum < $1.new 2> /dev/null)" ]; then
  rm -f $1.new
fi
END
}

for name in luasec luasocket luaexpat lua-filesystem lua-cjson luaossl zulu-openjdk17 caddy; do
  tree "$name"
  pack "$name"
done
for module in 5.2/basexx 5.3/inspect; do
  tree "lua-${module#*/}"
  mkdir -p usr/share/lua/5.4
  cp "/usr/share/lua/$module.lua" usr/share/lua/5.4/
  pack "lua-${module#*/}"
done

tree prosody
mkdir -p etc/prosody var/lib/prosody var/log/prosody
echo '-- the configuration of the package' > etc/prosody/prosody.cfg.lua.new
config etc/prosody/prosody.cfg.lua
cat >> install/doinst.sh << 'END'
( cd etc/rc.d ; rm -rf rc.prosody )
( cd etc/rc.d ; ln -sf ../../usr/bin/prosodyctl rc.prosody )
END
# As SlackBuilds.org numbers them; whoever installs the package may not know the name yet.
chown 274:274 var/lib/prosody var/log/prosody
chmod 700 var/lib/prosody
pack prosody

tree nginx
mkdir -p etc/rc.d etc/nginx/conf.d var/lib/nginx var/log/nginx
cp "$standins/slackware/nginx.conf" etc/nginx/nginx.conf.new
cp /etc/nginx/mime.types etc/nginx/
install -m 644 "$standins/slackware/rc.nginx" etc/rc.d/rc.nginx.new
config etc/nginx/nginx.conf
config etc/rc.d/rc.nginx
pack nginx

mkdir "$work/classes"
find "$standins/java" -name '*.java' -exec javac --release 17 -cp "$library" -d "$work/classes" {} +
for name in jicofo jitsi-videobridge; do
  tree "$name"
  mkdir -p "usr/share/$name/lib"
  jar --create --file "usr/share/$name/$name.jar" -C "$work/classes" .
  cp "$library" "usr/share/$name/lib/"
  pack "$name"
done

tree jitsi-meet-prosody
mkdir -p usr/share/jitsi-meet
cp -R "$standins/prosody-plugins" usr/share/jitsi-meet/prosody-plugins
pack jitsi-meet-prosody
tree jitsi-meet-web
mkdir -p usr/share
cp -R "$standins/meet" usr/share/jitsi-meet
pack jitsi-meet-web

out=$out/accounts
mkdir "$out"
tree luadbi
pack luadbi

tree jitsi-accounts
install -D -m 755 "$program" usr/sbin/jitsi-accounts
strip --strip-debug usr/sbin/jitsi-accounts
pack jitsi-accounts

tree mariadb
mkdir -p etc/rc.d
install -m 644 "$standins/slackware/rc.mysqld" etc/rc.d/rc.mysqld.new
printf '[client]\nsocket = /run/mysql/mysql.sock\n[mysqld]\nsocket = /run/mysql/mysql.sock\nuser = mysql\n' > etc/my.cnf.new
config etc/my.cnf
config etc/rc.d/rc.mysqld
pack mariadb
