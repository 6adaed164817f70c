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
	simulatedBrokerCores  = 16
	simulatedSending      = 2 * time.Second
)

// BenchmarkScaleReplicas reports the callbacks a second that are answered and published, by partitions and replicas:
// measured on one machine that the replicas share with the broker and with what sends, and simulated on what the same
// run has measured of costs: of that machine, with the error against what was measured there, and of machines for each.
func BenchmarkScaleReplicas(b *testing.B) {
	broker := onKafkaReplicas(b)
	for b.Loop() {
		var rounds scaleRounds
		for range benchRounds {
			for _, partitions := range []int{1, 2, 4, 8} {
				for count := 1; count <= min(partitions+1, 3); count++ {
					rounds = append(rounds, measureScale(b, broker, partitions, count))
				}
			}
		}
		costs := rounds.costs()
		measureWaits(b, broker, &costs)
		b.Logf("costs, measured: %+v", costs)
		rounds.report(b, &costs)
		reportSimulated(b, &costs)
	}
}

// scaleRound is what so many replicas with so many partitions have done under full load, and the processor time that
// it took.
type scaleRound struct {
	partitions, replicas int
	published            float64 // a second
	callbacks            float64
	taken                float64 // of them, by replicas that own nothing
	commits              float64
	sender, broker       time.Duration
	owners, others       time.Duration // replicas that own partitions, and the others
	foreign              float64       // part of the machine that anything else has used
}

type scaleRounds []scaleRound

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
	r.foreign = 1 - (r.sender+r.broker+r.owners+r.others+after.idle-before.idle).Seconds()/(took.Seconds()*after.cores)
	for _, p := range replicas {
		p.kill()
		p.end(b)
	}
	return r
}

// add adds what was used between two readings.
func (r *scaleRound) add(b *testing.B, before, after usage, replicas []*program) {
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
func seriesSum(metrics map[string]float64, name string) (total float64) {
	for series, value := range metrics {
		if series == name || strings.HasPrefix(series, name+"{") {
			total += value
		}
	}
	return total
}

// usage is the processor time that was used by now.
type usage struct {
	own, broker, idle time.Duration
	replicas          []time.Duration
	cores             float64
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
	u.cores = float64(bytes.Count(stat, []byte("\ncpu")))
	return u
}

// costs returns what explains the processor time of all rounds best.
func (all scaleRounds) costs() (c scaleCosts) {
	var taken float64
	for _, r := range all {
		taken += r.taken
		c.accept += r.others
		c.send += time.Duration(float64(r.sender) / r.callbacks / float64(len(all)))
	}
	c.accept = time.Duration(float64(c.accept) / max(1, taken))
	c.store, c.transact = all.fit(func(r *scaleRound) (time.Duration, float64) { return r.broker, r.callbacks })
	c.apply, c.commit = all.fit(func(r *scaleRound) (time.Duration, float64) {
		return r.owners - time.Duration(r.callbacks-r.taken)*c.accept, r.callbacks
	})
	return c
}

// fit splits processor time into what a callback and what a transaction costs: the line through the rounds' times of a
// callback by their transactions for one, with the least squares.
func (all scaleRounds) fit(of func(*scaleRound) (used time.Duration, callbacks float64)) (each, commit time.Duration) {
	n, x, y, xx, xy := float64(len(all)), 0.0, 0.0, 0.0, 0.0
	for i := range all {
		used, callbacks := of(&all[i])
		at, cost := all[i].commits/callbacks, float64(used)/callbacks
		x, y, xx, xy = x+at, y+cost, xx+at*at, xy+at*cost
	}
	slope := max(0, (n*xy-x*y)/(n*xx-x*x))
	slope = min(slope, y/x) // neither is less than nothing
	return time.Duration((y - slope*x) / n), time.Duration(slope)
}

// measureWaits measures what an answer and a transaction take beyond the processor time, where nothing waits for
// another.
func measureWaits(b *testing.B, broker *benchedBroker, c *scaleCosts) {
	b.Helper()
	name := benchName()
	p := broker.replica(b, name, 1)
	ownedBy(b, 1, p)
	answered, _ := latencies(b, 50, "http://"+p.listen+"/live/stream",
		func(ctx context.Context, f func(message) error) error {
			return broker.consume(ctx, name, func(payload []byte) error { return f(message{payload: payload}) })
		})
	m := p.metrics(b)
	transaction := seriesSum(m, "livebridge_publish_duration_seconds_sum") /
		seriesSum(m, "livebridge_publish_duration_seconds_count")
	p.kill()
	p.end(b)
	b.Logf("with 50 callbacks a second, measured: %.2f ms to the 200, %.2f ms for a transaction", quantile(answered, 0.5),
		1000*transaction)
	c.acknowledge = max(0, time.Duration(quantile(answered, 0.5)*1e6)-c.send-c.accept-c.store/2)
	c.settle = max(0, time.Duration(transaction*1e9)-c.commit-c.transact)
}

// layoutOf is replicas as the product's defaults have them, on so many cores each.
func layoutOf(partitions, replicas, cores int) scaleLayout {
	o := cluster.DefaultOptions("")
	return scaleLayout{partitions: partitions, replicas: replicas, slots: max(2, cores), wait: o.CommitWait,
		batch: o.BatchInputs, replica: cores}
}

// report prints what was measured beside what a simulation of the same machine comes to.
func (all scaleRounds) report(b *testing.B, costs *scaleCosts) {
	b.Helper()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "partitions\treplicas\tmeasured/s\tcommits/s\tused by others\tsimulated/s\terror\t")
	worst := 0.0
	for _, r := range all.medians() {
		cores := int(readUsage(b, &benchedBroker{process: os.Getpid()}, nil).cores)
		layout := layoutOf(r.partitions, r.replicas, cores)
		layout.shared, layout.connections, layout.sending = cores, benchConnections, *benchTime
		simulated := simulateScale(costs.slowedBy(r.foreign), layout)
		off := simulated.published/r.published - 1
		worst = max(worst, off, -off)
		fmt.Fprintf(w, "%d\t%d\t%.0f\t%.0f\t%.0f%%\t%.0f\t%+.0f%%\t\n", r.partitions, r.replicas, r.published,
			r.commits/r.callbacks*r.published, 100*r.foreign, simulated.published, 100*off)
		b.ReportMetric(r.published, fmt.Sprintf("p%d-r%d-published/s", r.partitions, r.replicas))
	}
	_ = w.Flush()
	b.Logf("one machine, measured, and simulated on the costs:\n%s", out.String())
	b.ReportMetric(100*worst, "%-simulation-off-at-most")
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

// medians returns of each layout the round with the median of what was published.
func (all scaleRounds) medians() (out scaleRounds) {
	var seen [][2]int
	for _, r := range all {
		layout := [2]int{r.partitions, r.replicas}
		if slices.Contains(seen, layout) {
			continue
		}
		seen = append(seen, layout)
		same := slices.DeleteFunc(slices.Clone(all), func(o scaleRound) bool {
			return [2]int{o.partitions, o.replicas} != layout
		})
		slices.SortFunc(same, func(a, b scaleRound) int { return int(a.published - b.published) })
		out = append(out, same[len(same)/2])
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
