// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * libnss_lab.so.2: a bad name service, for `hosts: files lab dns` in nsswitch.conf. It crashes on crash.nss, hangs on
 * hang.nss, and knows no other name.
 */
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gaih_addrtuple;

enum nss_status _nss_lab_gethostbyname4_r(const char *name, struct gaih_addrtuple **list, char *buffer, size_t size,
					  int *error, int *host_error, int32_t *ttl);
enum nss_status _nss_lab_gethostbyname3_r(const char *name, int family, struct hostent *host, char *buffer, size_t size,
					  int *error, int *host_error, int32_t *ttl, char **canonical);
enum nss_status _nss_lab_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size,
					  int *error, int *host_error);

static enum nss_status look_up(const char *name, int *error, int *host_error)
{
	if (strcmp(name, "crash.nss") == 0)
		abort();
	while (strcmp(name, "hang.nss") == 0)
		pause();
	*error = ENOENT;
	*host_error = HOST_NOT_FOUND;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_lab_gethostbyname4_r(const char *name, struct gaih_addrtuple **list, char *buffer, size_t size,
					  int *error, int *host_error, int32_t *ttl)
{
	(void)list, (void)buffer, (void)size, (void)ttl;
	return look_up(name, error, host_error);
}

enum nss_status _nss_lab_gethostbyname3_r(const char *name, int family, struct hostent *host, char *buffer, size_t size,
					  int *error, int *host_error, int32_t *ttl, char **canonical)
{
	(void)family, (void)host, (void)buffer, (void)size, (void)ttl, (void)canonical;
	return look_up(name, error, host_error);
}

enum nss_status _nss_lab_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size,
					  int *error, int *host_error)
{
	(void)family, (void)host, (void)buffer, (void)size;
	return look_up(name, error, host_error);
}
