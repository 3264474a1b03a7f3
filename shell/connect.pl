# SPDX-License-Identifier: 0BSD
#
# One probe by perl, for tcpprobe.sh, which says what it is given and what it prints. Addresses are raced as RFC 8305
# has it: 250 ms apart, families alternating.

use strict;
use Errno;
BEGIN { eval { require Socket; Socket->VERSION(1.96); Socket->import(qw(:DEFAULT getaddrinfo getnameinfo)); 1 } or exit 97 }

my ($head, $host, $port, $ms, $family, $source, $each, $half, $how, $statuses, $telling, $errnos) = @ARGV;
my %status = split " ", $statuses;
my %states = split " ", $errnos;
my @telling = split " ", $telling;
my %telling = map { $telling[$_] => $_ } 0 .. $#telling;

# Times are "-" where no clock is finer than a second.
my $hires = eval { require Time::HiRes; 1 };
my $ticks = !$hires && eval { require POSIX; POSIX::sysconf(POSIX::_SC_CLK_TCK()) };
sub now { $hires ? Time::HiRes::time() : $ticks ? (POSIX::times())[0] / $ticks : time }
sub span { $hires ? sprintf("%.3f", 1000 * $_[0]) : "-" }

my ($begin, $lookup) = (now(), "-");

# STATE ADDRESS CONNECT WHY
sub report {
	syswrite STDOUT, join("\t", $head, @_[0 .. 2], $lookup, $_[3]) . "\n";
	return $status{$_[0]};
}

sub state_of {
	$! = shift or return "open";
	for (keys %states) { return $states{$_} if $!{$_} }
	return "error";
}

# A nonblocking socket on its way to an address, and an errno. The numbers are those of Linux.
sub begin {
	my ($info) = @_;
	socket(my $socket, $info->{family}, SOCK_STREAM, 0) or return (undef, $! + 0);
	if ($half) {
		setsockopt($socket, 6, 12, 0);
		setsockopt($socket, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
	}
	if ($source ne "-") {
		my ($error, $from) = getaddrinfo($source, 0, { socktype => SOCK_STREAM, flags => 4, family => $info->{family} });
		($error ? setsockopt($socket, SOL_SOCKET, 25, $source) : bind($socket, $from->{addr})) or return (undef, $! + 0);
	}
	fcntl($socket, 4, fcntl($socket, 3, 0) | 2048);
	return ($socket, connect($socket, $info->{addr}) ? 0 : $! + 0);
}

# In the order of the addresses; what is told of them is told in it.
my (@results, @statuses);
sub tell_due { push @statuses, report(@{$results[@statuses]}) while $results[@statuses] }

# Sets the results of addresses, which are begun so many seconds apart until one is open; or, with none apart, of all of
# them, each with the whole deadline for itself.
sub race {
	my ($apart, @todo) = @_;
	my %flying;
	my ($count, $limit, $start) = (0, $each || scalar @todo, now());
	my ($next, $left) = ($start, $ms / 1000 - ($start - $begin));
	my $settle = sub {
		my ($i, $socket, $at, $error) = @_;
		$error = Errno::ECONNREFUSED() if $socket && !$error && getsockname($socket) eq (getpeername($socket) || "");
		my $state = state_of($error);
		my $open = $state eq "open";
		$! = $error;
		$results[$i] = [$state, (getnameinfo($todo[$i]{addr}, 3))[1], $open ? span(now() - $at) : "-", $open ? "" : "$!"];
		$next = 0;
		tell_due() if $each && $how eq "-";
		return $open && ($apart || $how =~ /1/);
	};
	while ($count < @todo || %flying) {
		my $now = now();
		my $room = $count < @todo && keys(%flying) < $limit;
		if ($room && $now >= $next) {
			my ($socket, $error) = begin($todo[$count]);
			$! = $error;
			if (%flying && ($!{EMFILE} || $!{ENFILE})) { $limit = keys %flying; next }
			$next = $now + $apart;
			if ($!{EINPROGRESS}) { $flying{fileno $socket} = [$count, $socket, $now, $left + ($apart ? $start : $now)] }
			elsif ($settle->($count, $socket, $now, $error)) { last }
			$count++;
			next;
		}
		my ($end) = sort { $a <=> $b } $ms ? map({ $_->[3] } values %flying) : (), $room ? $next : ();
		my $out = "";
		vec($out, $_, 1) = 1 for keys %flying;
		my $ready = select(undef, $out, undef, defined $end ? ($end > $now ? $end - $now : 0) : undef);
		for my $fd ($ready > 0 ? grep { vec($out, $_, 1) } keys %flying : ()) {
			my ($i, $socket, $at) = @{delete $flying{$fd}};
			return if $settle->($i, $socket, $at, unpack("i", getsockopt($socket, SOL_SOCKET, SO_ERROR)));
		}
		for my $fd (grep { $ms && now() >= $flying{$_}[3] } keys %flying) {
			$settle->((delete $flying{$fd})->[0], undef, 0, Errno::ETIMEDOUT());
			$count = @todo if $apart;
		}
	}
}

# An alarm ends it where the lookup is late.
if ($ms) { $hires ? Time::HiRes::alarm($ms / 1000) : alarm(int(($ms + 999) / 1000)) }
my $wanted = $family == 4 ? AF_INET : $family == 6 ? AF_INET6 : 0;
my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM, family => $wanted });
alarm 0;
$lookup = span(now() - $begin) if $host !~ /^[0-9.]+$|:/;
exit report("unresolved", "-", "-", "$error") if $error;

my %seen;
@found = grep { !$seen{$_->{addr}}++ } @found;
my @one = grep { $_->{family} == $found[0]{family} } @found;
my @other = grep { $_->{family} != $found[0]{family} } @found;
my @order;
while (@one || @other) { push @order, splice(@one, 0, 1), splice(@other, 0, 1) }
$each ? race(0, @found) : race(0.25, @order);
my ($best) = sort { $telling{$a->[0]} <=> $telling{$b->[0]} } grep { $_ } @results;
@results = $best if !$each || $how =~ /1/ && $best->[0] eq "open";
tell_due();
exit((grep({ $how =~ /R/ ? !$_ : $_ } @statuses), @statuses)[0]);
