#!/bin/sh
# Ends what an owner left behind. Its standard input is a pipe that only the owner holds: end of file means that the owner is gone,
# however it went. Then every process goes that works in DIR (a server and its children) or was started with MARK in its environment
# (a daemon of a test), the shared memory goes, and DIR itself.
# usage: watchdog.sh DIR MARK [SOCKET_DIR]
dir=$1
mark=$2
socket_dir=$3
cd / || exit 1
trap '' INT TERM HUP

read -r word
[ "$word" = done ] && exit 0

left_over() {
  for process in /proc/[0-9]*; do
    where=$(readlink "$process/cwd" 2>/dev/null) || continue
    case $where in
      "$dir" | "$dir"/*) echo "${process#/proc/}" ;;
      *) [ -n "$mark" ] && grep -qzx "BUCARDO_TEST_MARK=$mark" "$process/environ" 2>/dev/null && echo "${process#/proc/}" ;;
    esac
  done
}

# Line 7 of postmaster.pid names the System V segment, which a killed server leaves to the machine.
segment=$(sed -n 7p "$dir/data/postmaster.pid" 2>/dev/null | awk '{print $2}')
postmaster=$(left_over | head -n 1)
[ -n "$postmaster" ] && kill -QUIT "$postmaster" 2>/dev/null
for turn in 1 2 3 4 5 6 7 8 9 10; do
  [ -z "$(left_over)" ] && break
  [ "$turn" -ge 6 ] && left_over | xargs -r kill -KILL 2>/dev/null
  sleep 0.2
done
[ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
rm -rf "$dir" ${socket_dir:+"$socket_dir"}
exit 0
