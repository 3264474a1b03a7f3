// SPDX-License-Identifier: GPL-3.0-or-later
/* Helper processes: their answers, their deaths, and what they leave behind. */
#include <sched.h>

#include "files.h"
#include "names.h"
#include "tp_lookup.h"
#include "tp_os.h"
#include "unit.h"

static const struct name names[] = {
	{ .name = "one.test", .addresses = { "10.0.0.1" } },
	{ .name = "two.test", .addresses = { "fd00::1", "10.0.0.1" } },
	{ .name = "twice.test", .addresses = { "10.0.0.1", "10.0.0.2", "10.0.0.1", "fd00::1", "fd00::1", "10.0.0.2" } },
	{ .name = "mapped.test", .addresses = { "::ffff:10.0.0.1", "10.0.0.1", "::ffff:10.0.0.2" } },
	{ .name = "many.test", .many = 3000 },
	{ .name = "flood.test", .many = 6000 },
	{ .name = "none.test", .eai = EAI_AGAIN },
	{ .name = "broken.test", .eai = EAI_SYSTEM, .error = EIO },
	{ .name = "slow.test", .does = BLOCKS },
	{ .name = "deadly.test", .does = DIES },
	{ .name = NULL },
};

/* One resolver and what it left as it was. */
struct scene {
	struct tp_resolver *resolver;
	struct pollfd fds[TP_HELPERS];
	int descriptors;
	sigset_t mask;
};

static void enter(struct scene *scene, int64_t limit_us)
{
	shared->lookups = 0;
	shared->helpers = 0;
	scene->descriptors = count_descriptors();
	sigprocmask(SIG_BLOCK, NULL, &scene->mask);
	scene->resolver = tp_resolver_new((struct tp_helper_hook){ note_helper, NULL }, limit_us);
	if (scene->resolver == NULL)
		abort();
}

static void leave(struct scene *scene)
{
	sigset_t mask;

	tp_resolver_free(scene->resolver);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int sig = 1; sig < NSIG; sig++)
		CHECK_NUMBER(sigismember(&mask, sig), sigismember(&scene->mask, sig));
	CHECK_NUMBER(count_descriptors(), scene->descriptors);
	CHECK(no_child());
}

static struct tp_lookup *begin(struct scene *scene, const char *host, int family)
{
	struct tp_lookup *lookup = tp_lookup_new(host, family);

	if (lookup == NULL)
		abort();
	CHECK_NUMBER(tp_resolver_begin(scene->resolver, lookup, NULL, 0), 0);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_RUNNING);
	return lookup;
}

/* Waits for this one, however long: the harness ends what hangs. */
static void await(struct scene *scene, const struct tp_lookup *lookup)
{
	while (lookup->phase == TP_LOOKUP_RUNNING) {
		size_t count = tp_resolver_watch(scene->resolver, scene->fds);

		if (poll(scene->fds, count, -1) > 0)
			tp_resolver_collect(scene->resolver, scene->fds);
	}
}

static struct tp_lookup *look_up(struct scene *scene, const char *host, int family)
{
	struct tp_lookup *lookup = begin(scene, host, family);

	unit.row = host;
	await(scene, lookup);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_DONE);
	return lookup;
}

/* "10.0.0.1 fd00::1" */
static void check_addresses(const struct tp_lookup *lookup, const char *wanted)
{
	char text[TP_ADDRESS_TEXT], all[1024] = "";

	for (size_t i = 0; i < lookup->count; i++) {
		tp_address_text(&lookup->addresses[i], text);
		CHECK_NUMBER(tp_address_port(&lookup->addresses[i]), 0);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? " " : "", text);
	}
	CHECK_TEXT(all, wanted);
}

static void answers(void)
{
	static const struct {
		const char *host;
		int family;
		const char *addresses;
	} rows[] = {
		{ "one.test", AF_UNSPEC, "10.0.0.1" },
		{ "two.test", AF_UNSPEC, "fd00::1 10.0.0.1" },
		{ "two.test", AF_INET, "10.0.0.1" },
		{ "two.test", AF_INET6, "fd00::1" },
		{ "twice.test", AF_UNSPEC, "10.0.0.1 10.0.0.2 fd00::1" },
		{ "mapped.test", AF_UNSPEC, "10.0.0.1 10.0.0.2" },
	};
	struct scene scene;

	enter(&scene, 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_lookup *lookup = look_up(&scene, rows[i].host, rows[i].family);

		CHECK_NUMBER(lookup->eai, 0);
		check_addresses(lookup, rows[i].addresses);
		CHECK(lookup->duration_us >= 0);
		tp_lookup_release(lookup);
	}
	leave(&scene);
}

static void says_why_not(void)
{
	static const struct {
		const char *host;
		int eai, error;
	} rows[] = {
		{ "absent.test", EAI_NONAME, 0 },
		{ "none.test", EAI_AGAIN, 0 },
		{ "broken.test", EAI_SYSTEM, EIO },
	};
	struct scene scene;

	enter(&scene, 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_lookup *lookup = look_up(&scene, rows[i].host, AF_UNSPEC);

		CHECK_NUMBER(lookup->eai, rows[i].eai);
		CHECK_NUMBER(lookup->error, rows[i].error);
		CHECK_NUMBER(lookup->count, 0);
		CHECK(lookup->duration_us >= 0);
		tp_lookup_release(lookup);
	}
	leave(&scene);
}

static void reuses_a_helper(void)
{
	struct scene scene;

	enter(&scene, 0);
	for (int i = 0; i < 5; i++)
		tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	CHECK_NUMBER(shared->lookups, 5);
	CHECK_NUMBER(shared->helpers, 1);
	leave(&scene);
}

static void takes_the_longest_host(void)
{
	struct scene scene;
	struct tp_lookup *lookup;
	char host[TP_HOST_MAX + 1] = { 0 };

	memset(host, 'h', TP_HOST_MAX);
	enter(&scene, 0);
	lookup = look_up(&scene, host, AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, EAI_NONAME);
	tp_lookup_release(lookup);
	leave(&scene);
}

/* Replies that no read(2) takes whole, and one that is over every bound. */
static void takes_thousands_of_addresses(void)
{
	struct scene scene;
	struct tp_lookup *many, *flood;

	enter(&scene, 0);
	many = look_up(&scene, "many.test", AF_INET);
	CHECK_NUMBER(many->eai, 0);
	if (CHECK_NUMBER(many->count, 3000)) {
		for (uint32_t i = 0; i < many->count; i++)
			CHECK_NUMBER(ntohl(many->addresses[i].ipv4.sin_addr.s_addr), (UINT32_C(10) << 24) + i);
	}
	flood = look_up(&scene, "flood.test", AF_INET);
	CHECK_NUMBER(flood->eai, 0);
	CHECK(flood->count >= 3000 && flood->count <= 6000);
	tp_lookup_release(many);
	tp_lookup_release(flood);
	leave(&scene);
}

static void looks_up_several_at_once(void)
{
	struct scene scene;
	struct tp_lookup *slow, *fast;

	enter(&scene, 0);
	slow = begin(&scene, "slow.test", AF_UNSPEC);
	fast = look_up(&scene, "one.test", AF_UNSPEC);
	CHECK_NUMBER(fast->eai, 0);
	CHECK_NUMBER(slow->phase, TP_LOOKUP_RUNNING);
	tp_resolver_abandon(scene.resolver, slow);
	tp_lookup_release(slow);
	tp_lookup_release(fast);
	leave(&scene);
}

static void outlives_the_death_of_a_helper(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = look_up(&scene, "deadly.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, EAI_SYSTEM);
	CHECK_NUMBER(lookup->error, ECHILD);
	CHECK_NUMBER(lookup->count, 0);
	CHECK(no_child());
	tp_lookup_release(lookup);
	lookup = look_up(&scene, "one.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, 0);
	tp_lookup_release(lookup);
	leave(&scene);
}

static void wait_for_helpers(int count)
{
	while (shared->helpers < count)
		sched_yield();
}

static void outlives_the_murder_of_a_helper(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = begin(&scene, "slow.test", AF_UNSPEC);
	wait_for_helpers(1);
	CHECK_NUMBER(kill(shared->last_helper, SIGKILL), 0);
	await(&scene, lookup);
	CHECK_NUMBER(lookup->eai, EAI_SYSTEM);
	CHECK_NUMBER(lookup->error, ECHILD);
	CHECK(no_child());
	tp_lookup_release(lookup);
	leave(&scene);
}

/* It died idle, so nobody noticed: the next lookup finds nobody there and takes another. */
static void replaces_a_helper_that_died_idle(void)
{
	struct scene scene;
	struct tp_lookup *lookup;
	siginfo_t info;

	enter(&scene, 0);
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	CHECK_NUMBER(kill(shared->last_helper, SIGKILL), 0);
	waitid(P_PID, (id_t)shared->last_helper, &info, WEXITED | WNOWAIT);
	lookup = look_up(&scene, "one.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, 0);
	CHECK_NUMBER(shared->helpers, 2);
	tp_lookup_release(lookup);
	leave(&scene);
}

static void forgets_a_helper_that_was_reaped_by_another(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = begin(&scene, "slow.test", AF_UNSPEC);
	wait_for_helpers(1);
	kill(shared->last_helper, SIGKILL);
	CHECK_NUMBER(waitpid(-1, NULL, 0), shared->last_helper);
	await(&scene, lookup);
	CHECK_NUMBER(lookup->error, ECHILD);
	tp_lookup_release(lookup);
	leave(&scene);
}

static void leaves_nothing_of_what_is_given_up(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = begin(&scene, "slow.test", AF_UNSPEC);
	tp_resolver_abandon(scene.resolver, lookup);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_NEW);
	CHECK(no_child());
	CHECK_NUMBER(count_descriptors(), scene.descriptors);
	CHECK_NUMBER(tp_resolver_begin(scene.resolver, lookup, NULL, 0), 0);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_RUNNING);
	tp_resolver_abandon(scene.resolver, lookup);
	tp_lookup_release(lookup);
	leave(&scene);
}

static void leaves_nothing_of_what_still_runs(void)
{
	struct scene scene;
	struct tp_lookup *one, *two;

	enter(&scene, 0);
	one = begin(&scene, "slow.test", AF_UNSPEC);
	two = begin(&scene, "slow.test", AF_UNSPEC);
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	leave(&scene);
	CHECK_NUMBER(one->phase, TP_LOOKUP_RUNNING);
	tp_lookup_release(one);
	tp_lookup_release(two);
}

static void says_when_all_helpers_are_busy(void)
{
	struct tp_lookup *lookups[TP_HELPERS], *one_more = tp_lookup_new("one.test", AF_UNSPEC);
	struct scene scene;

	enter(&scene, 0);
	for (size_t i = 0; i < TP_HELPERS; i++)
		lookups[i] = begin(&scene, "slow.test", AF_UNSPEC);
	CHECK_NUMBER(tp_resolver_begin(scene.resolver, one_more, NULL, 0), EBUSY);
	CHECK_NUMBER(one_more->phase, TP_LOOKUP_NEW);
	tp_resolver_abandon(scene.resolver, lookups[TP_HELPERS / 2]);
	CHECK_NUMBER(tp_resolver_begin(scene.resolver, one_more, NULL, 0), 0);
	await(&scene, one_more);
	CHECK_NUMBER(one_more->eai, 0);
	leave(&scene);
	for (size_t i = 0; i < TP_HELPERS; i++)
		tp_lookup_release(lookups[i]);
	tp_lookup_release(one_more);
}

/* Where a signal's handler has a say: nothing but what it counts. */
static volatile sig_atomic_t children_ended;

static void reap_all(int sig)
{
	(void)sig;
	children_ended++;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static void keeps_its_helpers_from_a_handler(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	signal(SIGCHLD, reap_all);
	enter(&scene, 0);
	children_ended = 0;
	lookup = look_up(&scene, "deadly.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->error, ECHILD);
	tp_lookup_release(lookup);
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	CHECK_NUMBER(children_ended, 0);
	leave(&scene);
	signal(SIGCHLD, SIG_DFL);
}

static void works_where_children_are_ignored(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	signal(SIGCHLD, SIG_IGN);
	enter(&scene, 0);
	lookup = look_up(&scene, "one.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, 0);
	tp_lookup_release(lookup);
	lookup = look_up(&scene, "deadly.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->error, ECHILD);
	tp_lookup_release(lookup);
	lookup = begin(&scene, "slow.test", AF_UNSPEC);
	leave(&scene);
	tp_lookup_release(lookup);
	signal(SIGCHLD, SIG_DFL);
}

static void keeps_a_blocked_sigchld_blocked(void)
{
	struct scene scene;
	sigset_t sigchld;

	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigchld, NULL);
	enter(&scene, 0);
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	leave(&scene);
	sigprocmask(SIG_UNBLOCK, &sigchld, NULL);
}

static void touches_nothing_without_a_helper(void)
{
	struct scene scene;

	enter(&scene, 0);
	CHECK_NUMBER(count_descriptors(), scene.descriptors);
	CHECK(no_child());
	leave(&scene);
}

/* A helper keeps no descriptor of the caller's: the other end sees the close, though the helper lives. */
static void lets_no_helper_keep_a_connection(void)
{
	struct scene scene;
	struct tp_lookup *lookup;
	struct pollfd ours = { .events = POLLOUT };
	int pair[2];
	char byte;

	if (!CHECK_NUMBER(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0))
		return;
	enter(&scene, 0);
	ours.fd = pair[0];
	lookup = tp_lookup_new("slow.test", AF_UNSPEC);
	CHECK_NUMBER(tp_resolver_begin(scene.resolver, lookup, &ours, 1), 0);
	wait_for_helpers(1);
	close(pair[0]);
	CHECK_NUMBER(read(pair[1], &byte, 1), 0);
	tp_resolver_abandon(scene.resolver, lookup);
	tp_lookup_release(lookup);
	close(pair[1]);
	scene.descriptors -= 2;
	leave(&scene);
}

/* Two helpers: the second must not hold the channel of the first, or that would never see its end. */
static void lets_each_helper_see_its_end(void)
{
	struct scene scene;
	struct tp_lookup *one, *two;
	siginfo_t info;
	pid_t first;

	enter(&scene, 0);
	one = begin(&scene, "deadly.test", AF_UNSPEC);
	wait_for_helpers(1);
	first = shared->last_helper;
	two = begin(&scene, "slow.test", AF_UNSPEC);
	waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT);
	await(&scene, one);
	CHECK_NUMBER(one->error, ECHILD);
	CHECK_NUMBER(two->phase, TP_LOOKUP_RUNNING);
	tp_resolver_abandon(scene.resolver, two);
	tp_lookup_release(one);
	tp_lookup_release(two);
	leave(&scene);
}

static void lets_no_signal_into_a_helper(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	signal(SIGTERM, reap_all);
	enter(&scene, 0);
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	kill(shared->last_helper, SIGTERM);
	kill(shared->last_helper, SIGINT);
	kill(shared->last_helper, SIGHUP);
	lookup = look_up(&scene, "one.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, 0);
	CHECK_NUMBER(shared->helpers, 1);
	tp_lookup_release(lookup);
	leave(&scene);
	signal(SIGTERM, SIG_DFL);
}

static void ends_a_helper_that_nobody_ended(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 1);
	lookup = look_up(&scene, "slow.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, EAI_SYSTEM);
	CHECK_NUMBER(lookup->error, ECHILD);
	tp_lookup_release(lookup);
	leave(&scene);
}

static void reads_the_hosts_file_without_a_helper(void)
{
	struct tp_lookup *lookup = tp_lookup_new("two.test", AF_UNSPEC);

	nsswitch_file = "hosts: files dns\n";
	hosts_file = "10.0.0.1 two.test\n";
	shared->lookups = 0;
	CHECK(tp_lookup_at_once(lookup));
	check_addresses(lookup, "fd00::1 10.0.0.1");
	CHECK_NUMBER(shared->lookups, 1);
	CHECK(lookup->duration_us >= 0);
	CHECK(no_child());
	tp_lookup_release(lookup);
	hosts_file = NULL;
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a helper answers with the addresses, each once, in their order", answers },
		{ "a helper says why there is no address", says_why_not },
		{ "a helper is used again", reuses_a_helper },
		{ "the longest host is looked up", takes_the_longest_host },
		{ "a name may have thousands of addresses", takes_thousands_of_addresses },
		{ "a slow lookup keeps no other back", looks_up_several_at_once },
		{ "a helper that dies ends its lookup and leaves no zombie", outlives_the_death_of_a_helper },
		{ "so does a helper that is killed", outlives_the_murder_of_a_helper },
		{ "a helper that died idle is replaced", replaces_a_helper_that_died_idle },
		{ "a helper that was reaped by another is forgotten", forgets_a_helper_that_was_reaped_by_another },
		{ "a lookup that is given up leaves no child and no descriptor", leaves_nothing_of_what_is_given_up },
		{ "a resolver that is freed leaves none either", leaves_nothing_of_what_still_runs },
		{ "when all helpers are busy it says so, until one is free", says_when_all_helpers_are_busy },
		{ "a handler of SIGCHLD sees no helper", keeps_its_helpers_from_a_handler },
		{ "helpers work where SIGCHLD is ignored", works_where_children_are_ignored },
		{ "SIGCHLD stays blocked where it was", keeps_a_blocked_sigchld_blocked },
		{ "a resolver without a lookup does nothing", touches_nothing_without_a_helper },
		{ "a helper keeps no connection open", lets_no_helper_keep_a_connection },
		{ "a helper keeps no other helper's channel open", lets_each_helper_see_its_end },
		{ "no signal disturbs a helper", lets_no_signal_into_a_helper },
		{ "a helper gives up by itself when nobody else does it", ends_a_helper_that_nobody_ended },
		{ "a name of the hosts file needs no helper", reads_the_hosts_file_without_a_helper },
	};

	share();
	return UNIT_RUN(tests);
}
