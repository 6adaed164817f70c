package main

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
)

// replicaMetric is a metric of a replica about each partition.
type replicaMetric struct {
	name, help string
	kind       prometheus.ValueType
	of         func(cluster.Stats) float64
}

// replicaMetrics are all of them.
func replicaMetrics() []replicaMetric {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return []replicaMetric{
		{"owned", "1 while this replica works on the partition, otherwise 0.", gauge,
			func(s cluster.Stats) float64 { return truth(s.State == cluster.Owner) }},
		{"behind_seconds", "Age of the oldest callback of the partition's intake that its owner has read and not committed.",
			gauge, func(s cluster.Stats) float64 { return s.Behind.Seconds() }},
		{"backlog_inputs", "Callbacks and commands of the partition's intake that are not committed, as its owner knows.",
			gauge, func(s cluster.Stats) float64 { return float64(s.Backlog) }},
		{"takeovers_total", "Times that this replica has taken the partition over.", counter,
			func(s cluster.Stats) float64 { return float64(s.Takeovers) }},
		{"takeover_seconds", "How long the last takeover of the partition took, from its beginning to the first read.", gauge,
			func(s cluster.Stats) float64 { return s.TakeoverTime.Seconds() }},
		{"takeover_timestamp_seconds", "Unix time at which this replica has last taken the partition over; 0: never.",
			gauge, func(s cluster.Stats) float64 { return unixSeconds(s.Taken.At) }},
		{"restored_ratio", "Part of the partition's state that was read, from 0 to 1, while this replica takes it over.",
			gauge, func(s cluster.Stats) float64 { return s.Restored }},
		{"restored_rows", "Rows of the partition's state that were read since its last takeover began.", gauge,
			func(s cluster.Stats) float64 { return float64(s.RestoredRows) }},
		{"commits_total", "Commits of the partition, with what they emit, by this replica.", counter,
			func(s cluster.Stats) float64 { return float64(s.Commits) }},
		{"aborts_total", "Commits of the partition that this replica has begun and that have failed, or whose end is " +
			"not known.", counter, func(s cluster.Stats) float64 { return float64(s.Aborts) }},
		{"inputs_total", "Callbacks and commands of the partition that this replica has decided.", counter,
			func(s cluster.Stats) float64 { return float64(s.Inputs) }},
		{"events_total", "Events of the partition that this replica has published.", counter,
			func(s cluster.Stats) float64 { return float64(s.Events) }},
		{"fenced_total", "Ownerships of the partition that ended because the broker had fenced this replica out.", counter,
			func(s cluster.Stats) float64 { return float64(s.Fenced) }},
		{"failures_total", "Ownerships of the partition that ended with an error, after which it is taken anew.", counter,
			func(s cluster.Stats) float64 { return float64(s.Failures) }},
		{"unreadable_total", "Records of the partition's intake that were left out because they cannot be read.", counter,
			func(s cluster.Stats) float64 { return float64(s.Unreadable) }},
		{"held_events", "Events of the partition that are held, as of the last commit of this replica.", gauge,
			func(s cluster.Stats) float64 { return float64(s.Holding) }},
	}
}

// unixSeconds returns a time as metrics have it.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// replicaCollector has the metrics of a replica, about its partitions and about the callbacks in its queue.
type replicaCollector struct {
	r                      *replica
	metrics                []replicaMetric
	descriptions           []*prometheus.Desc
	waiting, bytes, queued *prometheus.Desc

	outputBehind, outputWaiting *prometheus.Desc
}

// sourced is a broker where streams of consumers take what was committed from where it was.
type sourced interface {
	Outputs() []bridge.OutputState
}

// registerReplica registers the metrics of a replica.
func registerReplica(registry prometheus.Registerer, r *replica) {
	c := &replicaCollector{r: r, metrics: replicaMetrics(),
		waiting: prometheus.NewDesc("livebridge_intake_queue_callbacks",
			"Callbacks that were answered 200 and wait on this replica's disk for the broker.", nil, nil),
		bytes: prometheus.NewDesc("livebridge_intake_queue_bytes",
			"Size of the callbacks that wait on this replica's disk for the broker.", nil, nil),
		queued: prometheus.NewDesc("livebridge_intake_queued_total",
			"Callbacks that the broker has not acknowledged within INTAKE_BUDGET, or that came behind such ones.", nil, nil)}
	c.outputBehind = prometheus.NewDesc("livebridge_output_behind_seconds", "Age of the oldest event that this replica "+
		"has committed at NATS and that the stream of consumers had not when it was last asked.", []string{"stream"}, nil)
	c.outputWaiting = prometheus.NewDesc("livebridge_output_waiting_events", "Events that are committed at NATS and that "+
		"the stream of consumers has not yet, as the server says.", []string{"stream"}, nil)
	for _, m := range c.metrics {
		c.descriptions = append(c.descriptions,
			prometheus.NewDesc("livebridge_partition_"+m.name, m.help, []string{"partition"}, nil))
	}
	registry.MustRegister(c)
}

// Describe implements prometheus.Collector.
func (c *replicaCollector) Describe(to chan<- *prometheus.Desc) {
	others := []*prometheus.Desc{c.waiting, c.bytes, c.queued, c.outputBehind, c.outputWaiting}
	for _, d := range append(others, c.descriptions...) {
		to <- d
	}
	c.r.counts.tally.Describe(to)
}

// Collect implements prometheus.Collector.
func (c *replicaCollector) Collect(to chan<- prometheus.Metric) {
	if q := c.r.queue; q != nil {
		to <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(c.r.fallback.Total()))
		to <- prometheus.MustNewConstMetric(c.bytes, prometheus.GaugeValue, float64(q.Bytes()))
		to <- prometheus.MustNewConstMetric(c.queued, prometheus.CounterValue, float64(c.r.fallback.Queued()))
	}
	var all []cluster.Stats
	if o := c.r.opened.Load(); o != nil {
		all = o.cluster.Stats()
		c.collectOutputs(to, o.shared)
	}
	c.r.counts.tally.Show(levelsOf(all))
	c.r.counts.tally.Collect(to)
	for _, s := range all {
		for i, m := range c.metrics {
			to <- prometheus.MustNewConstMetric(c.descriptions[i], m.kind, m.of(s), strconv.Itoa(s.Partition))
		}
	}
}

// collectOutputs has how far the streams of consumers are.
func (c *replicaCollector) collectOutputs(to chan<- prometheus.Metric, broker shared) {
	known, is := broker.(sourced)
	if !is {
		return
	}
	for _, s := range known.Outputs() {
		to <- prometheus.MustNewConstMetric(c.outputBehind, prometheus.GaugeValue, s.Behind.Seconds(), s.Stream)
		to <- prometheus.MustNewConstMetric(c.outputWaiting, prometheus.GaugeValue, float64(s.Waiting), s.Stream)
	}
}
