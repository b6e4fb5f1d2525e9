#!/bin/bash
# SPDX-License-Identifier: MIT
# A web server: the host's network, its log, a new configuration by a signal, a root nobody can write to.
. "$(dirname "$0")/lib.sh"
setup_debian python3
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$T/etc" "$T/site"
echo 'first page' >"$T/site/index.html"

# configure TEXT - the server's answer at /answer
configure() {
	cat >"$T/etc/nginx.conf" <<-EOF
		daemon off; user www-data; pid /run/nginx.pid; worker_processes 2;
		error_log stderr notice;
		events {}
		http {
			access_log /dev/stdout;
			server {
				listen 127.0.0.1:$port;
				root /site;
				location = /answer { default_type text/plain; return 200 '$1'; }
			}
		}
	EOF
}
get() {
	python3 - "$port" "$@" <<-'EOF'
		import sys, urllib.error, urllib.request
		for path in sys.argv[2:]:
		    try:
		        text = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}{path}", timeout=5).read()
		        print(text.decode().strip())
		    except urllib.error.HTTPError as e:
		        print(e.code)
	EOF
}
healthy() { [ "$(cleave inspect -f '{{.State.Health.Status}}' web)" = healthy ]; }
answers() { [ "$(get /answer 2>/dev/null)" = "$1" ]; }

configure one
cleave run -d --name web --network host --read-only --tmpfs /run --tmpfs /var/lib/nginx --tmpfs /var/log/nginx \
	--cap-drop ALL --cap-add CHOWN --cap-add SETUID --cap-add SETGID --security-opt no-new-privileges \
	--stop-signal SIGQUIT -v "$T/etc:/etc/nginx:ro" -v "$T/site:/site:ro" --restart unless-stopped \
	--health-cmd "cat /run/nginx.pid" --health-interval 1s local/debian nginx >/dev/null
is "status of run" $? 0
until_true answers one
is "it serves files of the host" "$(get / /missing)" $'first page\n404'
mapfile -t paths < <(seq -f '/?%g' 200)
is "many requests" "$(get "${paths[@]}" | sort | uniq -c | tr -s ' ')" ' 200 first page'
until_true logged web '"GET /?200 HTTP/1.1" 200'
is "all of them are in the log" "$(cleave logs web 2>/dev/null | grep -c '"GET /?')" 200
is "its log has both streams" "$(cleave logs web 2>&1 >/dev/null | grep -c 'start worker process ')" 2
until_true healthy

configure two
is "kill" "$(cleave kill -s HUP web)" web
until_true answers two
logged web 'SIGHUP) received' || no "reload is in the log" "$(cleave logs --tail 5 web)"
is "it was not restarted for that" "$(cleave inspect -f '{{.RestartCount}} {{.State.Running}}' web)" '0 true'

out=$(cleave exec web touch /etc/new 2>&1)
is "status of a write to its root" $? 1
like "nothing can be written to its root" "$out" 'Read-only file system'
is "to a tmpfs it can" "$(cleave exec web sh -c 'touch /run/new && echo done')" 'done'

is "stop" "$(cleave stop -t 30 web)" web
is "exit status after stop" "$(cleave inspect -f '{{.State.ExitCode}}' web)" 0
logged web 'SIGQUIT) received, shutting down' || no "the stop signal was SIGQUIT" "$(cleave logs --tail 5 web)"
is "start" "$(cleave start web)" web
until_true answers two
