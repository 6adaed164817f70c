package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/fallback"
	"livebridge/bridge/store"
)

// family is a metric as /metrics describes it.
type family struct {
	kind, help string
	labels     map[string]bool
}

// everyFamily returns livebridge's metrics by name: those of a service on which everything is turned on that has some.
func everyFamily(t *testing.T) map[string]*family {
	t.Helper()
	dir := t.TempDir()
	cert, certKey, key := filepath.Join(dir, "cert"), filepath.Join(dir, "cert.key"), filepath.Join(dir, "key")
	certify(t, cert, certKey)
	if err := os.WriteFile(key, []byte(demoKey), 0o600); err != nil {
		t.Fatal(err)
	}
	asService(t, map[string]string{"DOMAINS": emulatedDomain})
	service := launch(
		t,
		t.TempDir(),
		prefix+"TLS_CERT_FILE="+cert,
		prefix+"TLS_KEY_FILE="+certKey,
		prefix+"RECORD_KEY_FILE="+key,
		prefix+"PROVIDER_ENDPOINT="+newAccount(t).url,
		prefix+"RECONCILE_INTERVAL=1h",
	)
	answer, err := http.Get("http://" + service.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	all := make(map[string]*family)
	readFamilies(all, answer.Body)
	readFamilies(all, replicaFamilies(t))
	return all
}

// readFamilies adds what an exposition says of livebridge's metrics.
func readFamilies(all map[string]*family, exposition io.Reader) {
	comment, sample := regexp.MustCompile(
		`^# (HELP|TYPE) (livebridge_\w+) (.*)$`,
	), regexp.MustCompile(
		`^(livebridge_\w+)\{(.*)\}`,
	)
	for lines := bufio.NewScanner(exposition); lines.Scan(); {
		if m := comment.FindStringSubmatch(lines.Text()); m != nil && m[1] == "HELP" {
			all[m[2]] = &family{help: m[3], labels: make(map[string]bool)}
		} else if m != nil {
			all[m[2]].kind = m[3]
		} else if m := sample.FindStringSubmatch(lines.Text()); m != nil {
			for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(m[2], -1) {
				all[familyOf(all, m[1])].labels[label[1]] = true
			}
		}
	}
}

// replicaFamilies returns the metrics of a replica that has found its broker, which is in memory.
func replicaFamilies(t *testing.T) io.Reader {
	t.Helper()
	q, err := store.OpenQueue(store.QueueOptions{Dir: t.TempDir(), FS: store.Disk(), MaxBytes: 1, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	o := cluster.DefaultOptions(t.TempDir())
	o.Intake = clustertest.New(1, func() bridge.Millis { return 0 }).Replica(nil)
	registry, answer := prometheus.NewRegistry(), httptest.NewRecorder()
	r := &replica{queue: q, fallback: &fallback.Journal{}}
	r.counts = newReplicaCounts(zap.NewNop(), registry, func() bool { return true }, nil)
	r.opened.Store(&opened{shared: sourcedBroker{}, cluster: cluster.New(o)})
	registerReplica(registry, r)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body
}

// sourcedBroker is one whose streams of consumers take what was committed from where it was.
type sourcedBroker struct{ shared }

// Outputs implements sourced.
func (sourcedBroker) Outputs() []bridge.OutputState {
	return []bridge.OutputState{{Stream: "LIVE_EVENTS", Behind: time.Second, Waiting: 1}}
}

// familyOf returns the metric that a series belongs to: a histogram has three.
func familyOf(all map[string]*family, series string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if name := strings.TrimSuffix(series, suffix); all[name] != nil && all[name].kind == "histogram" {
			return name
		}
	}
	return series
}

// TestMetricsReference: the handbook documents the metrics that the service emits, and no others.
func TestMetricsReference(t *testing.T) {
	const begin, end = "<!-- Generated from /metrics: go generate ./cmd/livebridge -->\n", "<!-- End of the metrics. -->\n"
	all := everyFamily(t)
	var table strings.Builder
	table.WriteString("\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		delete(f.labels, "le")
		labels := strings.Join(slices.Sorted(maps.Keys(f.labels)), ", ")
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", name, f.kind, labels, f.help)
	}
	path := filepath.Join("..", "..", "deployments", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no place for the metrics between %q and %q", path, begin, end)
	}
	current(t, path, before+begin+table.String()+"\n"+end+after)
}

// TestMonitoringNamesWhatThereIs: every metric that the alert rules and the dashboard name is one of the service.
func TestMonitoringNamesWhatThereIs(t *testing.T) {
	all, named := everyFamily(t), make(map[string]bool)
	for _, file := range []string{"prometheus/alerts.yaml", "grafana/livebridge.json"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deployments", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, series := range regexp.MustCompile(`\blivebridge_\w+`).FindAllString(string(text), -1) {
			name := familyOf(all, series)
			if named[name] = true; all[name] == nil {
				t.Errorf("%s names %s, which the service does not have", file, series)
			}
		}
	}
	for name := range all {
		if !named[name] {
			t.Logf("%s is in no alert and no panel", name)
		}
	}
	if len(named) < 30 {
		t.Errorf("%d metrics are named", len(named))
	}
}
