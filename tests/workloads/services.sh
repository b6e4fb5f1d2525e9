#!/bin/bash
# SPDX-License-Identifier: MIT
# Two services that talk by name, from one image: a web server in a container, a database in a virtual machine.
. "$(dirname "$0")/lib.sh"
setup_debian debugfs python3
bin=$(dirname "$CLEAVE")
"$bin/cleave-vmm" --probe | grep -q ': yes' || skip "nothing here runs a stock kernel"
vm_image=$("$here/../guest/setup.sh") || exit 1
# shellcheck source=../vm/lib.sh
(here=$here/../vm && . "$here/lib.sh" && take_modules "$vm_image") || exit 1
cleave kernel add --modules "$(echo "$vm_image"/modules/modules/*)" "$vm_image/vmlinuz" >/dev/null || exit 1
pg=/usr/lib/postgresql/15/bin
data=/var/lib/postgresql/data
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# The files of the database are made by a container, for whoever runs it
run 0 --rm --network none --user postgres -v dbfiles:/var/lib/postgresql local/debian sh -c "$pg/initdb -D $data -A trust -E UTF8 --locale C.UTF-8 >/dev/null &&
	echo 'host all all all trust' >>$data/pg_hba.conf"
cleave network create shop >/dev/null
cleave run -d --vm --memory 512m --name db --network shop --network-alias database --user postgres -v dbfiles:/var/lib/postgresql \
	--stop-signal SIGINT local/debian $pg/postgres -D $data -k /tmp -c "listen_addresses=*" -c fsync=off >/dev/null || no "the database runs"
mkdir "$T/etc"
cat >"$T/etc/nginx.conf" <<-'END'
	daemon off; user www-data; pid /run/nginx.pid; worker_processes 1;
	error_log stderr notice;
	events {}
	http { server { listen 80; root /site; } }
END
cleave run -d --name web --network shop --network-alias www -p "$port:80" -v "$T/etc:/etc/nginx:ro" -v site:/site local/debian nginx >/dev/null || no "the web server runs"

sql() { timeout 60 "$CLEAVE" exec web psql -XAtq -h "$1" -U postgres -c "$2" 2>&1; }
ready() { [ "$(sql db 'select 1')" = 1 ]; }
until_true ready
is "from the container, by name" "$(sql db 'create table t as select generate_series(1, 1000) as n')" ''
is "by alias" "$(sql database 'select count(*), sum(n) from t')" '1000|500500'
is "it is a machine of its own" "$(sql db "select current_setting('data_directory')") $(cleave inspect -f '{{.HostConfig.Isolation}}' db)" "$data vm"
is "the server's page is of the database" "$(cleave exec web sh -c "psql -XAtq -h db -U postgres -c 'select sum(n) from t' >/site/sum"; timeout 20 python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode().strip())' "http://127.0.0.1:$port/sum")" 500500
page() { # NAME - as the machine sees it
	timeout 60 "$CLEAVE" exec db bash -c "exec 3<>/dev/tcp/$1/80 && printf 'GET /sum HTTP/1.0\r\n\r\n' >&3 && tail -n 1 <&3" 2>&1
}
is "from the machine, by name" "$(page web)" 500500
is "by alias, too" "$(page www)" 500500
is "what it asks" "$(cleave exec db sh -c 'sed -n "s/^nameserver //p" /etc/resolv.conf')" "$(cleave network inspect -f '{{(index .IPAM.Config 0).Gateway}}' shop)"
is "a name nobody has" "$(cleave exec db getent hosts nobody.shop; echo $?)" 2
is "stop" "$(cleave stop -t 60 db)" db
is "its name is gone" "$(cleave exec web getent hosts db; echo $?)" 2
cleave start db >/dev/null
until_true ready
is "what it knew it knows" "$(sql db 'select count(*), sum(n) from t')" '1000|500500'
cleave rm -f web db >/dev/null
rm -f "$T/run/cleave-kvm" # what KVM can do here
is "volumes are removed" "$(cleave volume rm dbfiles site | xargs)" "dbfiles site"
