/* SPDX-License-Identifier: MIT */
#pragma once

struct engine;

#define ENG_EVENTS "events" /* file of the store; a line of JSON per event */
#define ENG_EVENTS_OLD "events.1" /* what was in it before */

/**
 * eng_event() - note that something happened
 * @type: "container", "image", "volume"
 * @action: Docker's word: "create", "start", "die", ...
 * @id: what it happened to
 * @attributes: pairs of name and value, ended by NULL; a value that is NULL is left out
 *
 * A line in the file ENG_EVENTS, in the form of Docker's event messages.  What cannot be written is lost.
 */
void eng_event(struct engine *e, const char *type, const char *action, const char *id,
	       const char *const *attributes);
