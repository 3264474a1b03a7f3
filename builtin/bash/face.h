/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the builtin share. Only they see bash's headers. */
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
	bool in_trap;     /* the call may have been made in a trap */
	int traps[NSIG];  /* in_trap: pending_traps when the call began */
	bool catches_int; /* SIGINT had its default action; it is caught, so that last words can be written */
	struct sigaction int_default;
};

/* Notes which signals the call does not obey. */
void face_signals_begin(struct face_signals *signals);

/* From now on SIGINT is caught if its default action would end the shell at once. */
void face_signals_catch_int(struct face_signals *signals);

/* Restores the signals. A SIGINT that was caught is sent again: it ends the shell, as it would have. */
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

/* Can the number of a descriptor go into it? Returns as face_check_array(). */
int face_check_variable(char option, const char *name, struct tp_why *why);

/* The name of the variable that this nameref leads to, or this name itself. */
const char *face_target(const char *name);

/* Sets the array's elements to these strings: count of them, one behind the other, each with its NUL. */
bool face_set_array(const char *name, const char *strings, size_t count);

/*
 * Hands a connection over as `exec {NAME}<>` would: at least 10, blocking, inherited. Takes fd in any case.
 * Returns 0 or an errno value.
 */
int face_set_descriptor(const char *name, int fd);

#endif
