/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of services to ports: the system's list and our own. */
#ifndef TP_SERVICES_H
#define TP_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed it has read nothing yet; freed by tp_services_free(). */
struct tp_services {
	char *list; /* the system's, as a text; NULL: it was not read yet, or there is none */
	/* What was asked for lately: a long list of targets has the same names again and again. */
	struct tp_service *lately;
};

/* The port of this name, or 0: by the system's list, then ours; of a scheme the other way round. It may have parts: git+https. */
uint16_t tp_service_port(struct tp_services *services, const char *name, bool scheme);

void tp_services_free(struct tp_services *services);

#endif
