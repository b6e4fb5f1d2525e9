/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_instance;
struct engine;
struct img_words;

#define ENG_EVENTS "events" /* file of the store; a line of JSON per event */
#define ENG_EVENTS_OLD "events.1" /* what was in it before */
#define ENG_EVENT_MAX 65536 /* bytes of a line; labels that would make it longer are left out */

/**
 * eng_event() - note that something happened
 * @type: "image", "volume"
 * @action: Docker's word: "create", "tag", ...
 * @id: what it happened to
 * @attributes: pairs of name and value, ended by NULL; a value that is NULL is left out
 *
 * A line in the file ENG_EVENTS, in the form of Docker's event messages.  What cannot be written is lost.
 */
void eng_event(struct engine *e, const char *type, const char *action, const char *id,
	       const char *const *attributes);

/**
 * eng_event_of() - the same of an instance; its image, name and labels are attributes, too
 * @labels: "NAME=VALUE"; NULL: those of its configuration, which is read
 * @more: as @attributes of eng_event(); NULL without any
 */
void eng_event_of(struct engine *e, const struct eng_instance *i, const char *action,
		  const struct img_words *labels, const char *const *more);
