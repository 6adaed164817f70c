package main

func journal() []panel {
	return []panel{
		{
			title: "Journal",
			about: "outbox, holds, quarantine and dead letters, with the limit",
			unit:  "bytes",
			queries: []query{
				gauge("journal_bytes", ""), gauge("journal_max_bytes", "limit of")},
		},
		{
			title:   "Free disk",
			about:   "with MIN_FREE_BYTES",
			unit:    "bytes",
			queries: []query{gauge("disk_free_bytes", ""), gauge("disk_min_free_bytes", "limit of")},
		},
		{
			title:   "Commits",
			about:   "writing and syncing",
			unit:    "s",
			queries: quantiles("journal_commit_duration_seconds"),
		},
		{title: "Callbacks per commit", about: "callbacks that share a sync", unit: "none", queries: []query{
			{
				"sum(rate(livebridge_journal_commit_batch_size_sum{SELECTOR}[$__rate_interval])) / " +
					"sum(rate(livebridge_journal_commit_batch_size_count{SELECTOR}[$__rate_interval]))",
				"mean",
			}}},
		{
			title: "Evicted",
			about: "ids before DEDUPE_WINDOW, and entries of the quarantine",
			unit:  "ops",
			queries: []query{
				total("dedupe_evicted_total", "ids"), total("quarantine_evicted_total", "quarantine")},
		},
		{
			title:   "History",
			about:   "published events that are kept, by JOURNAL_KEEP and JOURNAL_KEEP_BYTES",
			unit:    "bytes",
			queries: []query{gauge("history_bytes", "")},
		},
		{
			title:   "Failed journal",
			about:   "1: a write or sync failed, and the service ends",
			unit:    "none",
			queries: []query{gauge("journal_failed", "")},
		},
	}
}

func security() []panel {
	return []panel{
		{
			title: "Keys in use",
			about: "callbacks verified with each key, by the first 8 digits of its SHA-256",
			unit:  "reqps",
			queries: []query{
				{
					"sum by (kind, key) (rate(livebridge_key_uses_total{SELECTOR}[$__rate_interval]))",
					"{{kind}} {{key}}",
				}},
		},
		{
			title: "Since the last use of a key",
			about: "a key that is no longer used can be removed",
			unit:  "s",
			queries: []query{
				{
					"time() - max by (kind, key) (livebridge_key_last_use_timestamp_seconds{SELECTOR} > 0)",
					"{{kind}} {{key}}",
				}},
		},
		{title: "Files in use", about: "0: a new file cannot be used", unit: "none", queries: []query{
			gauge("key_file_last_reload_successful", "{{setting}}"), gauge("tls_last_reload_successful", "certificate"),
			gauge("broker_credentials_last_reload_successful", "credentials")}},
		{title: "Certificate expires in", about: "of the port for callbacks", unit: "s", queries: []query{
			{"livebridge_tls_certificate_expiry_timestamp_seconds{SELECTOR} - time()", "{{instance}}"}}},
		{
			title:   "Failed TLS handshakes",
			about:   "by reason",
			unit:    "ops",
			queries: []query{rate("tls_handshake_failures_total", "reason")},
		},
		{
			title:   "Reloads of keys",
			about:   "by result",
			unit:    "ops",
			queries: []query{rate("key_file_reloads_total", "result")},
		},
	}
}

func process() []panel {
	return []panel{
		{
			title:   "Processor",
			about:   "cores in use",
			unit:    "none",
			queries: []query{{"rate(process_cpu_seconds_total{SELECTOR}[$__rate_interval])", "{{instance}}"}},
		},
		{
			title: "Memory",
			about: "resident, and live heap",
			unit:  "bytes",
			queries: []query{{"process_resident_memory_bytes{SELECTOR}", "resident {{instance}}"},
				{"go_memstats_heap_inuse_bytes{SELECTOR}", "heap {{instance}}"}},
		},
		{
			title: "Open files",
			about: "with the limit",
			unit:  "none",
			queries: []query{
				{"process_open_fds{SELECTOR}", "open {{instance}}"},
				{"process_max_fds{SELECTOR}", "limit of {{instance}}"},
			},
		},
		{
			title:   "Goroutines",
			about:   "they follow the connections and the lanes that publish",
			unit:    "none",
			queries: []query{{"go_goroutines{SELECTOR}", "{{instance}}"}},
		},
		{title: "Up since", about: "version and revision are in the legend", unit: "s", queries: []query{
			{
				"(time() - process_start_time_seconds{SELECTOR}) * on (job, instance) " +
					"group_left (version, revision) livebridge_build_info{SELECTOR}",
				"{{instance}} {{version}} {{revision}}",
			}}},
		{
			title:   "Dropped log lines",
			about:   "nothing reads standard error fast enough",
			unit:    "ops",
			queries: []query{total("log_lines_dropped_total", "lines")},
		},
	}
}
