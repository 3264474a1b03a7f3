// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_results.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * The sizes of blocks in bytes. Each block is twice as large as the one before it, so that a few targets cost little
 * and a million need few blocks. malloc(3) is quick to give one of the smallest size. The largest ones are mapped:
 * free(3) might keep their memory for ever, because something small lies behind it.
 */
#define BLOCK_MIN 1024
#define BLOCK_MAX 262144

struct tp_record_block {
	size_t size, used; /* in bytes, with this head */
	size_t records;    /* how many of its records are not released */
	max_align_t first[];
};

static struct tp_record_block *new_block(size_t size)
{
	struct tp_record_block *block;

	if (size < BLOCK_MAX) {
		block = malloc(size);
	} else {
		block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (block == MAP_FAILED)
			block = NULL;
	}
	if (block == NULL)
		return NULL;
	block->size = size;
	block->used = sizeof(*block);
	block->records = 0;
	return block;
}

static void free_block(struct tp_record_block *block)
{
	if (block->size < BLOCK_MAX)
		free(block);
	else
		munmap(block, block->size);
}

/* Returns this many bytes of a block, or NULL if memory is out. */
static void *carve(struct tp_results *results, size_t size)
{
	struct tp_record_block *block = results->block;
	void *place;

	if (block == NULL || block->size - block->used < size) {
		size_t next = block == NULL ? BLOCK_MIN : block->size;

		if ((block != NULL && next < BLOCK_MAX) || next - sizeof(*block) < size)
			next *= 2;
		/* A block without records was kept, because new ones might have fitted into it. */
		if (block != NULL && block->records == 0)
			free_block(block);
		results->block = block = new_block(next);
		if (block == NULL)
			return NULL;
	}
	place = (char *)block + block->used;
	block->used += size;
	block->records++;
	return place;
}

struct tp_record *tp_results_add(struct tp_results *results, struct tp_record *behind, const struct tp_endpoint *to,
				 size_t target)
{
	size_t length = strlen(to->host) + 1, align = _Alignof(struct tp_record);
	struct tp_record *record = carve(results, (sizeof(*record) + length + align - 1) / align * align);

	if (record == NULL)
		return NULL;
	*record = (struct tp_record){
		.block = results->block,
		.fd = -1,
		.lookup_us = -1,
		.connect_us = -1,
		.port = to->port,
		.family = (uint8_t)to->family,
		.target = target,
	};
	memcpy(record->host, to->host, length);
	if (behind == NULL)
		behind = results->newest;
	if (behind == results->newest)
		results->newest = record;
	if (behind == NULL) {
		results->oldest = record;
	} else {
		record->next = behind->next;
		behind->next = record;
	}
	results->count++;
	return record;
}

static void forget_icmp(struct tp_record *record)
{
	free(record->icmp);
	record->icmp = NULL;
}

void tp_record_put(struct tp_record *record, const struct tp_finish *finish)
{
	forget_icmp(record);
	free(record->banner);
	record->banner = finish->banner;
	record->state = (uint8_t)finish->state;
	record->in_lookup = finish->in_lookup;
	record->held = finish->held;
	record->eai = finish->eai;
	record->error = finish->error;
	record->fd = finish->fd;
	record->address = finish->address;
	record->connect_us = finish->connect_us;
	/* Without an ICMP error only the peer can have said anything. */
	record->by_peer = !finish->evidence.icmp && finish->evidence.reporter.any.sa_family != AF_UNSPEC;
	if (finish->evidence.icmp)
		record->icmp = malloc(sizeof(*record->icmp));
	/* If memory is out, the report says what happened, but not who said so. */
	if (record->icmp != NULL)
		*record->icmp = finish->evidence;
}

void tp_record_get(const struct tp_record *record, const struct tp_plan *plan, struct tp_result *result)
{
	*result = (struct tp_result){
		.host = record->host,
		.port = record->port,
		.state = record->state,
		.wanted = record->wanted,
		.status = record->wanted ? 0 : tp_state_status(record->state),
		.in_lookup = record->in_lookup,
		.expired = record->expired,
		.held = record->held,
		.one_address = plan->each_address,
		.eai = record->eai,
		.error = record->error,
		.fd = record->fd,
		.target = record->target,
		.try = record->try,
		.address = record->address,
		.lookup_us = record->lookup_us,
		.connect_us = record->connect_us,
		.time_us = record->time_us,
		.banner = record->banner,
		.best_row = record->best_row,
		.until = plan->until,
		.waited_us = plan->wait_us,
		.in_a_row = plan->in_a_row,
	};
	if (record->icmp != NULL)
		result->evidence = *record->icmp;
	else if (record->by_peer)
		result->evidence.reporter = record->address;
}

bool tp_results_share(const struct tp_results *results, const struct tp_record *record, const union tp_address *address)
{
	for (const struct tp_record *other = results->oldest; other != NULL; other = other->next) {
		if (other != record && other->target == record->target &&
		    tp_address_equal(&other->address, address, false))
			return true;
	}
	return false;
}

struct tp_record *tp_results_take(struct tp_results *results)
{
	struct tp_record *record = results->oldest;

	if (record == NULL)
		return NULL;
	results->oldest = record->next;
	if (results->oldest == NULL)
		results->newest = NULL;
	results->count--;
	return record;
}

void tp_results_release(struct tp_results *results, struct tp_record *record)
{
	struct tp_record_block *block = record->block;

	if (record->fd >= 0)
		close(record->fd);
	forget_icmp(record);
	free(record->banner);
	if (--block->records > 0)
		return;
	if (block == results->block)
		block->used = sizeof(*block);
	else
		free_block(block);
}

void tp_results_free(struct tp_results *results)
{
	struct tp_record *record;

	while ((record = tp_results_take(results)) != NULL)
		tp_results_release(results, record);
	if (results->block != NULL)
		free_block(results->block);
	results->block = NULL;
}
