// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tcpprobe as a loadable builtin of bash: the shell's words go to the command,
 * and what comes of it into the shell's variables. One binary serves bash 4.3
 * to 5.3, so only what is the same in all of them is used.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtins.h"
#include "shell.h"
#include "common.h"
#include "quit.h"

#include "face.h"
#include "tp_command.h"
#include "tp_state.h"

/* bash's own, from headers that are not installed (flags.h ...). */
extern int restricted;
extern int last_command_exit_value;

/* -- What the command asks of its face; the context is the signals */

static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	return face_wait(context, fds, count, timeout_us);
}

static int interrupted(void *context)
{
	return face_interrupted(context);
}

/* "script: line 3: tcpprobe: what: why", as bash has it. */
static void say(void *context, const char *what, const char *why)
{
	(void)context;
	if (what == NULL)
		builtin_error("%s", why);
	else
		builtin_error("%s: %s", what, why);
}

static int check_variables(const struct tp_options *options, struct tp_why *why)
{
	const char *reports = options->reports_name, *descriptor = options->descriptor_name;

	if (reports != NULL && face_check_array('o', reports, why) != 0)
		return EINVAL;
	if (descriptor != NULL && face_check_variable('u', descriptor, why) != 0)
		return EINVAL;
	if (reports != NULL && descriptor != NULL && strcmp(face_target(reports), face_target(descriptor)) == 0)
		return tp_because(why, "-o and -u name the same variable");
	return 0;
}

static int check(void *context, const struct tp_options *options, struct tp_why *why)
{
	if (restricted) {
		tp_because(why, "restricted");
		return EPERM;
	}
	/* Rounds until interrupted still sum up what they found. */
	if (options->repeat && options->verbose)
		face_signals_catch_int(context);
	return check_variables(options, why);
}

/* In a helper: variables that the script has exported (RES_OPTIONS, say) reach environ only now. */
static void export_variables(void *context)
{
	(void)context;
	maybe_make_export_env();
}

/* -- A call */

/*
 * Collects the command's words: in few, which has this much room, or in allocated memory. Returns NULL if memory is
 * out.
 */
static char **collect_words(const WORD_LIST *list, char *few[], size_t room, size_t *count)
{
	char **words = few;

	*count = 0;
	for (const WORD_LIST *word = list; word != NULL; word = word->next)
		++*count;
	if (*count > room)
		words = malloc(*count * sizeof(*words));
	for (size_t i = 0; words != NULL && i < *count; i++, list = list->next)
		words[i] = list->word->word;
	return words;
}

/*
 * Sets the variables that the options named. Must be done last, with nothing left to leak: binding a variable may jump
 * out of here. Returns the status.
 */
static int bind_variables(struct tp_outcome *outcome)
{
	int error;

	if (outcome->reports_name != NULL &&
	    !face_set_array(outcome->reports_name, outcome->reports.bytes, outcome->reports_count)) {
		say(NULL, outcome->reports_name, "it cannot be set");
		outcome->status = tp_state_status(TP_ERROR);
	}
	if (outcome->fd < 0)
		return outcome->status;
	if (outcome->status != 0) {
		/* A signal came after the handshake. The script sees a failure, so it will not close the connection. */
		close(outcome->fd);
		return outcome->status;
	}
	error = face_set_descriptor(outcome->descriptor_name, outcome->fd);
	if (error == 0)
		return 0;
	say(NULL, "-u", strerror(error));
	return tp_state_status(TP_ERROR);
}

static int tcpprobe_builtin(WORD_LIST *list)
{
	struct face_signals signals;
	const struct tp_face face = {
		.letter = 'b',
		.name = "builtin",
		.context = &signals,
		.wait = wait_for,
		.interrupted = interrupted,
		.say = say,
		.check = check,
		.helper_hook = { export_variables, NULL },
	};
	struct tp_outcome outcome;
	char *few[8], **words;
	size_t count;
	int status;

	face_signals_begin(&signals);
	words = collect_words(list, few, sizeof(few) / sizeof(*few), &count);
	if (words != NULL) {
		tp_command(&face, words, count, &outcome);
	} else {
		outcome = (struct tp_outcome){ .fd = -1, .status = tp_state_status(TP_ERROR) };
		say(NULL, NULL, strerror(ENOMEM));
	}
	if (words != few)
		free(words);
	status = bind_variables(&outcome);
	tp_text_free(&outcome.reports);
	/* Nothing is left to leak: QUIT may jump out of here. Old bashes must be told the status before that. */
	if (interrupt_state || terminating_signal)
		last_command_exit_value = status;
	face_signals_end(&signals);
	QUIT;
	return status;
}

static char *const long_doc[] = { (char *)tp_usage, NULL };

__attribute__((visibility("default"))) struct builtin tcpprobe_struct = {
	.name = (char *)"tcpprobe",
	.function = tcpprobe_builtin,
	.flags = BUILTIN_ENABLED,
	.long_doc = long_doc,
	.short_doc = tp_synopsis,
	.handle = NULL,
};
