// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_output.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tp_os.h"
#include "tp_says.h"

/* So much is kept back while results come without a wait: a write costs as much as many of them. */
#define MUCH 4096

/*
 * write(2), but a closed pipe is an error like any other: SIGPIPE would end the
 * shell that we are in.
 */
static ssize_t write_quietly(int fd, const char *bytes, size_t count)
{
	sigset_t pipe_signal, mask, pending;
	bool was_pending;
	ssize_t put;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_signal, &mask);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
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

/* May more be written? A signal ends that, except for last words. */
static bool goes_on(const struct tp_output *output)
{
	return output->error == 0 && (output->last_words || output->face->interrupted(output->face->context) == 0);
}

/* Past stdio, whose buffer would keep what a full disk refused and offer it again. */
void tp_output_flush(struct tp_output *output)
{
	const struct tp_face *face = output->face;
	const char *bytes = output->text.bytes;
	size_t left = output->text.length;

	if (output->text.failed && output->error == 0) {
		face->say(face->context, NULL, strerror(ENOMEM));
		output->error = ENOMEM;
	}
	if (left > 0)
		tp_output_hide_progress(output);
	while (left > 0 && goes_on(output)) {
		ssize_t put = write_quietly(STDOUT_FILENO, bytes, left);

		if (put >= 0) {
			bytes += put;
			left -= (size_t)put;
		} else if (errno == EAGAIN && !output->last_words) {
			/* A pipe that somebody has made non-blocking, and a slow reader. */
			face->wait(face->context, &(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1,
				   TP_NEVER);
		} else if (errno != EINTR) {
			output->error = errno;
			face->say(face->context, "write error", strerror(output->error));
		} else if (output->last_words) {
			/* A second signal: nobody waits for the last words. */
			break;
		}
	}
	tp_text_clear(&output->text);
}

void tp_output_end_line(struct tp_output *output)
{
	tp_put(&output->text, "\n");
	if (output->text.length >= MUCH || output->text.failed)
		tp_output_flush(output);
}

void tp_output_complain(struct tp_output *output, const char *message)
{
	if (output->text.length > 0)
		tp_output_flush(output);
	tp_output_hide_progress(output);
	output->face->say(output->face->context, NULL, message);
}

/* To standard error. What cannot be shown there is no loss. */
static void write_to_stderr(struct tp_text *text)
{
	if (text->length > 0 && write_quietly(STDERR_FILENO, text->bytes, text->length) < 0)
		text->failed = true;
	tp_text_free(text);
}

void tp_output_hint(struct tp_output *output)
{
	struct tp_text text = { 0 };

	(void)output;
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
	struct tp_text text = { 0 };

	tp_put_no_progress(&text, &output->progress);
	write_to_stderr(&text);
}
