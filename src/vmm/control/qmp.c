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
#include <fcntl.h>
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
#include "vmm/core/loop.h"
#include "vmm/core/trace.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/parts.h"

/**
 * struct client - a connection
 * @in: what came and is not answered; @scan: where it goes on looking for the end of an object
 * @depth, @quoted, @escaped: of that place in the object
 * @ready: it has negotiated: commands are carried out, events are sent
 */
struct client {
	struct qmp *qmp;
	struct loop_source source;
	int fd;
	bool ready, quoted, escaped;
	unsigned depth;
	size_t scan;
	struct str in, out;
};

struct qmp {
	struct machine *machine;
	struct loop *loop;
	const char *path;
	int fd;
	struct loop_source source;
	struct client client[QMP_CLIENTS_MAX];
};

static void hang_up(struct client *c)
{
	if (c->fd < 0)
		return;
	loop_remove(c->qmp->loop, &c->source);
	(void) close(c->fd); /* what was not sent is lost */
	str_fini(&c->in);
	str_fini(&c->out);
	*c = (struct client) { .qmp = c->qmp, .fd = -1, .source.fd = -1 };
}

static void flush(struct client *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* later, or the connection's end is reported */
		memmove(c->out.p, c->out.p + n, c->out.len - (size_t) n);
		c->out.len -= (size_t) n;
	}
	(void) loop_change(c->qmp->loop, &c->source, EPOLLIN | (c->out.len > 0 ? EPOLLOUT : 0)); /* it is watched */
}

static void say(struct client *c, const struct str *text)
{
	str_add(&c->out, text->p, text->len);
	str_puts(&c->out, "\r\n");
	flush(c);
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
		return err_msg(c->err, -EINVAL, "%s: '%s' is missing", c->name, key);
	return c->in->code;
}

static void carry_out(struct client *c, const struct qmp_command *cmd, struct json_in *in, const struct json *args,
		      struct str *reply)
{
	_cleanup_(str_fini) struct str value = { 0 };
	struct err err = { 0 };
	const struct qmp_call call = { .m = c->qmp->machine, .name = cmd->name, .in = in, .args = args, .ret = &value,
				       .err = &err };
	int r = cmd->run(&call);

	if (in->code < 0) /* an argument of the wrong kind */
		add_error(reply, "GenericError", in->err->text);
	else if (r < 0 || value.failed)
		add_error(reply, "GenericError", r < 0 ? err.text : "no memory");
	else
		json_raw(reply, "return", value.len > 0 ? value.p : "{}");
}

/* Answered below; in the set because clients look for it there. */
static const struct qmp_command capabilities = { .name = "qmp_capabilities" };
REGISTRY_ADD(qmp_commands, capabilities);

static void answer(struct client *c, struct json_in *in, struct str *reply)
{
	const struct json *args = json_get_object(in, in->root, "arguments");
	const char *name = json_get_str(in, in->root, "execute");
	const struct json *id = json_get(in, in->root, "id");
	const struct qmp_command *cmd = name != NULL ? find(name) : NULL;

	if (in->code < 0 || name == NULL) {
		add_error(reply, "GenericError", in->code < 0 ? in->err->text : "no member 'execute'");
	} else if (!c->ready && cmd != &capabilities) {
		add_error(reply, "CommandNotFound", "expecting capabilities negotiation with 'qmp_capabilities'");
	} else if (cmd == &capabilities) {
		if (c->ready)
			add_error(reply, "CommandNotFound", "capabilities are negotiated already");
		else
			json_raw(reply, "return", "{}");
		c->ready = true;
	} else if (cmd == NULL) {
		_cleanup_(str_fini) struct str text = { 0 };

		str_printf(&text, "the command %.64s has not been found", name);
		add_error(reply, "CommandNotFound", text.failed ? "no such command" : text.p);
	} else {
		carry_out(c, cmd, in, args, reply);
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

static void take_all(struct client *c)
{
	size_t n;

	while (c->fd >= 0 && (n = next_request(c)) > 0) {
		if (!is_blank(c->in.p, n))
			take_request(c, c->in.p, n);
		c->scan = 0;
		c->depth = 0;
		c->quoted = c->escaped = false;
		memmove(c->in.p, c->in.p + n, c->in.len - n);
		c->in.len -= n;
	}
}

/* What a client sends, and a descriptor that comes with it; the last one counts. */
static ssize_t receive(struct client *c, char *buf, size_t size)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} u;
	struct iovec iov = { buf, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct parts *parts = machine_parts(c->qmp->machine);
	struct cmsghdr *h = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (h == NULL || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(int)))
		return n;
	if (parts->passed >= 0)
		(void) close(parts->passed); /* nobody asked for it */
	memcpy(&parts->passed, CMSG_DATA(h), sizeof(int));
	return n;
}

static void client_ready(void *arg, uint32_t events)
{
	struct client *c = arg;
	char buf[4096];
	ssize_t n = 0;

	if (events & EPOLLOUT)
		flush(c);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = receive(c, buf, sizeof(buf));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		str_add(&c->in, buf, (size_t) n);
		take_all(c);
	}
	if (n <= 0 || c->in.failed || c->in.len > QMP_REQUEST_MAX || c->out.failed || c->out.len > QMP_BACKLOG_MAX)
		hang_up(c);
}

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

		if (c->fd >= 0 || loop_add(q->loop, &c->source, fd, EPOLLIN, client_ready, c) < 0)
			continue;
		c->fd = fd;
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

		if (c->fd >= 0 && c->ready && c->out.len < QMP_BACKLOG_MAX)
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
			q->client[i] = (struct client) { .qmp = q, .fd = -1, .source.fd = -1 };
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
	for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++)
		hang_up(&q->client[i]);
	loop_remove(q->loop, &q->source);
	(void) close(q->fd); /* nobody is connected */
	free(q);
}
