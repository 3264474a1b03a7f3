// SPDX-License-Identifier: GPL-3.0-or-later
/* Preloaded into a bash, right behind the runtime of the address sanitizer, by tests/sanitizers. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int __lsan_is_turned_off(void);

/*
 * Programs that bash starts are not under test, so they do not get LD_PRELOAD. unsetenv() would not do: bash has one of
 * its own, which knows nothing of this environment.
 */
__attribute__((constructor)) static void spare_children(void)
{
	static const char name[] = "LD_PRELOAD=";
	char **from = environ, **to = environ;

	for (; *from != NULL; from++) {
		if (strncmp(*from, name, strlen(name)) != 0)
			*to++ = *from;
	}
	*to = NULL;
}

/*
 * The search for leaks traces the process, so it fails if the process has a tracer; and if there are few descriptors it
 * waits for ever. In both cases it is turned off.
 */
int __lsan_is_turned_off(void)
{
	struct rlimit descriptors;
	char line[256];
	int tracer = 0;
	FILE *status;

	if (getrlimit(RLIMIT_NOFILE, &descriptors) < 0 || descriptors.rlim_cur < 64)
		return 1;
	status = fopen("/proc/self/status", "re");
	if (status == NULL)
		return 1;
	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "TracerPid: %d", &tracer);
	fclose(status);
	return tracer != 0;
}
