/* SPDX-License-Identifier: MIT */
#pragma once

/**
 * names_keep() - stay, and have a child go on that does the work
 * @argv: cleave-names RUNROOT NETWORK ROOT MONITOR
 * When the child is killed or stopped this process becomes `cleave _names`, which starts the resolver anew; when this one is
 * killed, so is the child, from names_confine() on.
 * Return: pid of this process, in the child only; -errno.
 */
long names_keep(char **argv);
