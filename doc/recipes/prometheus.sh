#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# prometheus.sh TARGETS FILE.prom: probes the targets of a file, for the textfile collector of node_exporter. From cron, say.
# If nothing was probed, the file stays as it was. An alert: tcpprobe_status != 0
tcpprobe -q -j -f "$1" | jq -rs '
	def metric(name; help; value):
		"# HELP \(name) \(help)", "# TYPE \(name) gauge",
		(.[] | "\(name){host=\(.host | tojson),port=\"\(.port)\"} \(value)");
	if . == [] then error("nothing was probed") else unique_by([.host, .port]) end
	| metric("tcpprobe_status"; "The exit status of tcpprobe: 0 open, 1 refused, 124 timeout."; .status),
	(map(select(.connect_ms)) | metric("tcpprobe_connect_seconds"; "How long the handshake took."; .connect_ms / 1000))
	' >"$2.new" && mv "$2.new" "$2"
