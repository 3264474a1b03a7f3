// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_output.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tp_os.h"
#include "tp_says.h"

/*
 * This much is kept back while results come without a wait, because a write costs as much as many results. Even with
 * one more line it usually fits into a pipe that is ready.
 */
#define MUCH 3840

/* At most this much is kept for slow readers. */
#define MOST 65536

/* A pipe that poll(2) reports as ready takes this much at once. */
#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

/* A reader that is reported as ready, but takes nothing this many times in a row, is not ready. */
#define REFUSED_MAX 1000

/* After a signal, the last words wait at most this long for a slow reader. */
#define LAST_WORDS_US 50000

/*
 * write(2), but a closed pipe is an error like any other: SIGPIPE would end the
 * shell that we are in.
 */
static ssize_t write_quietly(int fd, const char *bytes, size_t count)
{
	sigset_t pipe_signal, mask, pending;
	bool was_pending = false;
	ssize_t put;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_signal, &mask);
	/* Only if it was blocked before us can one be pending already. */
	if (sigismember(&mask, SIGPIPE) == 1) {
		sigpending(&pending);
		was_pending = sigismember(&pending, SIGPIPE) == 1;
	}
	put = write(fd, bytes, count);
	error = errno;
	if (put < 0 && error == EPIPE && !was_pending) {
		sigpending(&pending);
		if (sigismember(&pending, SIGPIPE) == 1)
			sigwait(&pipe_signal, &(int){ 0 });
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = error;
	return put;
}

/* A signal ends all writing, except for last words. */
static bool is_interrupted(const struct tp_output *output)
{
	return !output->last_words && output->face->interrupted(output->face->context) != 0;
}

/*
 * Not through stdio: its buffer would keep the bytes that a full disk refused, and write them again later. Returns how
 * many bytes were taken.
 */
static size_t write_some(struct tp_output *output, const char *bytes, size_t count)
{
	const struct tp_face *face = output->face;
	ssize_t put;

	if (output->error != 0)
		return count;
	put = write_quietly(STDOUT_FILENO, bytes, count < PIPE_BUF ? count : PIPE_BUF);
	if (put > 0 && (size_t)put <= count) {
		output->refused = 0;
		return (size_t)put;
	}
	if (put >= 0)
		errno = EIO;
	/* EAGAIN: somebody has made it non-blocking. */
	if ((errno == EAGAIN || errno == EINTR) && output->refused++ < REFUSED_MAX) {
		output->blocked_fd = errno == EAGAIN ? STDOUT_FILENO : -1;
		return 0;
	}
	output->error = errno;
	face->say(face->context, "write error", strerror(output->error));
	return count;
}

/*
 * Writes the beginning of the text: one message, or some of the bytes before the next message. Returns how many bytes
 * that was.
 */
static size_t write_first(struct tp_output *output, const char *bytes, size_t left)
{
	const struct tp_face *face = output->face;
	bool is_message = bytes[0] == '\0';
	int fd = is_message ? STDERR_FILENO : STDOUT_FILENO;
	const char *next;

	if (!tp_os_is_ready(fd, POLLOUT)) {
		output->blocked_fd = fd;
		return 0;
	}
	if (is_message) {
		face->say(face->context, NULL, bytes + 1);
		return strlen(bytes + 1) + 2;
	}
	next = memchr(bytes, '\0', left);
	return write_some(output, bytes, next == NULL ? left : (size_t)(next - bytes));
}

void tp_output_flush(struct tp_output *output)
{
	struct tp_text *text = &output->text;
	const struct tp_face *face = output->face;
	size_t written = 0;

	if (text->failed && output->error == 0) {
		face->say(face->context, NULL, strerror(ENOMEM));
		output->error = ENOMEM;
		tp_text_clear(text);
	}
	if (text->length == 0)
		return;
	output->blocked_fd = -1;
	tp_output_hide_progress(output);
	while (written < text->length && output->blocked_fd < 0 && !is_interrupted(output))
		written += write_first(output, text->bytes + written, text->length - written);
	if (written == text->length) {
		tp_text_clear(text);
	} else if (written > 0) {
		memmove(text->bytes, text->bytes + written, text->length + 1 - written);
		text->length -= written;
	}
}

int tp_output_finish(struct tp_output *output)
{
	const struct tp_face *face = output->face;
	int error = 0;

	do {
		struct pollfd reader = { .events = POLLOUT };

		tp_output_flush(output);
		reader.fd = output->blocked_fd;
		if (is_interrupted(output))
			error = EINTR;
		else if (output->text.length == 0 || reader.fd < 0)
			continue;
		else if (!output->last_words)
			error = face->wait(face->context, &reader, 1, TP_NEVER);
		else if (tp_os_poll(&reader, 1, LAST_WORDS_US, NULL) != 0 || reader.revents == 0)
			error = EINTR;
		if (error == 0 && reader.revents != 0 && output->refused++ >= REFUSED_MAX)
			error = EIO;
	} while (output->text.length > 0 && error == 0);
	/* Output whose reader could not be waited for is lost, which is a failure. */
	if (error != 0 && error != EINTR)
		output->error = error;
	tp_text_clear(&output->text);
	output->blocked_fd = -1;
	return error;
}

bool tp_output_is_full(const struct tp_output *output)
{
	return output->text.length >= MOST;
}

/* A reader that is known to be slow is not asked again before the loop has waited for it. */
void tp_output_end_line(struct tp_output *output)
{
	tp_put(&output->text, "\n");
	if ((output->text.length >= MUCH && output->blocked_fd < 0) || output->text.failed)
		tp_output_flush(output);
}

void tp_output_complain(struct tp_output *output, const char *what, const char *why)
{
	struct tp_text *text = &output->text;

	tp_put_bytes(text, "", 1);
	if (what != NULL) {
		tp_put(text, what);
		tp_put(text, ": ");
	}
	tp_put(text, why);
	tp_put_bytes(text, "", 1);
	if (output->blocked_fd < 0)
		tp_output_flush(output);
}

/* Writes to standard error, unless that would wait for its reader. A progress line that cannot be shown is no loss. */
static void write_to_stderr(struct tp_text *text)
{
	if (text->length > 0 && tp_os_is_ready(STDERR_FILENO, POLLOUT) &&
	    write_quietly(STDERR_FILENO, text->bytes, text->length) < 0)
		text->failed = true;
	tp_text_free(text);
}

void tp_output_hint(struct tp_output *output)
{
	struct tp_text text = { 0 };

	if (tp_output_finish(output) != 0)
		return;
	tp_put(&text, TP_SAYS_TRY_HELP "\n");
	write_to_stderr(&text);
}

void tp_output_show_progress(struct tp_output *output, struct tp_engine_counts counts)
{
	int64_t now_us = tp_os_now_us();
	struct tp_text text = { 0 };

	if (now_us < output->progress.due_us)
		return;
	tp_put_progress(&text, &output->progress, counts, now_us);
	write_to_stderr(&text);
}

void tp_output_hide_progress(struct tp_output *output)
{
	if (output->progress.width > 0) {
		struct tp_text text = { 0 };

		tp_put_no_progress(&text, &output->progress);
		write_to_stderr(&text);
	}
}
