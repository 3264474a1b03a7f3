/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of one try: of its lookup, of one of its addresses, which then becomes that of the whole race, or both. */
#ifndef TP_FINISH_H
#define TP_FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_banner.h"
#include "tp_os.h"
#include "tp_state.h"

/* The fields that are not explained here are those of struct tp_result. */
struct tp_finish {
	enum tp_state state;
	bool absent; /* this host lacks the address family: any other failure tells more */
	bool in_lookup;
	bool held;
	int eai;
	int error;
	int fd;
	union tp_address address;
	struct tp_evidence evidence;
	int64_t connect_us;
	struct tp_banner *banner; /* owned */
};

#endif
