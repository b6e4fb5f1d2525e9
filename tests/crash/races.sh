#!/bin/bash
# SPDX-License-Identifier: MIT
# Many clients do all kinds of things to the same few names at once: each succeeds or says clearly why
# not, and in the end everything that is listed is whole.
. "$(dirname "$0")/lib.sh"
crash_setup 15
CLIENTS=${CLIENTS:-6}
tmp=$T/clients
mkdir "$tmp"

# What a client may be told
clear='no such (instance|volume)|is not (running|mounted)|being started or removed|is restarting: wait|already in use|is running already|is (already|not) paused'
clear+='|is paused: see|starting or stopping|being cleaned up|volume is in use|removed meanwhile|by somebody else meanwhile|no image|unable to delete image'
clear+='|is (running|paused|restarting): stop it first|has not ended .* or was started again'

# A random command, for one of a few instances, volumes and images
make_command() {
	local name=r$((RANDOM % 3)) volume=v$((RANDOM % 2)) image=new$((RANDOM % 2))
	local limits=(--network none --cgroup-parent "$group" --stop-signal KILL)
	case $((RANDOM % 33)) in
	0) cmd=(run -d --name "$name" "${limits[@]}" cleave/tiny sleep "$nap") ;;
	1) cmd=(run -d --name "$name" "${limits[@]}" -v "$volume:/data" local/mine /bin/busybox sleep "$nap") ;;
	2) cmd=(run --rm --pull never --name "$name" "${limits[@]}" "$image" /bin/true) ;;
	3) cmd=(run -d --rm --pull never --name "$name" "${limits[@]}" -v /data "$image" /bin/busybox sleep "$nap") ;;
	4) cmd=(create --pull never --name "$name" "${limits[@]}" "$image" /bin/busybox sleep "$nap") ;;
	5 | 6) cmd=(start "$name") ;;
	7) cmd=(stop -t 1 "$name") ;;
	8) cmd=(kill "$name") ;;
	9) cmd=(rm "$name") ;;
	10 | 11) cmd=(rm -f "$name") ;;
	12) cmd=(restart -t 1 "$name") ;;
	13) cmd=(pause "$name") ;;
	14) cmd=(unpause "$name") ;;
	15) cmd=(exec "$name" true) ;;
	16) cmd=(rename "$name" "r$((RANDOM % 3))") ;;
	17) cmd=(commit "$name" "$image") ;;
	18) cmd=(tag local/mine "$image") ;;
	19) cmd=(rmi "$image") ;;
	20) cmd=(rmi -f "$image") ;;
	21) cmd=(image prune -f) ;;
	22) cmd=(import "$T/rootfs.tar" "$image") ;;
	23) cmd=(load -q -i "$T/saved.tar") ;;
	24) cmd=(volume rm "$volume") ;;
	25) cmd=(volume prune -af) ;;
	26) cmd=(ps -a) ;;
	27) cmd=(container prune -f) ;;
	28) cmd=(update --memory 64m --memory-swap 64m "$name") ;;
	29) cmd=(cp "$T/fs/data" "$name:/copied") ;;
	30) cmd=(image mount local/mine) ;;
	31) cmd=(image umount local/mine) ;;
	32) cmd=(system prune -f --volumes) ;;
	esac
}

client() {
	local log=$tmp/$1 code cmd
	RANDOM=$((SEED + $1))
	while [ ! -e "$tmp/stop" ]; do
		make_command
		timeout -k 5 60 "$CLEAVE" "${cmd[@]}" >"$log.out" 2>"$log.err" </dev/null
		code=$?
		echo "$code" >>"$log.codes"
		[ "$code" = 0 ] && [ ! -s "$log.err" ] && continue
		# the instance itself may have been killed
		[ "$code" = 137 ] && [ ! -s "$log.err" ] && continue
		case $code in 1 | 125 | 126) ;; *) code="$code, which is wrong" ;; esac
		if [[ $code == *wrong ]] || [ "$(wc -l <"$log.err")" != 1 ] || ! grep -Eq "$clear" "$log.err"; then
			echo "${cmd[*]} gives $code: $(cat "$log.err")" >>"$log.bad"
		fi
	done
}

while time_left; do
	case="SEED=$SEED"
	rm -f "$tmp"/*
	for ((i = 0; i < CLIENTS; i++)); do client $i & done
	sleep 5
	touch "$tmp/stop"
	wait
	[ -z "$(cat "$tmp"/*.bad 2>/dev/null)" ] || fail "all that is said is clear" "$(sort "$tmp"/*.bad)"
	echo "$(cat "$tmp"/*.codes | wc -l) commands, of which succeeded: $(grep -c '^0$' < <(cat "$tmp"/*.codes))"
	cleave image umount local/mine >/dev/null 2>&1
	ok ps -a && told_truly && whole_instances
	whole_images
	remove_all && ok volume prune -af && ok rmi -f new0 new1 && ok image prune -f && ok load -q -i "$T/saved.tar"
	ok image prune -f
	check_nothing_left
	yes
	SEED=$((SEED + CLIENTS))
done
