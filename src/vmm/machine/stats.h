/* SPDX-License-Identifier: MIT */
/*
 * What was counted: exits of processors, requests to devices.
 */
#pragma once

struct machine;
struct str;

/** stats_text() - append lines for people: what is zero is left out */
void stats_text(struct machine *m, struct str *ret);

/** stats_processors() - append a JSON list in the form of QEMU's "query-stats" */
void stats_processors(struct machine *m, struct str *ret);

/** stats_devices() - append a JSON list of virtio devices and their rings */
void stats_devices(struct machine *m, struct str *ret);
