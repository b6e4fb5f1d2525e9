#!/bin/bash
# SPDX-License-Identifier: MIT
# Health checks: states, results, time limits, and that nothing of them remains.
. "$(dirname "$0")/lib.sh"
setup
health() { cleave inspect -f '{{.State.Health.Status}}' "$1"; }
is_() { [ "$(health "$1")" = "$2" ]; }
cleave run -d --name one --health-cmd 'echo looked; test -e /ok' --health-interval 100ms --health-retries 2 cleave/tiny sleep 1000 >/dev/null
is "at first" "$(health one)" starting
like "in ps" "$(cleave ps)" 'health: starting|unhealthy'
until_true is_ one unhealthy
like "ps says so" "$(cleave ps)" '\(unhealthy\)'
is "--filter health" "$(cleave ps -q -f health=unhealthy | wc -l) $(cleave ps -q -f health=healthy | wc -l)" '1 0'
is "what it printed" "$(cleave inspect -f '{{(index .State.Health.Log 0).Output}}{{(index .State.Health.Log 0).ExitCode}}' one)" $'looked\n1'
cleave exec one touch /ok
until_true is_ one healthy
is "failures in a row" "$(cleave inspect -f '{{.State.Health.FailingStreak}}' one)" 0
sleep 0.6
is "five results are kept" "$(cleave inspect -f '{{len .State.Health.Log}}' one)" 5
# a check that takes too long is killed
cleave run -d --name two --health-cmd 'sleep 1000' --health-interval 100ms --health-timeout 200ms --health-retries 1 cleave/tiny sleep 1000 >/dev/null
until_true is_ two unhealthy
like "the reason" "$(cleave inspect -f '{{(index .State.Health.Log 0).Output}}' two)" 'exceeded timeout \(200 ms\)'
few() { [ "$(cleave exec two ps | grep -c 'sleep 1000')" -le 2 ]; }
until_true few
# failures while it starts do not count
cleave run -d --name three --health-cmd false --health-interval 100ms --health-start-period 1000s --health-start-interval 50ms --health-retries 1 cleave/tiny sleep 1000 >/dev/null
sleep 0.5
is "in the start period" "$(health three)" starting
# a program that is not there
cleave run -d --name four --health-cmd none --health-interval 50ms --health-retries 1 cleave/tiny sleep 1000 >/dev/null
until_true is_ four unhealthy
# again after a new start
cleave restart -t 0 one >/dev/null
until_true is_ one healthy
cleave run -d --name five --no-healthcheck cleave/tiny sleep 1000 >/dev/null
is "without a check" "$(cleave inspect -f '{{.State.Health}}' five)" '<no value>'
cleave pause one >/dev/null
sleep 0.3
is "a paused one is left alone" "$(health one)" healthy
cleave rm -f one two three four five >/dev/null
none() { ! pgrep -f "^cleave --root $T/root.* _health" >/dev/null; }
until_true none
like "events" "$(cat "$CLEAVE_ROOT/events")" '"health_status: healthy"'

# a check by hand, and what follows from bad health
cleave rm -fa >/dev/null
cleave run -d --name hand --health-cmd 'test ! -e /bad' --health-interval 1h cleave/tiny sleep 1000 >/dev/null
is "healthcheck run" "$(cleave healthcheck run hand; echo $?)" 0
cleave exec hand touch /bad
is "healthcheck run of one that is not well" "$(cleave healthcheck run hand; echo $?)" $'unhealthy\n1'
is "it counts" "$(cleave inspect -f '{{.State.Health.Status}} {{.State.Health.FailingStreak}} {{len .State.Health.Log}}' hand)" 'healthy 1 2'
cleave kill hand >/dev/null
cleave wait hand >/dev/null
refuse 125 'not running' healthcheck run hand
cleave run -d --name none cleave/tiny sleep 1000 >/dev/null
refuse 125 'has no health check' healthcheck run none
# only by hand
cleave run -d --name only --health-cmd 'test ! -e /bad' --health-interval disable --health-retries 2 cleave/tiny sleep 1000 >/dev/null
only() { cleave inspect -f '{{.State.Health.Status}} {{.State.Health.FailingStreak}} {{.Config.Healthcheck.Interval}}' only; }
is "before the first check" "$(only)" 'starting 0 0'
cleave exec only touch /bad
cleave healthcheck run only >/dev/null
is "one failure" "$(only)" 'starting 1 0'
cleave healthcheck run only >/dev/null
is "one too many" "$(only)" 'unhealthy 2 0'
is "nobody else looks" "$(pgrep -f "^cleave --root $T/root.* _health .*$(cleave inspect -f '{{.Id}}' only)")" ''
cleave restart -t 0 only >/dev/null
is "after a restart" "$(only)" 'starting 0 0'
cleave run -d --name once --health-cmd false --health-interval disable --health-retries 1 --health-on-failure kill cleave/tiny sleep 1000 >/dev/null
is "healthcheck run does what --health-on-failure wants" "$(cleave healthcheck run once; cleave wait once)" $'unhealthy\n137'
for action in kill stop restart; do
	cleave run -d --name $action --health-on-failure $action --health-cmd 'test ! -e /bad' --health-interval 100ms \
		--health-retries 1 --stop-timeout 0 -v "$T:/t" cleave/tiny sh -c "rm -f /bad; echo x >>/t/$action; exec sleep 1000" >/dev/null
	is "--health-on-failure $action: it is well" "$(timeout 20 "$CLEAVE" wait --condition healthy $action)" -1
	cleave exec $action touch /bad
done
for action in kill stop; do
	is "--health-on-failure $action" "$(timeout 20 "$CLEAVE" wait $action)" 137
done
twice() { [ "$(wc -l <"$T/restart")" = 2 ]; }
until_true twice
is "--health-on-failure restart: it is well again" "$(timeout 20 "$CLEAVE" wait --condition healthy restart)" -1
is "only once" "$(sleep 0.5; wc -l <"$T/restart")" 2
is "--health-on-failure none" "$(cleave run --rm --health-on-failure none cleave/tiny echo hi)" hi
refuse 125 'there is no health check' run --health-on-failure kill cleave/tiny true
refuse 125 'none, kill, restart and stop are known' run --health-cmd x --health-on-failure explode cleave/tiny true
is "why it was killed stays" "$(cleave inspect -f '{{.State.Health.Status}} {{len .State.Health.Log | lt 0}}' kill)" 'unhealthy true'
