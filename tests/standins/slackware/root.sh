#!/bin/bash
#
# Makes a root that looks like Slackware 15.0 out of this machine's own /usr, and stays in it as
# process 1 until its input ends. Called in namespaces of its own (mounts, processes, network, …),
# so that everything ends and is gone with it.
#
#   root.sh FOLDER STANDINS PROGRAM

set -e
folder=$1 standins=$2 program=$3
mount -t tmpfs -o size=1g,mode=0755 tmpfs "$folder"
root=$folder/root
mkdir -p "$folder"/{upper,work} "$root"
cd "$root"
mkdir -p usr etc/{rc.d,alternatives,sysctl.d} var/{log,lib,run,lock,tmp,spool,cache} \
  run tmp root home opt proc dev sys mnt boot srv
chmod 1777 tmp var/tmp
chmod 700 root
for name in bin sbin lib lib64; do
  ln -s "usr/$name" "$name"
done
mount -t overlay -o "lowerdir=/usr,upperdir=$folder/upper,workdir=$folder/work" overlay usr

# What the programs of /usr need of this machine's /etc.
cp -a /etc/alternatives/. etc/alternatives/
cp /etc/ld.so.cache /etc/ld.so.conf etc/
for java in /etc/java-*; do
  [ ! -d "$java" ] || cp -aL "$java" etc/
done

echo 'Slackware 15.0' > etc/slackware-version
printf 'NAME=Slackware\nID=slackware\nVERSION_ID=15.0\nVERSION_CODENAME=stable\n' > etc/os-release
printf '%s\n' 'root:x:0:0::/root:/bin/bash' 'bin:x:1:1:bin:/bin:/bin/false' \
  'mysql:x:27:27:MySQL:/var/lib/mysql:/bin/false' 'nobody:x:99:99:nobody:/:/bin/false' > etc/passwd
printf '%s\n' 'root::0:root' 'bin::1:root' 'mysql::27:' 'users::100:' 'nogroup::99:' > etc/group
printf '%s\n' 'root:*:9797:0:::::' 'bin:*:9797:0:::::' 'mysql:*:9797:0:::::' 'nobody:*:9797:0:::::' > etc/shadow
chmod 640 etc/shadow
printf '%s\n' 'SYS_UID_MIN 101' 'SYS_UID_MAX 999' 'SYS_GID_MIN 101' 'SYS_GID_MAX 999' > etc/login.defs
printf '%s\n' 'passwd: files' 'group: files' 'shadow: files' 'hosts: files' > etc/nsswitch.conf
echo '127.0.0.1 localhost darkstar meet.example.org' > etc/hosts
echo darkstar > etc/HOSTNAME

# What Slackware does not have.
rm -rf usr/bin/{systemctl,journalctl,loginctl,apt,apt-*,dpkg,dpkg-*} usr/bin/systemd* usr/lib/systemd \
  usr/sbin/{update-rc.d,invoke-rc.d,policy-rc.d,adduser,addgroup}

mkdir -p var/lib/pkgtools/{packages,scripts,setup,douninst.sh} \
  var/log/pkgtools/removed_{packages,scripts} var/cache/jitsi-install/packages
for name in packages scripts setup; do
  ln -s "../lib/pkgtools/$name" "var/log/$name"
done
for name in installpkg upgradepkg removepkg; do
  install -m 755 "$standins/pkgtools/pkgtools" "usr/sbin/$name"
done
for name in rc.M rc.K; do
  install -m 755 "$standins/slackware/$name" etc/rc.d/
done
install -D -m 755 "$program" usr/local/bin/jitsi-install

mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs dev
for name in null zero full random urandom tty; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/shm
ln -s /proc/self/fd dev/fd
ip link set lo up
hostname darkstar

# As process 1 it also buries the children of the dead.
exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin \
  /bin/bash -c 'trap : CHLD TERM; echo ready; while read -r -t 0.3; [ $? -gt 128 ]; do :; done'
