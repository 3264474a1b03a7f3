// SPDX-License-Identifier: GPL-3.0-or-later
/* Helper processes: their answers, their deaths, and what they leave behind. */
#include <sched.h>
#include <sys/resource.h>

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
	{ .name = "lost6.test", .addresses = { "10.0.0.1", "fd00::1" }, .silent = SILENT_ALL | SILENT_IPV6 },
	{ .name = "lost4.test", .addresses = { "10.0.0.1", "fd00::1" }, .silent = SILENT_ALL | SILENT_IPV4 },
	{ .name = "four.test", .addresses = { "10.0.0.1" }, .silent = SILENT_ALL },
	{ .name = "denied.test", .silent = SILENT_ALL },
	{ .name = "late6.test", .addresses = { "10.0.0.1", "fd00::1" }, .silent = SILENT_ALL, .later_ms = 200 },
	{ .name = "soon6.test", .addresses = { "10.0.0.1", "fd00::1" }, .silent = SILENT_ALL, .later_ms = 10 },
	{ .name = "patient.test", .addresses = { "10.0.0.1" }, .silent = SILENT_IPV4 | SILENT_IPV6, .delay_ms = 400 },
	{ .name = "deadly.test", .does = DIES },
	{ .name = NULL },
};

/* A resolver, and what it must leave as it was. */
struct scene {
	struct tp_resolver *resolver;
	struct pollfd fds[4096];
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
	CHECK(no_child_left());
}

static struct tp_lookup *begin(struct scene *scene, const char *host, int family)
{
	struct tp_lookup *lookup = tp_lookup_new(host, family);

	if (lookup == NULL)
		abort();
	shared->ipv4_answers = 0;
	CHECK_NUMBER(tp_resolver_begin(scene->resolver, lookup, NULL, 0), 0);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_RUNNING);
	return lookup;
}

/* Waits once, for whatever comes first. */
static void turn(struct scene *scene)
{
	int64_t due_us = tp_resolver_due_us(scene->resolver), now_us = tp_os_now_us();
	size_t count = tp_resolver_watch(scene->resolver, scene->fds);
	sigset_t mask;

	CHECK_NUMBER(count, tp_resolver_watched(scene->resolver));
	sigprocmask(SIG_BLOCK, NULL, &mask);
	if (due_us != TP_NEVER)
		due_us = due_us > now_us ? due_us - now_us : 0;
	tp_os_poll(scene->fds, count, due_us, &mask);
	tp_resolver_collect(scene->resolver, scene->fds, 0);
}

/* Waits until this lookup has ended, however long it takes. The harness ends tests that hang. */
static void await(struct scene *scene, const struct tp_lookup *lookup)
{
	while (lookup->phase == TP_LOOKUP_RUNNING)
		turn(scene);
}

/* Waits until connecting may begin, and returns after how many ms. */
static int64_t await_ready(struct scene *scene, const struct tp_lookup *lookup)
{
	while (!lookup->ready)
		turn(scene);
	return (tp_os_now_us() - lookup->started_us) / 1000;
}

static struct tp_lookup *look_up(struct scene *scene, const char *host, int family)
{
	struct tp_lookup *lookup = begin(scene, host, family);

	unit.row = host;
	await(scene, lookup);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_DONE);
	return lookup;
}

/* Checks the addresses in the order of a walk, as "10.0.0.1 fd00::1". */
static void check_addresses(const struct tp_lookup *lookup, const char *wanted)
{
	char text[TP_ADDRESS_TEXT], all[1024] = "";
	const union tp_address *address;
	struct tp_walk walk = { 0 };

	while ((address = tp_walk_next(&walk, lookup)) != NULL) {
		tp_walk_take(&walk, address);
		tp_address_text(address, text);
		CHECK_NUMBER(tp_address_port(address), 0);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", *all != '\0' ? " " : "", text);
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
		{ "twice.test", AF_UNSPEC, "10.0.0.1 fd00::1 10.0.0.2" },
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
		CHECK_NUMBER(tp_lookup_count(lookup), 0);
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

/* One reply is too long for a single read(2); the other would have more addresses than any bound allows. */
static void takes_thousands_of_addresses(void)
{
	struct scene scene;
	struct tp_lookup *many, *flood;

	enter(&scene, 0);
	many = look_up(&scene, "many.test", AF_INET);
	CHECK_NUMBER(many->eai, 0);
	if (CHECK_NUMBER(tp_lookup_count(many), 3000)) {
		for (uint32_t i = 0; i < 3000; i++)
			CHECK_NUMBER(ntohl(many->families[TP_IPV4].list[i].ipv4.sin_addr.s_addr),
				     (UINT32_C(10) << 24) + i);
	}
	flood = look_up(&scene, "flood.test", AF_INET);
	CHECK_NUMBER(flood->eai, 0);
	CHECK(tp_lookup_count(flood) >= 3000 && tp_lookup_count(flood) <= 6000);
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

/* Waits until all ended helpers are reaped. They are, even if nothing else happens. */
static void until_no_child(struct scene *scene)
{
	while (!no_child())
		turn(scene);
}

static void outlives_the_death_of_a_helper(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = look_up(&scene, "deadly.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, EAI_AGAIN);
	CHECK_NUMBER(lookup->error, 0);
	CHECK_NUMBER(tp_lookup_count(lookup), 0);
	until_no_child(&scene);
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
	lookup = begin(&scene, "slow.test", AF_INET);
	wait_for_helpers(1);
	CHECK_NUMBER(kill(shared->last_helper, SIGKILL), 0);
	await(&scene, lookup);
	CHECK_NUMBER(lookup->eai, EAI_AGAIN);
	until_no_child(&scene);
	tp_lookup_release(lookup);
	leave(&scene);
}

/*
 * The helper died while it was idle, so nobody noticed. The next lookup finds that it does not answer, and takes
 * another one.
 */
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
	lookup = begin(&scene, "slow.test", AF_INET);
	wait_for_helpers(1);
	kill(shared->last_helper, SIGKILL);
	CHECK_NUMBER(waitpid(-1, NULL, 0), shared->last_helper);
	await(&scene, lookup);
	CHECK_NUMBER(lookup->eai, EAI_AGAIN);
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
	CHECK_NUMBER(one->phase, TP_LOOKUP_NEW);
	tp_lookup_release(one);
	tp_lookup_release(two);
}

/* The last user of a lookup leaves while it runs: nobody is left to abandon it. */
static void drops_a_lookup_without_users(void)
{
	struct scene scene;

	enter(&scene, 0);
	tp_lookup_release(begin(&scene, "slow.test", AF_UNSPEC));
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	leave(&scene);
}

/* A helper whose answer nobody wants any more is used again once it has answered. */
static void reuses_a_helper_of_what_is_given_up(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = begin(&scene, "patient.test", AF_UNSPEC);
	tp_resolver_abandon(scene.resolver, lookup);
	tp_lookup_release(lookup);
	while (tp_resolver_watched(scene.resolver) > 0)
		turn(&scene);
	tp_lookup_release(look_up(&scene, "one.test", AF_UNSPEC));
	CHECK_NUMBER(shared->helpers, 1);
	leave(&scene);
}

/* -- Answers that are late or lost */

/* How soon an answer must come, even on a busy machine. */
#define SOON_MS 450

static void begins_with_the_family_that_answers(void)
{
	static const struct {
		const char *host, *addresses;
	} rows[] = { { "lost6.test", "10.0.0.1" }, { "lost4.test", "fd00::1" } };
	struct scene scene;

	enter(&scene, 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_lookup *lookup = begin(&scene, rows[i].host, AF_UNSPEC);

		unit.row = rows[i].host;
		CHECK(await_ready(&scene, lookup) < SOON_MS);
		CHECK_NUMBER(lookup->phase, TP_LOOKUP_RUNNING);
		CHECK(lookup->duration_us > 0);
		check_addresses(lookup, rows[i].addresses);
		/* Nobody waits for the rest of the addresses any more: those that are known are the answer. */
		tp_resolver_abandon(scene.resolver, lookup);
		CHECK_NUMBER(lookup->phase, TP_LOOKUP_DONE);
		CHECK_NUMBER(lookup->eai, 0);
		check_addresses(lookup, rows[i].addresses);
		tp_lookup_release(lookup);
	}
	leave(&scene);
}

static void is_done_when_each_family_has_answered(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = look_up(&scene, "four.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, 0);
	check_addresses(lookup, "10.0.0.1");
	tp_lookup_release(lookup);
	leave(&scene);
}

static void gives_ipv6_a_moment_of_grace(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = begin(&scene, "late6.test", AF_UNSPEC);
	await_ready(&scene, lookup);
	check_addresses(lookup, "10.0.0.1");
	await(&scene, lookup);
	CHECK_NUMBER(tp_lookup_count(lookup), 2);
	tp_lookup_release(lookup);
	lookup = begin(&scene, "soon6.test", AF_UNSPEC);
	await_ready(&scene, lookup);
	CHECK_NUMBER(tp_lookup_count(lookup), 2);
	tp_lookup_release(lookup);
	leave(&scene);
}

/* If one server says "no" and another one is silent, the "no" is believed only when time is up. */
static void takes_no_denial_for_the_last_word(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = begin(&scene, "denied.test", AF_UNSPEC);
	while (!tp_lookup_denied(lookup))
		turn(&scene);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_RUNNING);
	CHECK_NUMBER(lookup->eai, EAI_NONAME);
	tp_resolver_abandon(scene.resolver, lookup);
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_NEW);
	tp_lookup_release(lookup);
	leave(&scene);
}

static void never_gives_up_the_patient_question(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = look_up(&scene, "patient.test", AF_UNSPEC);
	CHECK_NUMBER(lookup->eai, 0);
	CHECK_NUMBER(shared->lookups, 3);
	check_addresses(lookup, "10.0.0.1");
	tp_lookup_release(lookup);
	leave(&scene);
}

static void asks_once_where_the_answer_is_quick(void)
{
	struct scene scene;

	enter(&scene, 0);
	tp_lookup_release(look_up(&scene, "two.test", AF_UNSPEC));
	tp_lookup_release(look_up(&scene, "absent.test", AF_UNSPEC));
	CHECK_NUMBER(shared->lookups, 2);
	leave(&scene);
}

static void says_when_all_helpers_are_busy(void)
{
	enum { MANY = 4000 };
	static struct tp_lookup *lookups[MANY];
	struct rlimit limit, low = { 60, 60 };
	struct scene scene;
	size_t count = 0;
	int error = 0;

	enter(&scene, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	low.rlim_max = limit.rlim_max;
	/* Descriptors run out before helpers do. */
	setrlimit(RLIMIT_NOFILE, &low);
	while (error == 0 && count < MANY) {
		lookups[count] = tp_lookup_new(count == 0 ? "one.test" : "slow.test", AF_INET);
		error = tp_resolver_begin(scene.resolver, lookups[count], NULL, 0);
		/* On a busy machine a hurried question would take the helper that becomes free. */
		lookups[count++]->hurry_us = TP_NEVER;
	}
	CHECK_NUMBER(error, EBUSY);
	CHECK_NUMBER(lookups[count - 1]->phase, TP_LOOKUP_NEW);
	await(&scene, lookups[0]);
	CHECK_NUMBER(tp_resolver_begin(scene.resolver, lookups[count - 1], NULL, 0), 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	leave(&scene);
	while (count > 0)
		tp_lookup_release(lookups[--count]);
}

/* How often the handler below has run. It reaps every child that has ended. */
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
	CHECK_NUMBER(lookup->eai, EAI_AGAIN);
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
	CHECK_NUMBER(lookup->eai, EAI_AGAIN);
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
	CHECK(no_child_left());
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

/* The second helper must not hold the channel of the first one open: its end would never be seen. */
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
	CHECK_NUMBER(one->eai, EAI_AGAIN);
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
	CHECK_NUMBER(lookup->eai, EAI_AGAIN);
	tp_lookup_release(lookup);
	leave(&scene);
}

/* Looks up a name that this hosts file has, which is done at once. */
static struct tp_lookup *look_up_at_once(struct scene *scene, const char *hosts, const char *host, int family)
{
	struct tp_lookup *lookup = tp_lookup_new(host, family);

	if (lookup == NULL)
		abort();
	nsswitch_file = "hosts: files dns\n";
	hosts_file = hosts;
	unit.row = host;
	CHECK(tp_resolver_at_once(scene->resolver, lookup));
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_DONE);
	CHECK_NUMBER(lookup->eai, 0);
	CHECK(lookup->duration_us >= 0);
	hosts_file = NULL;
	return lookup;
}

static void reads_the_hosts_file_without_a_helper(void)
{
	static const char hosts[] = "10.0.0.2 two.test\n10.0.0.1 two.test\n10.0.0.2 two.test\n"
				    "127.0.0.1 self.test\n::1 self.test\n::ffff:10.0.0.3 mapped.test\n";
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = look_up_at_once(&scene, hosts, "two.test", AF_UNSPEC);
	check_addresses(lookup, "10.0.0.2 10.0.0.1");
	tp_lookup_release(lookup);
	lookup = look_up_at_once(&scene, hosts, "self.test", AF_UNSPEC);
	check_addresses(lookup, "::1 127.0.0.1");
	tp_lookup_release(lookup);
	lookup = look_up_at_once(&scene, hosts, "self.test", AF_INET);
	check_addresses(lookup, "127.0.0.1");
	tp_lookup_release(lookup);
	lookup = look_up_at_once(&scene, hosts, "mapped.test", AF_UNSPEC);
	check_addresses(lookup, "10.0.0.3");
	tp_lookup_release(lookup);
	CHECK_NUMBER(shared->lookups, 0);
	CHECK(no_child_left());
	leave(&scene);
}

static void knows_localhost_without_a_file(void)
{
	struct scene scene;
	struct tp_lookup *lookup;

	enter(&scene, 0);
	lookup = look_up_at_once(&scene, NULL, "LocalHost", AF_UNSPEC);
	check_addresses(lookup, "::1 127.0.0.1");
	tp_lookup_release(lookup);
	lookup = look_up_at_once(&scene, NULL, "localhost", AF_INET);
	check_addresses(lookup, "127.0.0.1");
	tp_lookup_release(lookup);
	lookup = look_up_at_once(&scene, NULL, "localhost", AF_INET6);
	check_addresses(lookup, "::1");
	tp_lookup_release(lookup);
	CHECK_NUMBER(shared->lookups, 0);
	leave(&scene);
}

static void leaves_other_names_to_helpers(void)
{
	static const char *const hosts[] = { "db.invalid", "127.0.0.1.invalid", "no-such-host.invalid" };
	struct scene scene;

	enter(&scene, 0);
	for (size_t i = 0; i < ROWS(hosts); i++) {
		struct tp_lookup *lookup = tp_lookup_new(hosts[i], AF_UNSPEC);

		unit.row = hosts[i];
		CHECK(!tp_resolver_at_once(scene.resolver, lookup));
		CHECK_NUMBER(lookup->phase, TP_LOOKUP_NEW);
		tp_lookup_release(lookup);
	}
	leave(&scene);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a helper answers with the addresses, each once, in their order", answers },
		{ "a helper says why there is no address", says_why_not },
		{ "a helper is used again", reuses_a_helper, QUICK },
		{ "the longest host is looked up", takes_the_longest_host },
		{ "a name may have thousands of addresses", takes_thousands_of_addresses },
		{ "a slow lookup keeps no other back", looks_up_several_at_once },
		{ "a helper that dies ends its lookup and leaves no zombie", outlives_the_death_of_a_helper },
		{ "so does a helper that is killed", outlives_the_murder_of_a_helper },
		{ "a helper that died idle is replaced", replaces_a_helper_that_died_idle, QUICK },
		{ "a helper that was reaped by another is forgotten", forgets_a_helper_that_was_reaped_by_another },
		{ "a lookup that is given up leaves no child and no descriptor", leaves_nothing_of_what_is_given_up },
		{ "a resolver that is freed leaves none either", leaves_nothing_of_what_still_runs },
		{ "a lookup without users is dropped", drops_a_lookup_without_users },
		{ "a helper is used again when what it was asked for was given up",
		  reuses_a_helper_of_what_is_given_up },
		{ "one family's answer is enough to begin, where the other's is lost",
		  begins_with_the_family_that_answers, QUICK },
		{ "a lookup is done when each family has answered by itself", is_done_when_each_family_has_answered },
		{ "IPv4 waits for IPv6, but not for long", gives_ipv6_a_moment_of_grace, QUICK },
		{ "a hurried no is not the last word", takes_no_denial_for_the_last_word },
		{ "the patient question is never given up", never_gives_up_the_patient_question },
		{ "a quick name is asked for once", asks_once_where_the_answer_is_quick },
		{ "when all helpers are busy it says so, until one is free", says_when_all_helpers_are_busy, QUICK },
		{ "a handler of SIGCHLD sees no helper", keeps_its_helpers_from_a_handler },
		{ "helpers work where SIGCHLD is ignored", works_where_children_are_ignored },
		{ "SIGCHLD stays blocked where it was", keeps_a_blocked_sigchld_blocked },
		{ "a resolver without a lookup does nothing", touches_nothing_without_a_helper },
		{ "a helper keeps no connection open", lets_no_helper_keep_a_connection },
		{ "a helper keeps no other helper's channel open", lets_each_helper_see_its_end },
		{ "no signal disturbs a helper", lets_no_signal_into_a_helper, QUICK },
		{ "a helper gives up by itself when nobody else does it", ends_a_helper_that_nobody_ended },
		{ "a name of the hosts file needs no helper and no name service",
		  reads_the_hosts_file_without_a_helper },
		{ "localhost needs no hosts file", knows_localhost_without_a_file },
		{ "other names are left to helpers", leaves_other_names_to_helpers },
	};

	share();
	return UNIT_RUN(tests);
}
