//go:build brokers

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"livebridge/bridge/cluster"
)

// Machines that BenchmarkScaleReplicas simulates beyond the one that it measures on.
const (
	simulatedReplicaCores = 2
	simulatedBrokerCores  = 8
	simulatedSending      = 2 * time.Second
)

// scaleRound is what so many replicas with so many partitions have done.
type scaleRound struct {
	scaleUse
	partitions, replicas int
	published            float64 // a second
	foreign              float64 // part of the machine that anything else has used
	cores                int     // of the machine
}

type scaleRounds []scaleRound

// costs returns what explains the processor time of all rounds best.
func (all scaleRounds) costs() scaleCosts {
	var uses scaleUses
	for _, r := range all {
		uses = append(uses, r.scaleUse)
	}
	return uses.costs()
}

// BenchmarkScaleReplicas reports the callbacks a second that are answered and published, by partitions and replicas:
// measured on one machine that the replicas share with the broker and with what sends, and simulated on what the same
// run has measured of costs: of that machine, with the error against what was measured there, and of machines for each.
func BenchmarkScaleReplicas(b *testing.B) {
	broker := onKafkaReplicas(b)
	for b.Loop() {
		var rounds scaleRounds
		var answers, transactions []float64
		for range benchRounds {
			answer, transaction := measureWaits(b, broker)
			answers, transactions = append(answers, answer), append(transactions, transaction)
			for _, partitions := range []int{1, 2, 4, 8} {
				for count := 1; count <= min(partitions+1, 3); count++ {
					rounds = append(rounds, measureScale(b, broker, partitions, count))
				}
			}
		}
		costs := rounds.costs()
		costs.wait(slices.Min(answers), slices.Min(transactions)) // others on the machine make them longer
		b.Logf("with 50 callbacks a second, measured: %.2f ms to the 200, %.2f ms for a transaction", answers, transactions)
		b.Logf("costs, measured, in ns: %+v", costs)
		rounds.report(b, &costs)
		reportSimulated(b, &costs)
	}
}

// measureScale measures so many replicas with so many partitions.
func measureScale(b *testing.B, broker *benchedBroker, partitions, count int) scaleRound {
	b.Helper()
	var replicas []*program
	name := benchName()
	for range count {
		replicas = append(replicas, broker.replica(b, name, partitions))
	}
	ownedBy(b, partitions, replicas...)
	r := scaleRound{partitions: partitions, replicas: count}
	before, begun := readUsage(b, broker, replicas), time.Now()
	_, r.published = throughput(b, "livebridge_partition_events_total", replicas...)
	took, after := time.Since(begun), readUsage(b, broker, replicas)
	r.add(b, before, after, replicas)
	own := r.sender + r.broker + r.owners + r.others + after.idle - before.idle
	r.foreign = 1 - own.Seconds()/(took.Seconds()*float64(after.cores))
	for _, p := range replicas {
		p.kill()
		p.end(b)
	}
	return r
}

// add adds what was used between two readings.
func (r *scaleRound) add(b *testing.B, before, after usage, replicas []*program) {
	r.cores = after.cores
	r.sender, r.broker = after.own-before.own, after.broker-before.broker
	for i, p := range replicas {
		m := p.metrics(b)
		accepted := seriesSum(m, "livebridge_callback_duration_seconds_count")
		r.callbacks += accepted
		r.commits += seriesSum(m, "livebridge_partition_commits_total")
		if used := after.replicas[i] - before.replicas[i]; seriesSum(m, "livebridge_partition_owned") > 0 {
			r.owners += used
		} else {
			r.others += used
			r.taken += accepted
		}
	}
}

// seriesSum returns the sum of a metric over all labels.
func seriesSum(metrics map[string]float64, name string) float64 {
	total, _ := sum(metrics, name)
	return total
}

// usage is the processor time that was used by now.
type usage struct {
	own, broker, idle time.Duration
	replicas          []time.Duration
	cores             int
}

func readUsage(b *testing.B, broker *benchedBroker, replicas []*program) (u usage) {
	u.own, u.broker = processTime(b, os.Getpid()), processTime(b, broker.process)
	for _, p := range replicas {
		u.replicas = append(u.replicas, cpuTime(b, p))
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		b.Fatal(err)
	}
	var user, nice, system, idle, wait int // in ticks, of which USER_HZ is 100
	if _, err := fmt.Sscanf(string(stat), "cpu %d %d %d %d %d", &user, &nice, &system, &idle, &wait); err != nil {
		b.Fatal(err)
	}
	u.idle = time.Duration(idle+wait) * 10 * time.Millisecond
	u.cores = bytes.Count(stat, []byte("\ncpu"))
	return u
}

// measureWaits measures the time to the 200, and of a transaction, in milliseconds, where nothing waits for another.
func measureWaits(b *testing.B, broker *benchedBroker) (answer, transaction float64) {
	b.Helper()
	name := benchName()
	p := broker.replica(b, name, 1)
	ownedBy(b, 1, p)
	answered, _ := latencies(b, 50, "http://"+p.listen+"/live/stream",
		func(ctx context.Context, f func(message) error) error {
			return broker.consume(ctx, name, func(payload []byte) error { return f(message{payload: payload}) })
		})
	m := p.metrics(b)
	p.kill()
	p.end(b)
	const of = "livebridge_publish_duration_seconds_"
	return quantile(answered, 0.5), 1000 * seriesSum(m, of+"sum") / seriesSum(m, of+"count")
}

// layoutOf is replicas as the product's defaults have them, on so many cores each.
func layoutOf(partitions, replicas, cores int) scaleLayout {
	o := cluster.DefaultOptions("")
	return scaleLayout{partitions: partitions, replicas: replicas, slots: max(2, cores), wait: o.CommitWait,
		batch: o.BatchInputs, replica: cores}
}

// report prints what was measured beside what a simulation of the same machine comes to: medians of the rounds.
func (all scaleRounds) report(b *testing.B, costs *scaleCosts) {
	b.Helper()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "partitions\treplicas\tmeasured/s\tcallbacks a commit\tused by others\tsimulated/s\t"+
		"callbacks a commit\terror\t")
	worst := 0.0
	for _, rounds := range all.byLayout() {
		var published, size, foreign, simulated, simulatedSize []float64
		for _, r := range rounds {
			got := r.simulate(costs)
			published, size = append(published, r.published), append(size, r.callbacks/r.commits)
			simulated, simulatedSize = append(simulated, got.published), append(simulatedSize, got.each)
			foreign = append(foreign, 100*r.foreign)
		}
		p, n := rounds[0].partitions, rounds[0].replicas
		wrong := 100 * (median(simulated)/median(published) - 1)
		worst = max(worst, wrong, -wrong)
		fmt.Fprintf(w, "%d\t%d\t%.0f\t%.0f\t%.0f%%\t%.0f\t%.0f\t%+.0f%%\t\n", p, n, median(published), median(size),
			median(foreign), median(simulated), median(simulatedSize), wrong)
		b.ReportMetric(median(published), fmt.Sprintf("p%d-r%d-published/s", p, n))
	}
	_ = w.Flush()
	b.Logf("one machine, measured, and simulated on the costs:\n%s", out.String())
	b.ReportMetric(worst, "%-simulation-off-at-most")
}

// simulate simulates the same machine.
func (r *scaleRound) simulate(costs *scaleCosts) scaleResult {
	layout := layoutOf(r.partitions, r.replicas, r.cores)
	layout.shared, layout.connections, layout.sending = r.cores, benchConnections, *benchTime
	return simulateScale(costs.slowedBy(r.foreign), layout)
}

// slowedBy returns costs on a machine of which others use a part.
func (c *scaleCosts) slowedBy(foreign float64) scaleCosts {
	slowed := *c
	for _, cost := range []*time.Duration{&slowed.send, &slowed.accept, &slowed.apply, &slowed.commit, &slowed.store,
		&slowed.transact} {
		*cost = time.Duration(float64(*cost) / (1 - min(max(foreign, 0), 0.9)))
	}
	return slowed
}

// byLayout returns the rounds of each number of partitions and replicas.
func (all scaleRounds) byLayout() (out []scaleRounds) {
	for _, r := range all {
		i := slices.IndexFunc(out, func(same scaleRounds) bool {
			return same[0].partitions == r.partitions && same[0].replicas == r.replicas
		})
		if i < 0 {
			out = append(out, scaleRounds{r})
			continue
		}
		out[i] = append(out[i], r)
	}
	return out
}

// reportSimulated prints what replicas with cores of their own come to, beside a broker with many.
func reportSimulated(b *testing.B, costs *scaleCosts) {
	b.Helper()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "partitions\treplicas\tsimulated/s\theld up by\t")
	for _, partitions := range []int{1, 4, 12, 24} {
		for _, replicas := range []int{1, 2, 3, 4, 6, 8} {
			layout := layoutOf(partitions, replicas, simulatedReplicaCores)
			layout.broker, layout.sender, layout.sending = simulatedBrokerCores, 1<<16, simulatedSending
			layout.connections = 4 * benchConnections * replicas
			got := simulateScale(*costs, layout)
			fmt.Fprintf(w, "%d\t%d\t%.0f\t%s\t\n", partitions, replicas, got.published, got.bound)
			b.ReportMetric(got.published, fmt.Sprintf("p%d-r%d-simulated/s", partitions, replicas))
		}
	}
	_ = w.Flush()
	b.Logf("simulated: replicas with %d cores each, one broker with %d, which copies to no other:\n%s",
		simulatedReplicaCores, simulatedBrokerCores, out.String())
}
