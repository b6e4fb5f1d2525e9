/* SPDX-License-Identifier: MIT */
/**
 * DOC: control socket
 *
 * Clients send JSON objects, with or without new lines between them; each is answered by one, and
 * events come between answers.  A client that does not read is dropped, never waited for.
 * Spec: QEMU docs/interop/qmp-spec.
 */
#include "vmm/control/qmp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/core/conn.h"
#include "vmm/core/loop.h"
#include "vmm/core/trace.h"
#include "vmm/machine/machine.h"

/**
 * struct client - a connection
 * @in: what came and is not answered; @scan: where it goes on looking for the end of an object
 * @depth, @quoted, @escaped: of that place in the object
 * @ready: it has negotiated: commands are carried out, events are sent
 */
struct client {
	struct qmp *qmp;
	struct conn conn;
	bool ready, quoted, escaped;
	unsigned depth;
	size_t scan;
	struct str in;
};

struct qmp {
	struct machine *machine;
	struct loop *loop;
	const char *path;
	int fd;
	struct loop_source source;
	struct client client[QMP_CLIENTS_MAX];
};

static void say(struct client *c, const struct str *text)
{
	str_add(&c->conn.out, text->p, text->len);
	str_puts(&c->conn.out, "\r\n");
	conn_flush(&c->conn);
}

static void add_error(struct str *s, const char *class, const char *text)
{
	json_open(s, "error", '{');
	json_text(s, "class", class);
	json_text(s, "desc", text);
	json_close(s, '}');
}

static const struct qmp_command *find(const char *name)
{
	REGISTRY_FOREACH(it, qmp_commands)
		if (strcmp((*it)->name, name) == 0)
			return *it;
	return NULL;
}

int qmp_read(const struct qmp_call *c)
{
	return c->in->code;
}

int qmp_need(const struct qmp_call *c, const char *key, const char **ret)
{
	*ret = json_get_str(c->in, c->args, key);
	if (*ret == NULL && c->in->code == 0)
		return err_msg(c->err, -EINVAL, "Parameter '%s' is missing", key);
	return c->in->code;
}

int qmp_no_device(const struct qmp_call *c, const char *id)
{
	*c->class = "DeviceNotFound";
	return err_msg(c->err, -ENODEV, "Device '%s' not found", id);
}

static bool has_word(const char *words, const struct json *member)
{
	size_t n;

	for (const char *p = words; *p != '\0'; p += n + (p[n] == ' ')) {
		p += *p == '*';
		n = strcspn(p, " ");
		if (n == member->key_len && memcmp(p, member->key, n) == 0)
			return true;
	}
	return false;
}

int qmp_only(const struct json *object, const char *words, struct err *err)
{
	for (const struct json *it = object != NULL ? object->first : NULL; it != NULL; it = it->next)
		if (!has_word(words, it))
			return err_msg(err, -EINVAL, "Parameter '%.64s' is unexpected", it->key);
	return 0;
}

/* False with an error in the reply. */
static bool carry_out(struct client *c, const struct qmp_command *cmd, struct json_in *in, const struct json *args,
		      struct str *reply)
{
	_cleanup_(str_fini) struct str value = { 0 };
	const char *class = "GenericError";
	struct err err = { 0 };
	const struct qmp_call call = { .m = c->qmp->machine, .name = cmd->name, .in = in, .args = args,
				       .passed = &c->conn.passed, .ret = &value, .class = &class, .err = &err };
	int r = qmp_only(args, cmd->args, &err);

	if (r == 0)
		r = cmd->run(&call);
	if (in->code < 0) /* an argument of the wrong kind */
		add_error(reply, "GenericError", in->err->text);
	else if (r < 0 || value.failed)
		add_error(reply, class, r < 0 ? err.text : "no memory");
	else
		json_raw(reply, "return", value.len > 0 ? value.p : "{}");
	return in->code == 0 && r == 0 && !value.failed;
}

/* In the set because clients look for it there.  There is no capability that a client could want. */
static int negotiate(const struct qmp_call *c)
{
	if (json_get_array(c->in, c->args, "enable", UINT32_MAX) != NULL)
		return err_msg(c->err, -EINVAL, "there is no capability to enable");
	return qmp_read(c);
}
QMP_COMMAND(capabilities, "qmp_capabilities", "*enable", negotiate);

/* Which command it is, whether it may be given now: NULL with an error in the reply. */
static const struct qmp_command *choose(const struct client *c, const char *name, struct str *reply)
{
	const struct qmp_command *cmd = find(name);
	_cleanup_(str_fini) struct str text = { 0 };

	if (!c->ready && cmd != &capabilities)
		str_puts(&text, "Expecting capabilities negotiation with 'qmp_capabilities'");
	else if (c->ready && cmd == &capabilities)
		str_puts(&text, "Capabilities negotiation is already complete, command ignored");
	else if (cmd == NULL)
		str_printf(&text, "The command %.64s has not been found", name);
	else
		return cmd;
	add_error(reply, "CommandNotFound", text.failed ? "no memory" : text.p);
	return NULL;
}

static void answer(struct client *c, struct json_in *in, struct str *reply)
{
	const struct json *args = json_get_object(in, in->root, "arguments");
	const char *name = json_get_str(in, in->root, "execute");
	const struct json *id = json_get(in, in->root, "id");
	const struct qmp_command *cmd;
	struct err err = { 0 };

	if (in->code < 0) {
		add_error(reply, "GenericError", in->err->text);
	} else if (qmp_only(in->root, "execute arguments id", &err) < 0) {
		add_error(reply, "GenericError", err.text);
	} else if (name == NULL) {
		add_error(reply, "GenericError", "QMP input lacks member 'execute'");
	} else if ((cmd = choose(c, name, reply)) != NULL) {
		c->ready |= carry_out(c, cmd, in, args, reply);
	}
	if (id != NULL)
		json_node(reply, "id", id);
}

static void take_request(struct client *c, const char *text, size_t len)
{
	_cleanup_(str_fini) struct str reply = { 0 };
	struct arena strings = { 0 };
	struct err err = { 0 };
	struct json_in in;

	TRACE(TRACE_CONTROL, "%.*s", (int) len, text);
	json_open(&reply, NULL, '{');
	if (json_parse(&in, "request", &strings, text, len, &err) < 0)
		add_error(&reply, "GenericError", err.text);
	else if (in.root->kind != JSON_KIND_OBJECT)
		add_error(&reply, "GenericError", "request: expected an object");
	else
		answer(c, &in, &reply);
	json_close(&reply, '}');
	json_fini(&in);
	arena_fini(&strings);
	say(c, &reply);
}

/* Length of the first whole object (or nonsense up to a new line) in what came; 0 when there is none yet. */
static size_t next_request(struct client *c)
{
	for (; c->scan < c->in.len; c->scan++) {
		char b = c->in.p[c->scan];

		if (c->quoted) {
			c->quoted = c->escaped || b != '"';
			c->escaped = !c->escaped && b == '\\';
			continue;
		}
		if (b == '"') {
			c->quoted = true;
		} else if (b == '{' || b == '[') {
			c->depth++;
		} else if (b == '}' || b == ']') {
			if (c->depth <= 1)
				return c->scan + 1;
			c->depth--;
		} else if (b == '\n' && c->depth == 0) {
			return c->scan + 1;
		}
	}
	return 0;
}

static bool is_blank(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
		p++;
		n--;
	}
	return n == 0;
}

static bool take_all(void *arg, const char *data, size_t len)
{
	struct client *c = arg;
	size_t n;

	str_add(&c->in, data, len);
	while ((n = next_request(c)) > 0) {
		if (!is_blank(c->in.p, n))
			take_request(c, c->in.p, n);
		c->scan = 0;
		c->depth = 0;
		c->quoted = c->escaped = false;
		memmove(c->in.p, c->in.p + n, c->in.len - n);
		c->in.len -= n;
	}
	return !c->in.failed && c->in.len <= QMP_REQUEST_MAX;
}

static void forget(void *arg)
{
	struct client *c = arg;

	str_fini(&c->in);
	*c = (struct client) { .qmp = c->qmp, .conn = CONN_NONE };
}

static const struct conn_ops conn_ops = { .input = take_all, .ended = forget };

static void greet(struct client *c)
{
	_cleanup_(str_fini) struct str s = { 0 };

	str_puts(&s, "{\"QMP\": {\"version\": " QMP_VERSION ", \"capabilities\": []}}");
	say(c, &s);
}

static void accept_ready(void *arg, uint32_t events)
{
	struct qmp *q = arg;
	int fd = accept4(q->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void) events;
	for (unsigned i = 0; i < QMP_CLIENTS_MAX && fd >= 0; i++) {
		struct client *c = &q->client[i];

		if (c->conn.fd >= 0 || conn_open(&c->conn, q->loop, fd, &conn_ops, c) < 0)
			continue;
		greet(c);
		return;
	}
	if (fd >= 0)
		(void) close(fd); /* too many */
}

static void send_event(void *arg, const char *name, const char *data)
{
	_cleanup_(str_fini) struct str s = { 0 };
	struct qmp *q = arg;
	int64_t now = time_now_ns();

	json_open(&s, NULL, '{');
	json_open(&s, "timestamp", '{');
	json_int(&s, "seconds", now / 1000000000);
	json_int(&s, "microseconds", now % 1000000000 / 1000);
	json_close(&s, '}');
	json_text(&s, "event", name);
	if (data != NULL)
		json_raw(&s, "data", data);
	json_close(&s, '}');
	for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++) {
		struct client *c = &q->client[i];

		if (c->conn.fd >= 0 && c->ready && c->conn.out.len < CONN_BACKLOG_MAX)
			say(c, &s);
	}
}

int qmp_new(struct machine *m, int listener, const char *path, struct qmp **ret, struct err *err)
{
	struct qmp *q = calloc(1, sizeof(*q));
	int r = q == NULL ? -ENOMEM : 0;

	if (r == 0) {
		*q = (struct qmp) { .machine = m, .loop = machine_vm(m)->loop, .path = path, .fd = listener,
				    .source.fd = -1 };
		for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++)
			q->client[i] = (struct client) { .qmp = q, .conn = CONN_NONE };
		r = loop_add(q->loop, &q->source, listener, EPOLLIN, accept_ready, q);
	}
	if (r < 0) {
		(void) close(listener); /* nobody is connected */
		free(q);
		return err_set(err, r, "control socket '%s'", path);
	}
	machine_on_event(m, send_event, q);
	*ret = q;
	return 0;
}

void qmp_free(struct qmp *q)
{
	if (q == NULL)
		return;
	machine_on_event(q->machine, NULL, NULL);
	for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++) {
		conn_close(&q->client[i].conn);
		forget(&q->client[i]);
	}
	loop_remove(q->loop, &q->source);
	(void) close(q->fd); /* nobody is connected */
	free(q);
}
