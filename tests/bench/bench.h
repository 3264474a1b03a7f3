/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the floors: plain C programs that show the least that the same work can cost. */
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

#endif
