/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A harness for tests without bash: a list of sentences and functions in, TAP
 * out. A check that fails is shown and the test goes on; all of them run in one
 * process, so that valgrind and the sanitizers see everything.
 */
#ifndef TP_UNIT_H
#define TP_UNIT_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tells MSan what libc has written, which it cannot see. */
#ifdef __has_feature
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define unit_written(place, size) __msan_unpoison(place, size)
#define unit_written_text(text) __msan_unpoison_string(text)
#endif
#endif
#ifndef unit_written
#define unit_written(place, size) ((void)0)
#define unit_written_text(text) ((void)0)
#endif

/* Most rows of a list of tests end before `quick`. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
struct unit_test {
	const char *sentence;
	void (*run)(void);
	bool quick; /* it relies on a few milliseconds being enough: see unit_run_one() */
};

#define QUICK true

static struct {
	bool failed;
	const char *skipped;  /* why */
	const char *row;      /* the row of a table that a check is about */
	long long stalled_us; /* unit_stalled_us() when the test began */
} unit;

/* Shows a text without bytes that would break the line or disturb the terminal. */
static inline void unit_show(const char *text)
{
	for (; *text != '\0'; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static inline bool unit_fail(const char *file, int line, const char *what)
{
	unit.failed = true;
	printf("# %s:%d: ", file, line);
	unit_show(what);
	if (unit.row != NULL) {
		printf(", at: ");
		unit_show(unit.row);
	}
	printf("\n");
	return false;
}

static inline bool unit_check(bool holds, const char *file, int line, const char *what)
{
	return holds || unit_fail(file, line, what);
}

static inline bool unit_numbers(long long actual, long long wanted, const char *file, int line, const char *what)
{
	char text[512];

	if (actual == wanted)
		return true;
	snprintf(text, sizeof(text), "%s is %lld, not %lld", what, actual, wanted);
	return unit_fail(file, line, text);
}

static inline bool unit_texts(const char *actual, const char *wanted, const char *file, int line, const char *what)
{
	char text[4096];

	if (strcmp(actual, wanted) == 0)
		return true;
	snprintf(text, sizeof(text), "%s is \"%.1800s\", not \"%.1800s\"", what, actual, wanted);
	return unit_fail(file, line, text);
}

/* The value of each is whether the check holds. */
#define CHECK(condition) unit_check(condition, __FILE__, __LINE__, "not so: " #condition)
#define CHECK_NUMBER(actual, wanted) unit_numbers((long long)(actual), (long long)(wanted), __FILE__, __LINE__, #actual)
#define CHECK_TEXT(actual, wanted) unit_texts(actual, wanted, __FILE__, __LINE__, #actual)

/* Skips the test, because what it is about cannot be had here. The test must return right after this. */
static inline void unit_skip(const char *why)
{
	unit.skipped = why;
}

static inline bool unit_is_emulated(void)
{
	const char *as = getenv("TP_AS");

	return as != NULL && strstr(as, "emulated") != NULL;
}

/* Ends the program if a test hangs. The alarm leaves enough time for valgrind on a busy machine. */
static inline void unit_hang(int sig)
{
	static const char text[] = "Bail out! the test hangs\n";

	(void)sig;
	_exit(write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? 2 : 1);
}

/*
 * How long, in us, something on this machine has waited for a processor, for memory or for a disk. The kernel counts it
 * in /proc/pressure; 0 if it does not.
 */
static inline long long unit_stalled_us(void)
{
	static const char *const paths[] = { "/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io" };
	long long stalled_us = 0, total;

	/* By open(2): tests have an fopen(3) of their own. */
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char text[256];
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		ssize_t length = read(fd, text, sizeof(text) - 1);

		close(fd);
		text[length > 0 ? length : 0] = '\0';
		unit_written(text, sizeof(text));
		if (sscanf(text, "some %*s %*s %*s total=%lld", &total) == 1)
			stalled_us += total;
	}
	return stalled_us;
}

/*
 * Runs a test. One that relies on time is skipped on an emulated processor (tests/arches). If it fails while other
 * processes are in its way, the failure proves nothing, and the test runs again, up to 20 times in all.
 */
static inline void unit_run_one(const struct unit_test *test)
{
	for (int round = 1;; round++) {
		long long stalled_us;

		memset(&unit, 0, sizeof(unit));
		unit.stalled_us = unit_stalled_us();
		alarm(120);
		if (test->quick && unit_is_emulated()) {
			unit_skip("contract: an emulated processor is too slow for this test");
			return;
		}
		test->run();
		stalled_us = unit_stalled_us() - unit.stalled_us;
		if (!unit.failed || !test->quick || stalled_us < 1000 || round == 20)
			return;
		printf("# again: other processes were in the way for %lld us\n", stalled_us);
	}
}

/* Runs all tests. Returns the exit status. */
static inline int unit_run(const struct unit_test *tests, size_t count)
{
	int status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, unit_hang);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		unit_run_one(&tests[i]);
		printf("%sok %zu - %s", unit.failed ? "not " : "", i + 1, tests[i].sentence);
		if (unit.skipped != NULL)
			printf(" # SKIP %s", unit.skipped);
		printf("\n");
		if (unit.failed)
			status = 1;
	}
	return status;
}

#define UNIT_RUN(tests) unit_run(tests, sizeof(tests) / sizeof(*(tests)))

/* How many rows a table has. */
#define ROWS(table) (sizeof(table) / sizeof(*(table)))

/* Does it have a byte that a terminal obeys? Written apart from tp_control_length(), which is under test. */
static inline bool has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)text[0], next = (unsigned char)text[1];

		if (byte <= 0x1f || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next <= 0x9f))
			return true;
	}
	return false;
}

#endif
