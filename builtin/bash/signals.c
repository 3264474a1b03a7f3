// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "shell.h"
#include "quit.h"

#include "face.h"
#include "tp_os.h"

/*
 * bash's own, from headers that are not installed (trap.h, sig.h). The last two are absent from some versions. bash 4.2 has
 * no trapped_signal_received, and refuses the load: it keeps a signal pending, and unmarked, while its trap runs.
 */
extern int pending_traps[];
extern int trapped_signal_received;
extern int running_trap __attribute__((weak));
extern void sigint_sighandler(int sig) __attribute__((weak));

/* A trapped signal that came, or 0. */
static int trapped_signal(const struct face_signals *signals)
{
	/* This is called for every result, and nearly always finds nothing. */
	if (trapped_signal_received == 0)
		return 0;
	for (int sig = 1; sig < NSIG; sig++) {
		int before = signals->in_trap ? signals->traps[sig] : 0;

		/* The end of a background job, and a new window size, do not end the call. */
		if (pending_traps[sig] > before && sig != SIGCHLD && sig != SIGWINCH)
			return sig;
	}
	return 0;
}

int face_interrupted(const struct face_signals *signals)
{
	if (interrupt_state != 0)
		return SIGINT;
	return terminating_signal != 0 ? terminating_signal : trapped_signal(signals);
}

void face_signals_begin(struct face_signals *signals)
{
	/*
	 * Inside a trap, older bashes count its signal as pending until it has ended.
	 * Outside, one that is pending already came just before us, and counts.
	 */
	signals->in_trap = &running_trap == NULL || running_trap != 0;
	for (int sig = 1; sig < NSIG && signals->in_trap; sig++)
		signals->traps[sig] = pending_traps[sig];
	signals->catches_int = false;
}

void face_signals_catch_int(struct face_signals *signals)
{
	if (sigint_sighandler == NULL)
		return;
	sigaction(SIGINT, NULL, &signals->int_default);
	signals->catches_int = signals->int_default.sa_handler == SIG_DFL;
	if (signals->catches_int)
		sigaction(SIGINT, &(struct sigaction){ .sa_handler = sigint_sighandler }, NULL);
}

void face_signals_end(struct face_signals *signals)
{
	if (!signals->catches_int)
		return;
	signals->catches_int = false;
	sigaction(SIGINT, &signals->int_default, NULL);
	if (interrupt_state)
		kill(getpid(), SIGINT);
}

int face_wait(const struct face_signals *signals, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	sigset_t all, mask;
	int error = 0;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	if (face_interrupted(signals) == 0)
		error = tp_os_poll(fds, count, timeout_us, &mask);
	if (face_interrupted(signals) != 0)
		error = EINTR;
	else if (error == EINTR)
		error = 0;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return error;
}
