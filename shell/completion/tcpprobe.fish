# SPDX-License-Identifier: 0BSD
#
# Completion for fish. What stands in files is compared and offered, never evaluated; a name that a shell would read otherwise
# is not offered.

# The options, for argparse and for fish itself; the services that tcpprobe knows besides those of the system
# BEGIN fish_words
set -g __tcpprobe_options 1/any 4/ipv4 6/ipv6 a/all-addresses c/count=+ f/file=+ F/format=+ h/help i/interval=+ j/json k/hold=+ n/parallel=+ q/quiet r/wait=+ R/wait-closed=+ s/source=+ t/timeout=+ w=+ T/trace v/verbose V/version z/half-open
complete -c tcpprobe -s 1 -l any -d 'one open target is enough'
complete -c tcpprobe -s 4 -l ipv4 -d 'only IPv4 addresses'
complete -c tcpprobe -s 6 -l ipv6 -d 'only IPv6 addresses'
complete -c tcpprobe -s a -l all-addresses -d 'a probe and a report for each address of a name'
complete -c tcpprobe -s c -l count -x -d 'N rounds, 0 for ever; with -r: open N times in a row'
complete -c tcpprobe -s f -l file -r -F -d 'more targets, one a line (-: standard input)'
complete -c tcpprobe -s F -l format -x -d 'a line of this format per probe'
complete -c tcpprobe -s h -l help -d 'show this help'
complete -c tcpprobe -s i -l interval -x -d 'pause between tries (0.25) or rounds (1)'
complete -c tcpprobe -s j -l json -d 'a JSON object for each probe, one a line'
complete -c tcpprobe -s k -l hold -x -d 'hold the connection: does the peer hang up? (0: no)'
complete -c tcpprobe -s n -l parallel -x -d 'at most N probes in flight at once (256)'
complete -c tcpprobe -s q -l quiet -d 'no messages about what is not open'
complete -c tcpprobe -s r -l wait -x -d 'try until open, at most TIME in all (0: for ever)'
complete -c tcpprobe -s R -l wait-closed -x -d 'try until nobody accepts: for draining'
complete -c tcpprobe -s s -l source -x -a '(__fish_print_interfaces)' -d 'connect from this address or interface'
complete -c tcpprobe -s t -s w -l timeout -x -d 'deadline of a probe, lookup included (5; 0: none)'
complete -c tcpprobe -s T -l trace -d 'which hop answers, refuses or drops? (Linux)'
complete -c tcpprobe -s v -l verbose -d 'a line for each open target, and the states counted'
complete -c tcpprobe -s V -l version -d 'show name, version and face'
complete -c tcpprobe -s z -l half-open -d 'no trace: the handshake is not finished (Linux)'
set -g __tcpprobe_services amqp amqps dict domain finger ftp ftps git gopher http https icap imap imaps ipp ipps kerberos ldap ldaps modbus mqtt mysql nfs nntp nntps pop3 \
    pop3s postgresql rsync rtsp sieve smtp ssh submission submissions telnet telnets whois cifs gemini irc ircs lmtp rdp rtmp rtmps scp sftp smb smtps socks \
    socks4 socks4a socks5 socks5h svn vnc webdav webdavs ws wss xmpp xmpps cockroach cockroachdb materialize opengauss pgsql pgx pgx5 postgis postgres questdb \
    redshift risingwave timescaledb yugabyte yugabytedb doris mariadb mysql2 mysqls mysqlx oceanbase singlestore singlestoredb starrocks tidb trilogy clickhouse \
    clickhousedb clickhouses crate databricks db2 derby dm drill exa firebird firebirdsql h2 hive hive2 hsql ibm_db_sa impala informix-sqli iotdb ch kingbase8 \
    kylin libsql monetdb mssql netezza oracle presto rqlite sqlserver sybase taos teradata teradatasql trino vertica aerospike arangodb bolt cassandra couchbase \
    couchbases couchdb dgraph edgedb elasticsearch gel gremlin hazelcast ignite influxdb meilisearch memgraph milvus mongo mongodb neo4j opensearch rethinkdb \
    scylla solr tarantool typedb typesense hiredis memcache memcached pymemcache redis redis-sentinel rediscache rediss rediss-sentinel sentinel valkey valkeys \
    activemq beanstalk beanstalkd confluentkafka gearman kafka librabbitmq mqtts nats nsq plaintext pulsar pyamqp qpid rabbit rabbitmq rabbitmq-stream \
    sasl_plaintext sasl_ssl sb stomp temporal consul dubbo etcd hdfs nacos nomad puppet ray spark vault webhdfs winrm zabbix zk zookeeper beats fluent fluentd \
    graphite loki prometheus
# END fish_words

function __tcpprobe_hosts
    begin
        test -r /etc/hosts; and string replace -r '#.*' '' </etc/hosts | string replace -rf '^\s*\S+\s+' ''
        for file in ~/.ssh/known_hosts ~/.ssh/known_hosts2 /etc/ssh/ssh_known_hosts
            test -r $file; and string replace -r '^@\S+\s+' '' <$file | string replace -r '\s.*' '' |
                string split , | string replace -r '^\[(.*)\]:.*' '$1'
        end
    end 2>/dev/null | string split -n ' ' | string split -n \t | string match -r '^[A-Za-z0-9_][A-Za-z0-9._-]*$'
end

# Behind what stands up to the last comma or colon of the word
function __tcpprobe_ports
    set -l head (string match -r '^.*[:,]' -- (commandline -ct))
    set -l names
    test -r /etc/services; and set names (string replace -rf '^([A-Za-z0-9_][A-Za-z0-9._-]*)\s+\d+/tcp.*' '$1' </etc/services)
    printf '%s\n' "$head"$__tcpprobe_services "$head"$names
end

# Behind a host or a network without a port stand words for ports.
function __tcpprobe_targets
    set -l words (commandline -opc)
    argparse -i $__tcpprobe_options -- $words[2..-1] 2>/dev/null; or return
    switch "$argv[1]"
        case '' '*://*' '/*' '*]:*' '*,*'
        case '*:*:*'
            __tcpprobe_ports
            return
        case '*:*'
        case '*'
            __tcpprobe_ports
            return
    end
    if string match -q '*:*' -- (commandline -ct)
        __tcpprobe_ports
    else
        __tcpprobe_hosts
    end
end

# Behind -- stands another command, with a completion of its own.
function __tcpprobe_command
    set -l words (commandline -opc)
    set -l index (contains -i -- -- $words); or return
    set -e words[1..$index]
    set -l typed (commandline -ct)
    complete -C (string join ' ' -- (string escape -- $words) "$typed")
end

complete -c tcpprobe -f
complete -c tcpprobe -n 'not contains -- -- (commandline -opc)' -a '(__tcpprobe_targets)'
complete -c tcpprobe -n 'contains -- -- (commandline -opc)' -a '(__tcpprobe_command)'
