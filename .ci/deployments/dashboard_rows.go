package main

import (
	"fmt"
	"strings"
)

// expression returns the query with the variables of the dashboard.
func (q query) expression() string { return strings.ReplaceAll(q.expr, "SELECTOR", selector) }

// rate is a counter's rate by one label, which names the lines.
func rate(metric, label string) query {
	return query{fmt.Sprintf("sum by (%s) (rate(livebridge_%s{SELECTOR}[$__rate_interval]))", label, metric), "{{" + label + "}}"}
}

// total is a counter's rate over all its labels.
func total(metric, legend string) query {
	return query{fmt.Sprintf("sum(rate(livebridge_%s{SELECTOR}[$__rate_interval]))", metric), legend}
}

// gauge is a gauge of every instance.
func gauge(metric, legend string) query {
	return query{"livebridge_" + metric + "{SELECTOR}", strings.TrimSpace(legend + " {{instance}}")}
}

// quantiles are the median and the slowest hundredth of a histogram.
func quantiles(metric string) []query {
	const form = "histogram_quantile(%s, sum by (le) (rate(livebridge_%s_bucket{SELECTOR}[$__rate_interval])))"
	return []query{{fmt.Sprintf(form, "0.5", metric), "median"}, {fmt.Sprintf(form, "0.99", metric), "99 %"}}
}

func rows() []row {
	return []row{{"Is it well?", now()}, {"Callbacks", callbacks()}, {"Publishing", publishing()}, {"Order", order()},
		{"Journal and disk", journal()}, {"Keys and TLS", security()}, {"Process", process()}}
}

func now() []panel {
	last := func(title, about, expr, unit string, limit float64, low bool) panel {
		return panel{title: title, about: about, unit: unit, stat: true, limit: limit, low: low, queries: []query{{expr, ""}}}
	}
	return []panel{
		last("Broker", "1: connected, and publishing succeeds",
			"min(livebridge_broker_connected{SELECTOR} * livebridge_broker_available{SELECTOR})", "none", 1, true),
		last("Oldest event", "age of the oldest event that is not published", "max(livebridge_outbox_oldest_age_seconds{SELECTOR})", "s", 60, false),
		last("Waiting events", "events that the broker has not acknowledged", "sum(livebridge_outbox_events{SELECTOR})", "none", 10000, false),
		last("Lost callbacks", "answered 503 in the last hour", "sum(increase(livebridge_callbacks_lost_total{SELECTOR}[1h]))", "none", 1, false),
		last("Dead letters", "events that the broker rejected for good", "sum(livebridge_dead_letters{SELECTOR})", "none", 1, false),
		last("Quarantine", "entries that wait for an operator", "sum(livebridge_quarantine_entries{SELECTOR})", "none", 1, false),
	}
}

func callbacks() []panel {
	return []panel{
		{title: "Accepted", about: "answered 200 after their commit", unit: "reqps", stacked: true, queries: []query{rate("callbacks_accepted_total", "kind")}},
		{title: "Refused", about: "by reason; genuine ones are lost", unit: "reqps", queries: []query{rate("callbacks_refused_total", "reason")}},
		{title: "Lost", about: "answered 503, by reason", unit: "reqps", queries: []query{rate("callbacks_lost_total", "reason")}},
		{title: "Not published", about: "answered 200 all the same", unit: "reqps", queries: []query{total("callbacks_duplicate_total", "duplicate"),
			total("callbacks_ignored_total", "ignored"), rate("callbacks_quarantined_total", "reason")}},
		{title: "Time to answer", about: "from the headers to the response", unit: "s", queries: quantiles("callback_duration_seconds")},
		{title: "Since the last callback", about: "by kind; the whole time where there was none", unit: "s", queries: []query{
			{"time() - max by (kind) (livebridge_last_callback_timestamp_seconds{SELECTOR} > 0)", "{{kind}}"}}},
		{title: "Differs from the provider's list", about: "missed: online without a session; stale: the opposite; with RECONCILE_INTERVAL", unit: "none",
			queries: []query{gauge("reconcile_differences", "{{problem}}")}},
		{title: "Comparisons with the provider's list", about: "by result", unit: "ops", queries: []query{rate("reconcile_runs_total", "result")}},
		{title: "Other requests", about: "probes, the doctor's signed probes, and requests for nothing", unit: "reqps", queries: []query{
			total("probes_total", "probes"), total("signed_probes_total", "signed probes"), rate("unknown_requests_total", "code")}},
	}
}

func publishing() []panel {
	return []panel{
		{title: "Published", about: "acknowledged by the broker", unit: "ops", stacked: true, queries: []query{rate("events_published_total", "kind")}},
		{title: "Failed attempts", about: "unavailable: retried; rejected: dead letters", unit: "ops", queries: []query{rate("publish_failures_total", "outcome")}},
		{title: "Time to publish", about: "from an attempt to the broker's response", unit: "s", queries: quantiles("publish_duration_seconds")},
		{title: "Outbox", about: "events that wait", unit: "none", queries: []query{gauge("outbox_events", "")}},
		{title: "Age of the oldest event", about: "how late consumers get it", unit: "s", queries: []query{gauge("outbox_oldest_age_seconds", "")}},
		{title: "Broker", about: "0: unavailable", unit: "none", queries: []query{gauge("broker_connected", "connected"), gauge("broker_available", "available")}},
	}
}

func order() []panel {
	return []panel{
		{title: "Marks", about: "events with an anomaly", unit: "ops", queries: []query{rate("events_marked_total", "mark")}},
		{title: "Holds", about: "events that were held for an earlier one", unit: "ops", queries: []query{total("holds_total", "holds")}},
		{title: "Held now", about: "HELD_MAX limits them", unit: "none", queries: []query{gauge("held_events", "")}},
	}
}

func journal() []panel {
	return []panel{
		{title: "Journal", about: "outbox, holds, quarantine and dead letters, with the limit", unit: "bytes", queries: []query{
			gauge("journal_bytes", ""), gauge("journal_max_bytes", "limit of")}},
		{title: "Free disk", about: "with MIN_FREE_BYTES", unit: "bytes", queries: []query{gauge("disk_free_bytes", ""), gauge("disk_min_free_bytes", "limit of")}},
		{title: "Commits", about: "writing and syncing", unit: "s", queries: quantiles("journal_commit_duration_seconds")},
		{title: "Callbacks per commit", about: "callbacks that share a sync", unit: "none", queries: []query{
			{"sum(rate(livebridge_journal_commit_batch_size_sum{SELECTOR}[$__rate_interval])) / sum(rate(livebridge_journal_commit_batch_size_count{SELECTOR}[$__rate_interval]))", "mean"}}},
		{title: "Evicted", about: "ids before DEDUPE_WINDOW, and entries of the quarantine", unit: "ops", queries: []query{
			total("dedupe_evicted_total", "ids"), total("quarantine_evicted_total", "quarantine")}},
		{title: "Failed journal", about: "1: a write or sync failed, and the service ends", unit: "none", queries: []query{gauge("journal_failed", "")}},
	}
}

func security() []panel {
	return []panel{
		{title: "Keys in use", about: "callbacks verified with each key, by the first 8 digits of its SHA-256", unit: "reqps", queries: []query{
			{"sum by (kind, key) (rate(livebridge_key_uses_total{SELECTOR}[$__rate_interval]))", "{{kind}} {{key}}"}}},
		{title: "Since the last use of a key", about: "a key that is no longer used can be removed", unit: "s", queries: []query{
			{"time() - max by (kind, key) (livebridge_key_last_use_timestamp_seconds{SELECTOR} > 0)", "{{kind}} {{key}}"}}},
		{title: "Files in use", about: "0: a new file cannot be used", unit: "none", queries: []query{
			gauge("key_file_last_reload_successful", "{{setting}}"), gauge("tls_last_reload_successful", "certificate"),
			gauge("broker_credentials_last_reload_successful", "credentials")}},
		{title: "Certificate expires in", about: "of the port for callbacks", unit: "s", queries: []query{
			{"livebridge_tls_certificate_expiry_timestamp_seconds{SELECTOR} - time()", "{{instance}}"}}},
		{title: "Failed TLS handshakes", about: "by reason", unit: "ops", queries: []query{rate("tls_handshake_failures_total", "reason")}},
		{title: "Reloads of keys", about: "by result", unit: "ops", queries: []query{rate("key_file_reloads_total", "result")}},
	}
}

func process() []panel {
	return []panel{
		{title: "Processor", about: "cores in use", unit: "none", queries: []query{{"rate(process_cpu_seconds_total{SELECTOR}[$__rate_interval])", "{{instance}}"}}},
		{title: "Memory", about: "resident, and live heap", unit: "bytes", queries: []query{{"process_resident_memory_bytes{SELECTOR}", "resident {{instance}}"},
			{"go_memstats_heap_inuse_bytes{SELECTOR}", "heap {{instance}}"}}},
		{title: "Open files", about: "with the limit", unit: "none", queries: []query{{"process_open_fds{SELECTOR}", "open {{instance}}"}, {"process_max_fds{SELECTOR}", "limit of {{instance}}"}}},
		{title: "Goroutines", about: "they follow the connections and the lanes that publish", unit: "none", queries: []query{{"go_goroutines{SELECTOR}", "{{instance}}"}}},
		{title: "Up since", about: "version and revision are in the legend", unit: "s", queries: []query{
			{"(time() - process_start_time_seconds{SELECTOR}) * on (job, instance) group_left (version, revision) livebridge_build_info{SELECTOR}", "{{instance}} {{version}} {{revision}}"}}},
		{title: "Dropped log lines", about: "nothing reads standard error fast enough", unit: "ops", queries: []query{total("log_lines_dropped_total", "lines")}},
	}
}
