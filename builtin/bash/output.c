// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "builtins.h"
#include "shell.h"
#include "common.h"

#include "face.h"
#include "tp_os.h"

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

void face_say(const char *what, const char *why)
{
	const char *colon = what == NULL ? "" : ": ";

	if (what == NULL)
		what = "";
	if (strcmp(dollar_vars[0], "tcpprobe") == 0)
		fprintf(stderr, "tcpprobe: %s%s%s\n", what, colon, why);
	else
		builtin_error("%s%s%s", what, colon, why);
}

/* Past stdio, whose buffer would keep what a full disk refused and offer it again. */
void face_flush(struct face_output *output)
{
	const char *bytes = output->text.bytes;
	size_t left = output->text.length;

	if (output->text.failed && output->error == 0) {
		face_say(NULL, strerror(ENOMEM));
		output->error = ENOMEM;
	}
	if (left > 0)
		face_hide_progress(output);
	while (left > 0 && output->error == 0 && (output->last_words || face_interrupted(output->signals) == 0)) {
		ssize_t put = write_quietly(STDOUT_FILENO, bytes, left);

		if (put >= 0) {
			bytes += put;
			left -= (size_t)put;
		} else if (errno == EAGAIN && !output->last_words) {
			/* A pipe that somebody has made non-blocking, and a slow reader. */
			face_wait(output->signals, &(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1,
				  TP_NEVER);
		} else if (errno != EINTR) {
			output->error = errno;
			face_say("write error", strerror(output->error));
		} else if (output->last_words) {
			/* Who interrupts last words wants none. */
			break;
		}
	}
	tp_text_clear(&output->text);
}

void face_flush_if_much(struct face_output *output)
{
	if (output->text.length >= MUCH || output->text.failed)
		face_flush(output);
}

void face_complain(struct face_output *output, const char *message)
{
	if (output->text.length > 0)
		face_flush(output);
	face_hide_progress(output);
	face_say(NULL, message);
}

/* To the terminal on standard error. What cannot be shown there is no loss. */
static void write_progress(struct tp_text *text)
{
	if (text->length > 0 && write_quietly(STDERR_FILENO, text->bytes, text->length) < 0)
		text->failed = true;
	tp_text_free(text);
}

void face_show_progress(struct face_output *output, struct tp_engine_counts counts)
{
	int64_t now_us = tp_os_now_us();
	struct tp_text text = { 0 };

	if (now_us < output->progress.due_us)
		return;
	tp_put_progress(&text, &output->progress, counts, now_us);
	write_progress(&text);
}

void face_hide_progress(struct face_output *output)
{
	struct tp_text text = { 0 };

	tp_put_no_progress(&text, &output->progress);
	write_progress(&text);
}
