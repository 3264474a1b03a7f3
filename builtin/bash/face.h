/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the builtin share. Only they see bash: its signals and its variables. */
#ifndef TP_BASH_FACE_H
#define TP_BASH_FACE_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_text.h"

/* -- signals.c */

struct face_signals {
	int traps[NSIG];  /* pending_traps that are not ours to obey: their trap is what we run in */
	bool catches_int; /* SIGINT had its default, and is caught so that there can be last words */
	struct sigaction int_default;
};

/* Which signals are not ours. */
void face_signals_begin(struct face_signals *signals);

/* From here on SIGINT is caught where it would end the shell at once. */
void face_signals_catch_int(struct face_signals *signals);

/* As they were. A SIGINT that was caught is sent anew: it ends the shell, as it would have. */
void face_signals_end(struct face_signals *signals);

/* The signal that ends the command, or 0: Ctrl-C, a signal that ends the shell, or a trap that waits to be run. */
int face_interrupted(const struct face_signals *signals);

/*
 * The engine's wait. bash's handlers only set flags, so all signals are blocked while the flags are looked at, and let
 * in by ppoll() alone: none is lost between the look and the wait.
 */
int face_wait(const struct face_signals *signals, struct pollfd *fds, nfds_t count, int64_t timeout_us);

/* -- variables.c */

/* Can reports go into this variable, as an indexed array? Returns 0, or EINVAL with the reason in *why. */
int face_check_array(char option, const char *name, struct tp_why *why);

/* Can a descriptor's number? */
int face_check_variable(char option, const char *name, struct tp_why *why);

/* The name of the variable that this one refers to, or is. */
const char *face_target(const char *name);

/* The array's elements are these strings from here on: count of them, one behind the other, each with its NUL. */
bool face_set_array(const char *name, const char *strings, size_t count);

/*
 * Hands a connection over as `exec {NAME}<>` would: at least 10, blocking, inherited. Takes fd in any case.
 * Returns 0 or an errno value.
 */
int face_set_descriptor(const char *name, int fd);

#endif
