package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"livebridge/transports/transporttest"
)

// variant is a server that BenchmarkAccept compares, and what it has measured of it.
type variant struct {
	name     string
	binary   string                                  // "": the test's own
	limit    string                                  // see asLimit; "": it is livebridge itself
	settings func(b *testing.B, launch int) []string // of livebridge, so that each launch has a topic of its own
	launches int

	rate     []float64 // callbacks answered 200 a second, by round
	cpu      []float64 // microseconds a callback, user and system, until all is published
	answered []float64 // milliseconds to 200 under full load
	left     float64   // events in the outbox at the end of the load, the most
	memory   float64   // MB, the most

	steady, consumed []float64 // milliseconds to 200, and from there to a consumer, at 1,000 callbacks a second
}

// limitVariant is not the product, see serveLimit.
func limitVariant(kind string) *variant {
	return &variant{name: kind, limit: kind, settings: onEmbedded}
}

// bridgeVariant is livebridge with the product's defaults, but for the settings given.
func bridgeVariant(name string, settings func(b *testing.B, launch int) []string) *variant {
	return &variant{name: name, settings: settings}
}

// onEmbedded has no settings.
func onEmbedded(*testing.B, int) []string { return nil }

// onNATS starts a NATS server for each launch, and waits until it listens: a bare handler tries but once.
func onNATS(b *testing.B, _ int) []string {
	address := transporttest.FreeAddress(b)
	startNATS(b, b.TempDir(), address)
	until(b, "the NATS server listens", func() bool {
		c, err := net.Dial("tcp", address)
		return err == nil && c.Close() == nil
	})
	return []string{"NATS_URL", "nats://" + address}
}

// onWatermill is a receiver written on Watermill, beside a NATS server as onNATS has it.
func onWatermill(b *testing.B) *variant {
	binary := filepath.Join(b.TempDir(), "watermill")
	build := exec.Command("go", "build", "-mod=mod", "-o", binary, ".") // its requirements follow ours
	build.Dir = "../../.ci/watermill"
	if said, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, said)
	}
	v := limitVariant("watermill").runs(binary)
	v.settings = onNATS
	return v
}

// runs makes it a variant of another binary.
func (v *variant) runs(binary string) *variant {
	v.binary = binary
	return v
}

// launch starts a new process on an empty directory, and returns its settings too.
func (v *variant) launch(b *testing.B) (*program, []string) {
	v.launches++
	settings := append([]string{"HOLD_DONE", "10s", "HOLD_NEXT", "3s"}, v.settings(b, v.launches)...)
	var env, under []string
	if v.limit != "" {
		env = append(env, asProgram+"=", asLimit+"="+v.limit)
	}
	for i := 0; i < len(settings); i += 2 {
		env = append(env, prefix+settings[i]+"="+settings[i+1])
	}
	if v.binary != "" {
		under = []string{"sh", "-c", `exec "$0"`, v.binary}
	}
	return launchUnder(b, b.TempDir(), under, env...), settings
}

// compare measures the variants in turns and prints the table.
func compare(b *testing.B, variants []*variant) {
	for round := range *acceptRounds {
		for n := range variants {
			variants[(n+round)%len(variants)].measure(b)
		}
	}
	for _, v := range variants {
		if v.limit == "" {
			v.measureLatency(b)
		}
	}
	b.Log("\n" + tableOf(variants))
	limit := variants[slices.IndexFunc(variants, func(v *variant) bool { return v.name == "synced" })]
	for _, v := range variants {
		b.ReportMetric(median(v.rate)/median(limit.rate), v.name+"-share")
		b.ReportMetric(median(v.cpu), v.name+"-us-cpu")
	}
}

// measure is one round.
func (v *variant) measure(b *testing.B) {
	p, _ := v.launch(b)
	before := cpuTime(b, p)
	rate, answered := load64(b, p.listen)
	if p.admin != "" {
		v.left = max(v.left, p.metrics(b)["livebridge_outbox_events"])
		p.awaitPublished(b)
	}
	used := cpuTime(b, p) - before
	v.rate, v.answered = append(v.rate, rate), append(v.answered, answered...)
	v.cpu = append(v.cpu, float64(used.Microseconds())/float64(len(answered)))
	v.memory = max(v.memory, resident(b, p, "VmHWM:"))
	p.kill()
	p.end(b)
}

// awaitPublished waits until the outbox is empty.
func (p *program) awaitPublished(b *testing.B) {
	for begun := time.Now(); p.metrics(b)["livebridge_outbox_events"] > 0; <-time.After(100 * time.Millisecond) {
		if time.Since(begun) > patience {
			b.Fatalf("the outbox is not empty\n%s", p.log)
		}
	}
}

// measureLatency sends at a constant rate beside a consumer.
func (v *variant) measureLatency(b *testing.B) {
	p, settings := v.launch(b)
	s, err := load(with(settings...))
	if err != nil {
		b.Fatal(err)
	}
	t := s.transport()
	at := t.url()
	if t.embedded() {
		at = p.nats
	}
	v.steady, v.consumed = latencies(b, 1000, "http://"+p.listen+"/live/stream", consumerOf(t, at))
	p.kill()
	p.end(b)
}

// cpuTime returns the processor time of a program, user and system.
func cpuTime(b *testing.B, p *program) time.Duration { return processTime(b, p.cmd.Process.Pid) }

// processTime returns that of a process.
func processTime(b *testing.B, id int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	if err != nil {
		b.Fatal(err)
	}
	var user, system int // in ticks, of which USER_HZ is 100
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// tableOf prints the medians; the share of the limit is of medians too.
func tableOf(variants []*variant) string {
	limit := 0.0
	for _, v := range variants {
		if v.name == "synced" {
			limit = median(v.rate)
		}
	}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "variant\tcallbacks/s\tof the limit\tµs CPU\tms to 200, p50\tp99\tat 1,000/s: p50\tp99\t"+
		"200 to consumer, p50\tp99\tleft\tMB\t")
	for _, v := range variants {
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.1f\t%.2f\t%.2f\t%s\t%s\t%.0f\t%.0f\t\n", v.name, median(v.rate),
			median(v.rate)/limit, median(v.cpu), quantile(v.answered, 0.5), quantile(v.answered, 0.99),
			quantiles(v.steady), quantiles(v.consumed), v.left, v.memory)
	}
	_ = w.Flush()
	return out.String()
}

// quantiles prints two; none where nothing was measured.
func quantiles(values []float64) string {
	if len(values) == 0 {
		return "-\t-"
	}
	return fmt.Sprintf("%.2f\t%.2f", quantile(values, 0.5), quantile(values, 0.99))
}
