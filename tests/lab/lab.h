/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the servers of the lab have in common: a clock, a lifetime, a way to
 * wait, a line that says they are ready.
 */
#ifndef TP_LAB_H
#define TP_LAB_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LAB_NEVER INT64_MAX

static volatile sig_atomic_t lab_stop;

static inline int64_t lab_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void lab_die(const char *what)
{
	perror(what);
	exit(1);
}

/* Reads a number from min to max. Anything else ends the program. */
static inline double lab_number(const char *text, double min, double max)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n >= min && n <= max)) {
		fprintf(stderr, "%s: a number from %g to %g is wanted\n", text, min, max);
		exit(2);
	}
	return n;
}

static inline void lab_on_stop(int sig)
{
	(void)sig;
	lab_stop = 1;
}

/* The signal is handled only inside lab_poll(), so that none is missed between a look at its flag and the wait. */
static inline void lab_catch(int sig, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(sig, &action, NULL);
}

/*
 * Stop on SIGTERM, on SIGINT, and with the parent. A shell starts its
 * background jobs with SIGINT ignored: then Ctrl-C is meant for others.
 */
static inline void lab_begin(void)
{
	pid_t parent = getppid();
	struct sigaction old;

	lab_catch(SIGTERM, lab_on_stop);
	sigaction(SIGINT, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		lab_catch(SIGINT, lab_on_stop);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(0);
	prctl(PR_SET_TIMERSLACK, 1UL);
}

/* Wait until the descriptor is readable, due_us has come, or a signal has. */
static inline void lab_poll(int fd, int64_t due_us)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t left_us = 0;
	struct timespec left;
	sigset_t none;

	if (due_us != LAB_NEVER && due_us > lab_now_us())
		left_us = due_us - lab_now_us();
	if (left_us < 0)
		left_us = 0;
	left.tv_sec = left_us / 1000000;
	left.tv_nsec = left_us % 1000000 * 1000;
	sigemptyset(&none);
	if (ppoll(&pfd, 1, due_us == LAB_NEVER ? NULL : &left, &none) < 0 && errno != EINTR)
		lab_die("ppoll");
}

static inline void lab_say(const char *line)
{
	puts(line);
	fflush(stdout);
}

#endif
