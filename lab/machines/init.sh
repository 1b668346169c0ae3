#!/bin/sh
# The first process of a simulated host. It sees its own disk, devices, processes and network; when it ends, all of the host ends.
# $1: directory that stands for the host's disk  $2: its name
set -eu
disk=$1
hostname "$2"
for part in var/lib/libvirt var/log/libvirt var/cache/libvirt etc/libvirt etc/pki; do
  mkdir -p "$disk/$part" "/$part"
  mount --bind "$disk/$part" "/$part"
done
mount --bind "$disk/etc/hosts" /etc/hosts
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/libvirt /run/lock
mount -t proc proc /proc
# The network that this host sees, and control groups with its own as the root.
umount -l /sys 2>/dev/null || true
mount -t sysfs sysfs /sys
if [ -e "$disk/unified" ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  for controller in $(cat "$disk/controllers"); do
    mkdir "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
  done
fi
# Devices without hardware virtualization: a device node that opens and cannot run guests is worse than none.
mkdir -p "$disk/dev"
mount -t tmpfs -o mode=755 tmpfs "$disk/dev"
mkdir "$disk/dev/net" "$disk/dev/pts" "$disk/dev/shm"
for device in null zero full random urandom tty net/tun loop-control fuse; do
  [ ! -e "/dev/$device" ] || cp -a "/dev/$device" "$disk/dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$disk/dev/pts"
mount -t tmpfs tmpfs "$disk/dev/shm"
ln -s pts/ptmx "$disk/dev/ptmx"
ln -s /proc/self/fd "$disk/dev/fd"
for stream in stdin:0 stdout:1 stderr:2; do ln -s "fd/${stream#*:}" "$disk/dev/${stream%:*}"; done
mount --rbind "$disk/dev" /dev
mkdir -p /var/lib/libvirt/images /var/lib/libvirt/qemu
while :; do
  libvirtd --listen &
  daemon=$!
  wait "$daemon" || true
  # A daemon that died is started again; its guests have gone on.
  sleep 0.2
done
