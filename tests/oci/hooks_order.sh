#!/bin/bash
# SPDX-License-Identifier: MIT
# All six hooks: order, place, input, arguments, environment.
. "$(dirname "$0")/lib.sh"
setup

cat >"$T/hook" <<'SH'
#!/bin/sh
# hook NAME LOG: one line, and the state that came in
cat >"$2.$1.json"
where=$([ "$(readlink /proc/self/ns/mnt)" = "$HOSTNS" ] && echo host || echo container)
echo "$1 $where ${3:-}" >>"$2"
SH
chmod +x "$T/hook"
cp "$T/hook" "$B/rootfs/hook"
mkdir "$B/rootfs/out"
ns=$(readlink /proc/self/ns/mnt)
h() { echo "{path:\"$1\",args:[\"hook\",\"$2\",\"$3\"],env:[\"PATH=/bin:/usr/bin\",\"HOSTNS=$ns\"]}"; }
L=$B/rootfs/out/log
all=".hooks={prestart:[$(h "$T/hook" prestart "$L"),$(h "$T/hook" prestart2 "$L")],createRuntime:[$(h "$T/hook" createRuntime "$L")],
	createContainer:[$(h "$T/hook" createContainer "$L")],startContainer:[$(h /hook startContainer /out/log)],
	poststart:[$(h "$T/hook" poststart "$L")],poststop:[$(h "$T/hook" poststop "$L"),$(h "$T/hook" poststop2 "$L")]}"
conf "$all" '.annotations={"a.b":"c d"}' '.process.args=["sleep","100"]' '.process.capabilities=({bounding:["CAP_DAC_OVERRIDE"]} | .permitted=.bounding | .effective=.bounding)'
oci create -b "$B" "$ID" >/dev/null 2>"$T/err" </dev/null || no "create" "$(cat "$T/err")"
eq "create runs three kinds in order" "$(tr -s ' \n' ' ' <"$L")" 'prestart host prestart2 host createRuntime host createContainer container '
oci start "$ID" || no start
eq "start runs two" "$(tail -n +5 "$L" | tr -s ' \n' ' ')" 'startContainer container poststart host '
pid=$(field pid)
oci kill "$ID" KILL
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
oci delete "$ID"
eq "delete runs the last" "$(tail -n +7 "$L" | tr -s ' \n' ' ')" 'poststop host poststop2 host '
for k in prestart createRuntime createContainer startContainer poststart poststop; do
	case $k in
	startContainer) want=created ;;
	poststart) want=running ;;
	poststop) want=stopped ;;
	*) want='creat(ing|ed)' ;;
	esac
	f=$L.$k.json
	like "$k gets the state" "$(jq -r '[.id,.status,.bundle,.annotations["a.b"]] | join(" ")' "$f")" "^$ID $want $B c d\$"
	check "$k: version and pid" jq -e '(.ociVersion | startswith("1.")) and (.pid | type == "number")' "$f"
done
for k in prestart createRuntime createContainer poststart; do
	eq "$k: pid on the host" "$(jq .pid "$L.$k.json")" "$pid"
done

cat >"$T/env" <<'SH'
#!/bin/sh
/usr/bin/env | /bin/grep -v -e ^PWD -e ^SHLVL -e ^_= >"$1"
echo "$0 $#" >>"$1"
SH
chmod +x "$T/env"
rm -f "$L"*
conf ".hooks.createRuntime=[{path:\"$T/env\",args:[\"zero\",\"$T/envout\"],env:[\"A=b\"]}]"
A_LEAK=1 oci run -b "$B" "$ID" </dev/null
eq "a hook has just its own environment" "$(head -1 "$T/envout") $(wc -l <"$T/envout")" "A=b 2"
conf ".hooks.createRuntime=[{path:\"$T/env\",args:[\"zero\",\"$T/envout\"]}]"
A_LEAK=1 oci run -b "$B" "$ID" </dev/null
like "without one it has the caller's, as with runc and crun" "$(cat "$T/envout")" A_LEAK=1
cat >"$T/fds" <<SH
#!/bin/sh
ls -l /proc/self/fd >"$T/fdout"
SH
chmod +x "$T/fds"
conf ".hooks={createRuntime:[{path:\"$T/fds\",env:[\"PATH=/bin\"]}],poststart:[{path:\"$T/fds\",env:[\"PATH=/bin\"]}]}"
exec 9<"$T/hook"
oci run -b "$B" "$ID" </dev/null
exec 9<&-
unlike "a hook has no descriptors but its three" "$(grep -E ' ([4-9]|[0-9][0-9]+) -> ' "$T/fdout")" .
up '.hooks.startContainer=[{path:"/bin/sh",args:["sh","-c","echo ran >>/tmp/starts"]}]'
oci exec "$ID" true </dev/null
eq "exec runs no startContainer hook again" "$(cat "$B/rootfs/tmp/starts")" ran
down
