/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-monitor`
 *
 * Three small programs in one file, so that they share their pages: the parent of an instance's first
 * process (monitor.c), the foreground client of `cleave run` (attach.c), and the keeper of a user's
 * namespace, which does nothing.  cleave executes them; they are of no use on their own.
 */
#include "engine/monitor/monitor.h"
#include "bare/sys.h"

int program(int argc, char **argv)
{
	static const char usage[] = "cleave-monitor is started by cleave\n";

	if (argc > 3 && argv[1][0] == 'm')
		return monitor_run(argc - 2, argv + 2);
	if (argc > 2 && argv[1][0] == 'a')
		return attach_run(argc - 2, argv + 2);
	while (argc == 2 && argv[1][0] == 'k')
		(void) sys_poll(NULL, 0, -1); /* until somebody kills it */
	(void) sys_write_all(2, usage, sizeof(usage) - 1); /* nobody else to tell */
	return 125;
}
