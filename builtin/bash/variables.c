// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builtins.h"
#include "shell.h"
#include "common.h"

#include "face.h"
#include "tp_says.h"

/* Since bash 4.3, which brought namerefs; its number of arguments has changed, and the second of them does not matter. */
extern SHELL_VAR *find_variable_last_nameref(const char *name, int flags);

/* The variable is not set. Is it a nameref to something other than a name, for example an element of an array? */
static bool refers_to_no_name(const char *name)
{
	SHELL_VAR *reference = find_variable_last_nameref(name, 0);

	return reference != NULL && nameref_p(reference) &&
	       (nameref_cell(reference) == NULL || !legal_identifier(nameref_cell(reference)));
}

static int refuse(char option, const char *name, const char *what, struct tp_why *why)
{
	return tp_because(why, "-%c %s: %s", option, tp_quote(name).text, what);
}

int face_check_variable(char option, const char *name, struct tp_why *why)
{
	SHELL_VAR *variable = NULL;

	/* It may be meant as curl's -u USER:PASSWORD. */
	if (strchr(name, ':') != NULL)
		return tp_because(why, "-%c '...': " TP_SAYS_BAD_NAME, option);
	if (!legal_identifier(name))
		return refuse(option, name, TP_SAYS_BAD_NAME, why);
	variable = find_variable(name);
	if (variable == NULL)
		return refers_to_no_name(name) ? refuse(option, name, "a reference to no variable's name", why) : 0;
	if (readonly_p(variable) || noassign_p(variable))
		return refuse(option, name, TP_SAYS_READONLY, why);
	if (assoc_p(variable))
		return refuse(option, name, "an associative array", why);
	return 0;
}

int face_check_array(char option, const char *name, struct tp_why *why)
{
	const SHELL_VAR *variable;

	if (face_check_variable(option, name, why) != 0)
		return EINVAL;
	variable = find_variable(name);
	/* Values of an integer variable are evaluated as arithmetic, which can run commands. */
	if (variable != NULL && integer_p(variable))
		return refuse(option, name, "an integer variable", why);
	return 0;
}

const char *face_target(const char *name)
{
	SHELL_VAR *reference = find_variable_last_nameref(name, 0);

	return reference != NULL && nameref_p(reference) && nameref_cell(reference) != NULL ? nameref_cell(reference)
											    : name;
}

bool face_set_array(const char *name, const char *strings, size_t count)
{
	SHELL_VAR *array = find_or_make_array_variable((char *)name, 1);

	/* No trap can have run since the check. It is repeated because a mistake here would crash the shell. */
	if (array == NULL || !array_p(array) || readonly_p(array) || noassign_p(array))
		return false;
	array_flush(array_cell(array));
	VUNSETATTR(array, att_invisible);
	for (size_t i = 0; i < count; i++) {
		bind_array_element(array, (arrayind_t)i, (char *)strings, 0);
		strings += strlen(strings) + 1;
	}
	return true;
}

/* Returns 0, or an errno value and *high is closed. */
static int make_blocking(int fd, int *high)
{
	int flags, error = 0;

	*high = fcntl(fd, F_DUPFD, 10);
	/* EINVAL: ulimit -n allows no descriptor of 10 or more. */
	if (*high < 0)
		return errno == EINVAL ? EMFILE : errno;
	flags = fcntl(*high, F_GETFL);
	if (flags < 0 || fcntl(*high, F_SETFL, flags & ~O_NONBLOCK) < 0) {
		error = errno;
		close(*high);
	}
	return error;
}

int face_set_descriptor(const char *name, int fd)
{
	char number[16];
	int high, error = make_blocking(fd, &high);
	SHELL_VAR *variable;

	close(fd);
	if (error != 0)
		return error;
	snprintf(number, sizeof(number), "%d", high);
	variable = bind_variable(name, number, 0);
	if (variable == NULL || readonly_p(variable) || noassign_p(variable)) {
		close(high);
		return EPERM;
	}
	return 0;
}
