/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-monitor`
 *
 * Two small programs in one file, so that they share their pages: the parent of an instance's first
 * process (monitor.c), and the foreground client of `cleave run` (attach.c).  cleave executes both;
 * they are of no use on their own.
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
	(void) sys_write_all(2, usage, sizeof(usage) - 1); /* nobody else to tell */
	return 125;
}
