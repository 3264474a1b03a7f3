// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tcpprobe as a program: main, signals, and the COMMAND that takes its place.
 * It works as process 1 too, for which no signal has a default action.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tp_command.h"
#include "tp_os.h"
#include "tp_state.h"
#include "tp_text.h"

/* Each ends the program; INT first, as the others' handlers are made like its own. */
static const int stops[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define STOPS (sizeof(stops) / sizeof(*stops))

/* The signal that came first, or 0. A handler may only write to a variable of this type. */
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	if (stopped == 0)
		stopped = sig;
}

/*
 * Sets the handlers, and returns the old actions. Signals that the parent ignores (nohup, a job in the background) stay
 * ignored.
 */
static void catch_stops(struct sigaction before[])
{
	struct sigaction action = { .sa_handler = stop };

	for (size_t i = 0; i < STOPS; i++)
		sigaddset(&action.sa_mask, stops[i]);
	for (size_t i = 0; i < STOPS; i++) {
		sigaction(stops[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(stops[i], &action, NULL);
	}
}

static void restore_stops(const struct sigaction before[])
{
	for (size_t i = 0; i < STOPS; i++)
		sigaction(stops[i], &before[i], NULL);
}

/* -- What the command asks of its face */

/* These signals are blocked while we look, and let in by ppoll() alone: none is lost between the look and the wait. */
static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	sigset_t blocked, mask;
	int error = 0;

	(void)context;
	sigemptyset(&blocked);
	for (size_t i = 0; i < STOPS; i++)
		sigaddset(&blocked, stops[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	if (stopped == 0)
		error = tp_os_poll(fds, count, timeout_us, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (stopped != 0)
		return EINTR;
	return error == EINTR ? 0 : error;
}

static int interrupted(void *context)
{
	(void)context;
	return stopped;
}

static void say(void *context, const char *what, const char *why)
{
	(void)context;
	fprintf(stderr, "tcpprobe: %s%s%s\n", what == NULL ? "" : what, what == NULL ? "" : ": ", why);
}

/* -- The end */

/*
 * Dies of the signal, so that a shell that waits for us sees its own Ctrl-C in
 * our end and does not go on with its script. Process 1 survives even that.
 */
static int die_of(int sig)
{
	/* QUIT would write a core file. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	raise(sig);
	return TP_STATUS_SIGNAL + sig;
}

/* Statuses as env(1) has them. */
static int become(char *command[])
{
	struct tp_text shown = { 0 };
	struct tp_quoted quoted;
	char *blank;
	int error;

	execvp(command[0], command);
	error = errno;
	/*
	 * The user forgot env(1) in `-- PASSWORD=... server`: the word may be secret. Or all words stand in one, as in
	 * `-- "mysql -pPASSWORD"`: then the first is shown.
	 */
	blank = strchr(command[0], ' ');
	if (blank != NULL)
		*blank = '\0';
	tp_put(&shown, tp_path(command[0], &quoted));
	if (blank != NULL)
		tp_put(&shown, " ...");
	say(NULL, shown.bytes, strerror(error));
	tp_text_free(&shown);
	return error == ENOENT ? 127 : TP_STATUS_COMMAND;
}

int main(int argc, char *argv[])
{
	const struct tp_face face = {
		.letter = 'p',
		.name = "program",
		.wait = wait_for,
		.interrupted = interrupted,
		.say = say,
	};
	struct sigaction before[STOPS];
	struct tp_outcome outcome;

	/* For hosts with letters beyond ASCII. Our numbers obey no locale. */
	setlocale(LC_CTYPE, "");
	catch_stops(before);
	tp_command(&face, argv + 1, argc > 0 ? (size_t)argc - 1 : 0, &outcome);
	tp_text_free(&outcome.reports);
	restore_stops(before);
	if (stopped != 0)
		return die_of(stopped);
	if (outcome.status == 0 && outcome.command > 0)
		return become(argv + 1 + outcome.command);
	return outcome.status;
}
