package main

import (
	"fmt"
	"strings"
)

// expression returns the query with the variables of the dashboard.
func (q query) expression() string { return strings.ReplaceAll(q.expr, "SELECTOR", selector) }

// rate is a counter's rate by one label, which names the lines.
func rate(metric, label string) query {
	return query{
		fmt.Sprintf("sum by (%s) (rate(livebridge_%s{SELECTOR}[$__rate_interval]))", label, metric),
		"{{" + label + "}}",
	}
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
		{"Journal and disk", journal()}, {"Replicas", replicas()}, {"Keys and TLS", security()}, {"Process", process()}}
}

func now() []panel {
	last := func(title, about, expr, unit string, limit float64, low bool) panel {
		return panel{
			title:   title,
			about:   about,
			unit:    unit,
			stat:    true,
			limit:   limit,
			low:     low,
			queries: []query{{expr, ""}},
		}
	}
	return []panel{
		last("Broker", "1: connected, and publishing succeeds",
			"min(livebridge_broker_connected{SELECTOR} * livebridge_broker_available{SELECTOR})", "none", 1, true),
		last(
			"Oldest event",
			"age of the oldest event that is not published",
			"max(livebridge_outbox_oldest_age_seconds{SELECTOR})",
			"s",
			60,
			false,
		),
		last(
			"Waiting events",
			"events that the broker has not acknowledged",
			"sum(livebridge_outbox_events{SELECTOR})",
			"none",
			10000,
			false,
		),
		last(
			"Lost callbacks",
			"answered 503 in the last hour",
			"sum(increase(livebridge_callbacks_lost_total{SELECTOR}[1h]))",
			"none",
			1,
			false,
		),
		last(
			"Dead letters",
			"events that the broker rejected for good",
			"sum(livebridge_dead_letters{SELECTOR})",
			"none",
			1,
			false,
		),
		last(
			"Quarantine",
			"entries that wait for an operator",
			"sum(livebridge_quarantine_entries{SELECTOR})",
			"none",
			1,
			false,
		),
	}
}

func callbacks() []panel { return append(answers(), besides()...) }

// answers are panels of what callbacks are answered, and when.
func answers() []panel {
	return []panel{
		{
			title:   "Accepted",
			about:   "answered 200 after their commit",
			unit:    "reqps",
			stacked: true,
			queries: []query{rate("callbacks_accepted_total", "kind")},
		},
		{
			title:   "Refused",
			about:   "by reason; genuine ones are lost",
			unit:    "reqps",
			queries: []query{rate("callbacks_refused_total", "reason")},
		},
		{
			title:   "Lost",
			about:   "answered 503, by reason",
			unit:    "reqps",
			queries: []query{rate("callbacks_lost_total", "reason")},
		},
		{
			title: "Not published",
			about: "answered 200 all the same",
			unit:  "reqps",
			queries: []query{total("callbacks_duplicate_total", "duplicate"),
				total("callbacks_ignored_total", "ignored"), rate("callbacks_quarantined_total", "reason")},
		},
		{
			title:   "Time to answer",
			about:   "from the headers to the response",
			unit:    "s",
			queries: quantiles("callback_duration_seconds"),
		},
		{
			title: "Since the last callback",
			about: "by kind; the whole time where there was none",
			unit:  "s",
			queries: []query{
				{"time() - max by (kind) (livebridge_last_callback_timestamp_seconds{SELECTOR} > 0)", "{{kind}}"}},
		},
	}
}

// besides are panels of the provider's list, and of requests that are no callbacks.
func besides() []panel {
	return []panel{
		{
			title:   "Differs from the provider's list",
			about:   "missed: online without a session; stale: the opposite; with RECONCILE_INTERVAL",
			unit:    "none",
			queries: []query{gauge("reconcile_differences", "{{problem}}")},
		},
		{
			title:   "Comparisons with the provider's list",
			about:   "by result",
			unit:    "ops",
			queries: []query{rate("reconcile_runs_total", "result")},
		},
		{
			title: "Other requests",
			about: "probes, the doctor's signed probes, and requests for nothing",
			unit:  "reqps",
			queries: []query{total("probes_total", "probes"), total("signed_probes_total", "signed probes"),
				rate("unknown_requests_total", "code")},
		},
	}
}

func publishing() []panel {
	return []panel{
		{
			title:   "Published",
			about:   "acknowledged by the broker",
			unit:    "ops",
			stacked: true,
			queries: []query{rate("events_published_total", "kind")},
		},
		{
			title:   "Failed attempts",
			about:   "unavailable: retried; rejected: dead letters",
			unit:    "ops",
			queries: []query{rate("publish_failures_total", "outcome")},
		},
		{
			title:   "Time to publish",
			about:   "from an attempt to the broker's response",
			unit:    "s",
			queries: quantiles("publish_duration_seconds"),
		},
		{title: "Outbox", about: "events that wait", unit: "none", queries: []query{gauge("outbox_events", "")}},
		{
			title:   "Age of the oldest event",
			about:   "how late consumers get it",
			unit:    "s",
			queries: []query{gauge("outbox_oldest_age_seconds", "")},
		},
		{
			title:   "Broker",
			about:   "0: unavailable",
			unit:    "none",
			queries: []query{gauge("broker_connected", "connected"), gauge("broker_available", "available")},
		},
	}
}

func order() []panel {
	return []panel{
		{
			title:   "Marks",
			about:   "events with an anomaly",
			unit:    "ops",
			queries: []query{rate("events_marked_total", "mark")},
		},
		{
			title:   "Holds",
			about:   "events that were held for an earlier one",
			unit:    "ops",
			queries: []query{total("holds_total", "holds")},
		},
		{title: "Held now", about: "HELD_MAX limits them", unit: "none", queries: []query{gauge("held_events", "")}},
		{title: "Oldest hold", about: "since it arrived", unit: "s", queries: []query{gauge("held_oldest_age_seconds", "")}},
		{title: "Time on hold", about: "of events that are not held any more", unit: "s",
			queries: quantiles("hold_duration_seconds")},
		{title: "Between deliveries", about: "of a callback that is delivered again", unit: "s",
			queries: quantiles("redelivery_interval_seconds")},
		{title: "Left out, and added", about: "by PUBLISH_TYPES; by SESSION_EVENTS and RECONCILE_EVENTS", unit: "ops",
			queries: []query{rate("events_filtered_total", "type"), rate("session_events_total", "type")}},
	}
}

// replicas are panels of what INTAKE=broker shares among instances.
func replicas() []panel {
	return []panel{
		{title: "Partitions", about: "that each replica works on", unit: "none",
			queries: []query{{"sum by (instance) (livebridge_partition_owned{SELECTOR})", "{{instance}}"}}},
		{title: "Behind", about: "age of the oldest callback that was read and is not committed", unit: "s",
			queries: []query{{"max by (partition) (livebridge_partition_behind_seconds{SELECTOR})", "{{partition}}"}}},
		{title: "Not committed", about: "callbacks and commands in the intake", unit: "none",
			queries: []query{{"max by (partition) (livebridge_partition_backlog_inputs{SELECTOR})", "{{partition}}"}}},
		{title: "Takeovers", about: "and ownerships that ended by a fence or an error", unit: "ops",
			queries: []query{total("partition_takeovers_total", "takeovers"), total("partition_fenced_total", "fenced"),
				total("partition_failures_total", "failures")}},
		{title: "Time to take over", about: "the last takeover of each partition", unit: "s",
			queries: []query{{"max by (partition) (livebridge_partition_takeover_seconds{SELECTOR})", "{{partition}}"}}},
		{title: "Restoring", about: "part of the state that was read", unit: "percentunit",
			queries: []query{{"max by (partition) (livebridge_partition_restored_ratio{SELECTOR})", "{{partition}}"}}},
		{title: "Transactions", about: "committed, with the events in them, and aborted", unit: "ops",
			queries: []query{total("partition_commits_total", "transactions"), total("partition_events_total", "events"),
				total("partition_aborts_total", "aborted")}},
		{title: "Waiting on disk", about: "callbacks that the broker has not acknowledged", unit: "none",
			queries: []query{gauge("intake_queue_callbacks", "")}},
	}
}
