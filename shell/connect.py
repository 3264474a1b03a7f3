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

head, host, port, ms, family, source, each, half, statuses, telling, errnos = sys.argv[1:]
STATUS = dict(zip(statuses.split()[::2], map(int, statuses.split()[1::2])))
STATES = dict(zip([getattr(errno, name, -1) for name in errnos.split()[::2]], errnos.split()[1::2]))
TELLING = telling.split()
STATES[0] = "open"

begin = time.time()
ms = int(ms) / 1000.0
end = begin + ms if ms else None


def span(seconds):
    return "%.3f" % (1000 * seconds)


def report(state, address, connect, why):
    line = "\t".join((head, state, address, connect, lookup, why)) + "\n"
    os.write(1, line.encode("utf-8", "surrogateescape"))
    return STATUS[state]


# A nonblocking socket on its way to an address, and an errno. The numbers are those of Linux.
def start(info):
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


# The report of the first address to open, else of the most telling.
def race(todo):
    flying, results, after = {}, [], 0

    def settle(s, info, at, error):
        if s and not error and is_to_itself(s):
            error = errno.ECONNREFUSED
        state = STATES.get(error, "error")
        took, why = (span(time.time() - at), "") if state == "open" else ("-", os.strerror(error))
        results.append((state, info[4][0], took, why))
        return 0

    while (todo or flying) and not (results and results[-1][0] == "open"):
        now = time.time()
        if todo and now >= after:
            info, after = todo.pop(0), now + 0.25
            try:
                s, error = start(info)
            except socket.error as e:
                s, error = None, e.errno
            if error == errno.EINPROGRESS:
                flying[s.fileno()] = (s, info, now)
            else:
                after = settle(s, info, now, error)
            continue
        ends = [t for t in (end, after if todo else None) if t]
        poll = select.poll()
        for fd in flying:
            poll.register(fd, select.POLLOUT)
        ready = poll.poll(max(0, min(ends) - now) * 1000 + 1 if ends else None)
        for fd, _ in ready:
            s, info, at = flying.pop(fd)
            after = settle(s, info, at, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        if not ready and end and time.time() >= end:
            for s, info, at in flying.values():
                settle(None, info, at, errno.ETIMEDOUT)
            break
    return min(results, key=lambda result: TELLING.index(result[0]))


# An alarm ends it where the lookup is late.
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_REAL, ms)
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
for group in [[f] for f in found] if each == "1" else [order]:
    status = report(*race(group))
sys.exit(status)
