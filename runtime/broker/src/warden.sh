# Starts a broker and stays beside it: ends it when whoever wanted it has gone, however that went, and then cleans up.
#
# usage: sh -c "$(cat warden.sh)" warden FOLDER LOCK FATE COMMAND...
#   FOLDER   where the broker's log goes
#   LOCK     a file: the broker ends when nobody has locked it any more; empty: when standard input ends
#   FATE     `remove`: the folder goes with the broker; `keep`: the broker is given time to close its files
folder=$1 lock=$2 fate=$3
shift 3
exec 3<&0

# Should this process be killed, which nobody does by mistake, the kernel ends the broker.
guard=
command -v setpriv >/dev/null && guard='setpriv --pdeathsig KILL'
$guard "$@" >>"$folder/broker.log" 2>&1 </dev/null 3<&- &
broker=$!
echo "$broker" >"$folder/broker.pid"

end() {
  if [ "$fate" = keep ]; then
    kill -TERM "$broker" 2>/dev/null
    tries=100
    while [ "$tries" -gt 0 ] && kill -0 "$broker" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
  fi
  kill -KILL "$broker" 2>/dev/null
}
# In the background: this process is who notices that the broker has ended.
trap 'end &' TERM INT HUP

# The lock is held until this process has ended: who wants a broker meanwhile waits, and starts one of its own.
if [ -n "$lock" ]; then
  exec 4<>"$lock"
  { while flock -x 4 && flock -u 4 && sleep 2 && ! flock -n -x 4; do :; done; end; } 3<&- &
else
  { cat <&3 >/dev/null; end; } &
fi
watcher=$!

while kill -0 "$broker" 2>/dev/null; do wait "$broker"; ended=$?; done
trap - TERM INT HUP
kill "$watcher" 2>/dev/null
[ "$fate" = keep ] || rm -rf "$folder"
exit "$ended"
