/* SPDX-License-Identifier: MIT */
/**
 * DOC: instances that are started again by themselves
 *
 * What cleans up after an instance keeps the lock, waits, and starts it anew; in between the row says
 * "restarting".  The pauses double while it keeps ending early, as Docker's do.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/start.h"
#include "engine/stop.h"

#define BACKOFF_MIN_NS 100000000ll
#define BACKOFF_MAX_NS 60000000000ll
#define RAN_WELL_NS 10000000000ll /* after that the pauses begin anew */
#define SLICE_MS 50 /* how soon a wish to stop is seen */

bool eng_restart_wanted(const struct eng_instance *i, int exit_code)
{
	if (strcmp(i->restart, "always") == 0 || strcmp(i->restart, "unless-stopped") == 0)
		return true;
	return strcmp(i->restart, "on-failure") == 0 && exit_code != 0 &&
	       (i->restart_max == 0 || i->restarts < i->restart_max);
}

int64_t eng_restart_backoff(const struct eng_instance *i, int64_t ran)
{
	if (i->backoff == 0 || ran > RAN_WELL_NS)
		return BACKOFF_MIN_NS;
	return i->backoff * 2 < BACKOFF_MAX_NS ? i->backoff * 2 : BACKOFF_MAX_NS;
}

/* Return: false when somebody wants it stopped. */
static bool pause_between(struct engine *e, const struct eng_instance *i)
{
	for (int64_t ms = i->backoff / 1000000; ms > 0; ms -= SLICE_MS) {
		if (eng_stop_marked(e, i->id))
			return false;
		(void) poll(NULL, 0, (int) (ms < SLICE_MS ? ms : SLICE_MS));
	}
	return !eng_stop_marked(e, i->id);
}

int eng_restart(struct engine *e, const struct eng_instance *i, int lock, struct err *err)
{
	struct eng_config config;
	int client, r;

	if (!pause_between(e, i)) {
		r = db_run(e->db, err,
			   "UPDATE instance SET state = 'exited', stopped = 1, backoff = 0 WHERE id = ?",
			   "s", i->id);
		if (r >= 0)
			eng_run_remove(e, i->id);
		(void) close(lock);
		return r < 0 ? r : 0;
	}
	r = eng_instance_config(e, i, &config, err);
	if (r == 0) {
		r = db_run(e->db, err,
			   "UPDATE instance SET state = 'running', started = ? WHERE id = ?", "is",
			   time_now_ns(), i->id);
		if (r < 0)
			eng_config_fini(&config);
	}
	if (r < 0) {
		(void) close(lock); /* the next command cleans up */
		return r;
	}
	r = eng_start(e, i, &config, lock, false, &client, err);
	eng_config_fini(&config);
	return r;
}
