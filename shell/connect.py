# SPDX-License-Identifier: 0BSD
#
# One probe by python3, for tcpprobe.sh, which says what it is given and what it prints. Addresses are raced as RFC 8305
# has it: 250 ms apart, families alternating.

import sys
import time

try:
    import errno
    import os
    import select
    import signal
    import socket
    import struct
except ImportError:
    sys.exit(97)

head, host, port, ms, family, source, each, half, how, statuses, telling, errnos = sys.argv[1:]
STATUS = dict(zip(statuses.split()[::2], map(int, statuses.split()[1::2])))
STATES = dict(zip([getattr(errno, name, -1) for name in errnos.split()[::2]], errnos.split()[1::2]))
TELLING = telling.split()
STATES[0] = "open"

begin = time.time()
deadline = int(ms) / 1000.0


def span(seconds):
    return "%.3f" % (1000 * seconds)


def report(state, address, connect, why):
    line = "\t".join((head, state, address, connect, lookup, why)) + "\n"
    os.write(1, line.encode("utf-8", "surrogateescape"))
    return STATUS[state]


# A nonblocking socket on its way to an address, and an errno. The numbers are those of Linux.
def connect(info):
    s = socket.socket(info[0], socket.SOCK_STREAM)
    s.setblocking(False)
    if half == "1":
        s.setsockopt(6, 12, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if source != "-":
        try:
            s.bind(socket.getaddrinfo(source, 0, info[0], socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)[0][4])
        except socket.gaierror:
            s.setsockopt(socket.SOL_SOCKET, 25, source.encode())
    return s, s.connect_ex(info[4])


def is_to_itself(s):
    try:
        return s.getsockname() == s.getpeername()
    except socket.error:
        return False


# In the order of the addresses; what is told of them is told in it.
results, reported = {}, []


def tell_due():
    while len(reported) in results:
        reported.append(report(*results[len(reported)]))


def is_open():
    return "open" in [result[0] for result in results.values()]


# Sets the results of addresses, which are begun so many seconds apart until one is open; or, with none apart, of all of
# them, each with the whole deadline for itself.
def race(apart, todo):
    flying, start = {}, time.time()
    count, limit, after, left = 0, int(each) or len(todo), start, deadline - (start - begin)

    def settle(i, s, at, error):
        if s and not error and is_to_itself(s):
            error = errno.ECONNREFUSED
        state = STATES.get(error, "error")
        took, why = (span(time.time() - at), "") if state == "open" else ("-", os.strerror(error))
        results[i] = (state, todo[i][4][0], took, why)
        if each != "0" and how == "-":
            tell_due()
        return 0

    while (count < len(todo) or flying) and not ((apart or "1" in how) and is_open()):
        now = time.time()
        room = count < len(todo) and len(flying) < limit
        if room and now >= after:
            try:
                s, error = connect(todo[count])
            except socket.error as e:
                s, error = None, e.errno
            if flying and error in (errno.EMFILE, errno.ENFILE):
                limit = len(flying)
                continue
            after = now + apart
            if error == errno.EINPROGRESS:
                flying[s.fileno()] = (count, s, now, left + (start if apart else now))
            else:
                after = settle(count, s, now, error)
            count += 1
            continue
        ends = [f[3] for f in flying.values() if deadline] + [after] * room
        poll = select.poll()
        for fd in flying:
            poll.register(fd, select.POLLOUT)
        for fd, _ in poll.poll(max(0, min(ends) - now) * 1000 + 1 if ends else None):
            i, s, at, _ = flying.pop(fd)
            after = settle(i, s, at, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        for fd in [fd for fd in flying if deadline and time.time() >= flying[fd][3]]:
            after = settle(flying.pop(fd)[0], None, 0, errno.ETIMEDOUT)
            count = len(todo) if apart else count


# An alarm ends it where the lookup is late.
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_REAL, deadline)
why = None
try:
    wanted = {"4": socket.AF_INET, "6": socket.AF_INET6}.get(family, 0)
    found = socket.getaddrinfo(host.encode("utf-8", "surrogateescape"), int(port), wanted, socket.SOCK_STREAM)
except socket.gaierror as e:
    why = e.args[-1]
except UnicodeError:
    why = "Name or service not known"
signal.setitimer(signal.ITIMER_REAL, 0)
lookup = "-" if ":" in host or host.replace(".", "").isdigit() else span(time.time() - begin)
if why:
    sys.exit(report("unresolved", "-", "-", why))

found = [f for i, f in enumerate(found) if f[4] not in [g[4] for g in found[:i]]]
same = [f for f in found if f[0] == found[0][0]]
other = [f for f in found if f[0] != found[0][0]]
order = [f for i in range(len(found)) for f in same[i : i + 1] + other[i : i + 1]]
race(0, found) if each != "0" else race(0.25, order)
if each == "0" or "1" in how and is_open():
    results = {0: min(results.values(), key=lambda result: TELLING.index(result[0]))}
tell_due()
sys.exit(([s for s in reported if (s == 0) == ("R" in how)] + reported)[0])
