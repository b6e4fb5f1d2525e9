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
