# Prepares a broker's data folder, starts the broker and stays beside it: ends it when whoever wanted it has gone, however that
# went, and then cleans up.
#
# usage: sh -c "$(cat warden.sh)" warden FOLDER LOCK FATE CLUSTER SCRAM JAVA...
#   FOLDER   has the settings, and gets log and data
#   LOCK     a file: the broker ends when nobody has locked it any more; empty: when standard input ends
#   FATE     `remove`: the folder goes with the broker; `keep`: the broker is given time to close its files
#   CLUSTER  the id of a new cluster; empty: the folder has been prepared before
#   SCRAM    a user with a password, as the tool that prepares the folder takes one; empty: none
#   JAVA     the command, but for its class and what that is given
folder=$1 lock=$2 fate=$3 cluster=$4 scram=$5
shift 5
exec 3<&0
running= ended= killer=

# Should this process be killed, which nobody does by mistake, the kernel ends the broker.
guard=
command -v setpriv >/dev/null && guard='setpriv --pdeathsig KILL'

end() {
  ended=1
  [ -n "$running" ] || return
  [ "$fate" = keep ] || { kill -KILL "$running"; return; }
  kill -TERM "$running"
  # In the background: this process is who notices that the broker has ended.
  { sleep 10; kill -KILL "$running"; } 3<&- 4<&- &
  killer=$!
}
trap end TERM INT HUP

# run JAVA...: in the background, since a shell that waits for what is in front acts upon no signal.
run() {
  [ -z "$ended" ] || return 1
  $guard "$@" >>"$folder/broker.log" 2>&1 </dev/null 3<&- 4<&- &
  running=$!
  echo "$running" >"$folder/broker.pid"
  [ -z "$ended" ] || end
  while kill -0 "$running"; do wait "$running"; code=$?; done
  running=
  return "$code"
}

# The lock is held until this process has ended: who wants a broker meanwhile waits, and starts one of its own.
if [ -n "$lock" ]; then
  exec 4<>"$lock"
  { while flock -x 4 && flock -u 4 && sleep 2 && ! flock -n -x 4; do :; done; kill -TERM $$; } 3<&- &
else
  exec 4</dev/null
  { cat <&3 >/dev/null; kill -TERM $$; } &
fi
watcher=$!

code=1
settings=$folder/server.properties
{
  [ -z "$cluster" ] ||
    run "$@" kafka.tools.StorageTool format -t "$cluster" -c "$settings" ${scram:+--add-scram "$scram"}
} && run "$@" kafka.Kafka "$settings"

trap - TERM INT HUP
kill "$watcher" ${killer:+"$killer"}
[ "$fate" = keep ] || rm -rf "$folder"
exit "$code"
