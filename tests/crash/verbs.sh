# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The verbs that the tests of this folder interrupt, and what may be there afterwards.
# shellcheck disable=SC2034
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A prepare look argv

# verb NAME PREPARE LOOK ARG... - arguments of cleave, or "sh -c ..."; PREPARE and LOOK are commands
verb() {
	prepare[$1]=$2 look[$1]=$3
	argv[$1]=$(printf '%q ' "${@:4}")
}

# $cmd: what is to be run for a verb
command_of() {
	eval "cmd=(${argv[$1]})"
	[ "${cmd[0]}" = sh ] || cmd=("$CLEAVE" "${cmd[@]}")
}

list() { ok "$@" && sort <<<"$out" | tr '\n' ' ' | sed 's/^ //'; }
names() { list ps -a --format '{{.Names}}'; }
images() { list image ls --format '{{.Repository}}:{{.Tag}}'; }
volumes() { list volume ls -q; }

# one_of HAVE WANT... - what there is must be one of these
one_of() {
	local have=$1 want
	shift
	for want in "$@"; do [ "$have" = "$want" ] && return; done
	fail "it is one of$(printf " '%s'" "$@")" "$have"
}
maybe_xx() { one_of "$(names)" '' 'xx '; }
one_xx() { one_of "$(names)" 'xx '; }
old_images='cleave/tiny:latest local/mine:latest '
maybe_new() { one_of "$(images)" "$old_images" "${old_images}new:latest "; }
maybe_loaded() { one_of "$(images)" "$old_images" 'cleave/tiny:latest '; }
maybe_vol() {
	one_of "$(volumes)" '' 'vol '
	[ -z "$(volumes)" ] || [ ! -e "$T/kept" ] || cmp -s "$CLEAVE_ROOT/volumes/vol/_data/kept" "$T/kept" ||
		fail "a volume that is listed has its data"
}

run_xx() { ok run "${life[@]}" -d cleave/tiny sleep "$nap"; }
run_short() { ok run "${life[@]}" -d cleave/tiny sleep 0.4; }
run_changed() { run_xx && ok exec xx sh -c 'echo changed >/changed'; }
run_paused() { run_xx && ok pause xx; }
create_xx() { ok create "${life[@]}" -v vol:/vol cleave/tiny sleep "$nap"; }
make_new() { ok import -c 'LABEL a=b' "$T/rootfs.tar" new; }
make_nameless() { ok import -c 'LABEL a=b' "$T/rootfs.tar"; }
make_vol() { ok volume create vol && echo kept | tee "$T/kept" >"$CLEAVE_ROOT/volumes/vol/_data/kept"; }
mount_mine() { ok image mount local/mine; }
mount_again() {
	ok image mount local/mine
	[ -e "$out/data/file" ] || fail "a mounted image is there"
}
ended_xx() { sleep 0.4 && one_xx; }

make_verbs() {
	life=(--name xx --cgroup-parent "$group" --stop-signal KILL --log-opt max-size=20k --log-opt max-file=2)
	local sleep_xx=(cleave/tiny sleep "$nap")
	verb run_d true maybe_xx run -d "${life[@]}" "${sleep_xx[@]}"
	verb run_fg true maybe_xx run "${life[@]}" cleave/tiny true
	verb run_rm true maybe_xx run --rm "${life[@]}" cleave/tiny true
	verb run_init true maybe_xx run -d --init "${life[@]}" "${sleep_xx[@]}"
	verb run_restart true maybe_xx sh -c '"$CLEAVE" run -d --restart always "$@"; sleep 0.4' - "${life[@]}" cleave/tiny true
	verb run_volume true maybe_xx run -d "${life[@]}" -v vol:/data local/mine /bin/busybox sleep "$nap"
	verb run_anonymous true maybe_xx run -d "${life[@]}" -v /data --rm local/mine /bin/busybox sleep "$nap"
	verb run_userns true maybe_xx run -d "${life[@]}" --userns auto "${sleep_xx[@]}"
	verb run_health true maybe_xx run -d "${life[@]}" --health-cmd true --health-interval 100ms "${sleep_xx[@]}"
	verb create true maybe_xx create "${life[@]}" -v vol:/vol "${sleep_xx[@]}"
	verb start create_xx one_xx start xx
	verb exec run_xx one_xx exec xx true
	verb exec_d run_xx one_xx exec -d xx sleep "$nap"
	verb stop run_xx one_xx stop xx
	verb kill run_xx one_xx kill xx
	verb restart run_xx one_xx restart xx
	verb rm create_xx maybe_xx rm xx
	verb rm_f run_xx maybe_xx rm -f xx
	verb rename run_xx 'one_of "$(names)" "xx " "yy "' rename xx yy
	verb pause run_xx one_xx pause xx
	verb unpause run_paused one_xx unpause xx
	verb wait run_short ended_xx wait xx
	verb attach run_short ended_xx attach xx
	verb logs true maybe_xx run "${life[@]}" cleave/tiny seq 1 3000
	verb import true maybe_new image import "$T/rootfs.tar" new
	verb load 'ok rmi local/mine' maybe_loaded load -q -i "$T/saved.tar"
	verb save true maybe_new save -o "$T/out.tar" local/mine cleave/tiny
	verb commit run_changed 'one_xx; maybe_new' commit xx new
	verb tag true maybe_new tag local/mine new
	verb untag 'ok tag local/mine new' maybe_new rmi new
	verb rmi make_new maybe_new rmi new
	verb prune make_nameless true image prune -f
	verb volume_create true maybe_vol volume create -o type=tmpfs -o device=tmpfs vol
	verb volume_rm make_vol maybe_vol volume rm vol
	verb volume_prune make_vol maybe_vol volume prune -af
	verb cp_in run_xx one_xx cp "$T/fs/data" xx:/copied
	verb cp_out run_xx one_xx cp xx:/bin/busybox "$T/copied"
	verb update run_xx one_xx update --memory 64m --restart on-failure:3 xx
	verb container_prune create_xx maybe_xx container prune -f
	verb system_prune 'create_xx && make_nameless' maybe_xx system prune -f
	verb image_mount true mount_again image mount local/mine
	verb image_umount mount_mine mount_again image umount local/mine
	verb export run_xx one_xx export -o "$T/out.tar" xx
	mapfile -t verbs < <(printf '%s\n' "${!argv[@]}" | sort)
}

is_image_verb() { case $1 in import | load | save | commit | tag | untag | rmi | prune) ;; *) false ;; esac }

# Images as at the beginning
put_back() {
	case $1 in
	import | commit | tag | untag | rmi) ok rmi -f new ;;
	load) ok load -q -i "$T/saved.tar" ;;
	image_mount | image_umount) cleave image umount local/mine >/dev/null 2>&1 ;;
	esac
}

# begin_case CASE VERB - to be ended by end_case
begin_case() {
	case=$1 bad=0
	rm -f "$T/kept"
	command_of "$2"
	${prepare[$2]} || fail "it can be prepared"
}

# stepped ARG... - run $cmd by the stepper; $status, $T/said, $T/report
stepped() {
	timeout -k 5 60 "$T/step" "$@" -o "$T/report" "${cmd[@]}" >"$T/said" 2>&1 </dev/null
	status=$?
	[ $status != 124 ] || fail "it ends"
}

# The next command puts everything right; what there is, is whole.
check_store() {
	ok ps -a && eval "${look[$1]}" && told_truly && whole_instances
	! is_image_verb "$1" || whole_images
}

end_case() {
	remove_all && put_back "$1" && prune
	check_nothing_left
	if [ "$bad" = 0 ]; then
		yes
	else
		sed 's/^/  said: /' "$T/said"
		fresh_store
	fi
}
