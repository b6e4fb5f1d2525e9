/* SPDX-License-Identifier: MIT */
#include "oci/sync.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "sys/msg.h"

struct sync_record {
	uint32_t kind;
	int32_t value;
	char text[ERR_TEXT_MAX]; /* ERROR only, terminated */
};

int oci_sync_send(int sock, enum oci_sync_kind kind, int32_t value)
{
	struct sync_record rec = { .kind = kind, .value = value };

	return msg_send(sock, &rec, offsetof(struct sync_record, text), NULL, 0);
}

void oci_sync_send_err(int sock, const struct err *err)
{
	struct sync_record rec = { .kind = OCI_SYNC_ERROR, .value = err->code };

	memcpy(rec.text, err->text, sizeof(rec.text));
	(void) msg_send(sock, &rec, sizeof(rec), NULL, 0); /* nobody left to tell */
}

int oci_sync_recv(int sock, int32_t *ret_value, struct err *err)
{
	struct sync_record rec = { 0 };
	ssize_t n = msg_recv(sock, &rec, sizeof(rec), NULL, NULL);

	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return err_set(err, (int) n, "read from the container process");
	if (n < (ssize_t) offsetof(struct sync_record, text))
		return err_msg(err, -EPROTO, "short message from the container process");
	if (rec.kind == OCI_SYNC_ERROR) {
		rec.text[sizeof(rec.text) - 1] = '\0';
		return err_msg(err, rec.value < 0 ? rec.value : -EPROTO, "%s", rec.text);
	}
	if (ret_value != NULL)
		*ret_value = rec.value;
	return (int) rec.kind;
}

int oci_sync_expect(int sock, enum oci_sync_kind kind, int32_t *ret_value, struct err *err)
{
	int r = oci_sync_recv(sock, ret_value, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_msg(err, -EPIPE, "the peer of the container set-up died");
	if (r != (int) kind)
		return err_msg(err, -EPROTO, "unexpected message %d in the container set-up", r);
	return 0;
}
