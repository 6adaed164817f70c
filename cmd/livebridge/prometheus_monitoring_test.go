//go:build monitoring

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// prometheusServer is a real Prometheus with the project's alert rules.
type prometheusServer struct{ url string }

// startPrometheus starts bin/prometheus, which `make test-monitoring` builds. It asks a program five times a second,
// and its alerts wait for a second where the rules say minutes.
func startPrometheus(t *testing.T, target string) prometheusServer {
	t.Helper()
	dir := t.TempDir()
	rules, err := os.ReadFile(filepath.Join("..", "..", "deployments", "prometheus", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(
		t,
		filepath.Join(dir, "alerts.yaml"),
		regexp.MustCompile(`for: \d+m`).ReplaceAll(rules, []byte("for: 1s")),
	)
	writeFile(
		t,
		filepath.Join(dir, "prometheus.yaml"),
		fmt.Appendf(nil, "global: {scrape_interval: 200ms, scrape_timeout: 200ms, "+
			"evaluation_interval: 200ms}\nrule_files: [alerts.yaml]\nscrape_configs:\n"+
			"  - {job_name: livebridge, static_configs: [{targets: [%q]}]}\n", target),
	)
	c := exec.Command(
		filepath.Join("..", "..", "bin", "prometheus"),
		"--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0",
	)
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	address := regexp.MustCompile(`msg="Listening on".* address=(\S+)`)
	lines, read := bufio.NewScanner(log), ""
	for lines.Scan() {
		read += lines.Text() + "\n"
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() { // whoever is not read stops writing, and then working
				}
			}()
			server := prometheusServer{"http://" + m[1]}
			until(t, "Prometheus is ready", server.ready)
			return server
		}
	}
	t.Fatalf("Prometheus does not listen:\n%s", read)
	return prometheusServer{}
}

func (p prometheusServer) ready() bool {
	answer, err := http.Get(p.url + "/-/ready")
	if err == nil {
		_ = answer.Body.Close()
	}
	return err == nil && answer.StatusCode == http.StatusOK
}

// sample is a series and its value.
type sample struct {
	Metric map[string]string
	Value  [2]any
}

// query evaluates an expression. It fails where Prometheus refuses it.
func (p prometheusServer) query(t *testing.T, expression string) []sample {
	t.Helper()
	answer, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var result struct {
		Error string
		Data  struct{ Result []sample }
	}
	if err := json.NewDecoder(answer.Body).Decode(&result); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %s %v", expression, answer.StatusCode, result.Error, err)
	}
	return result.Data.Result
}

// firing returns the names of the alerts that fire, but for those that look back for minutes at a disk that the test
// shares with the whole machine.
func (p prometheusServer) firing(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, s := range p.query(t, `ALERTS{alertstate="firing",alertname!~"LivebridgeJournalFilling|LivebridgeSlowDisk"}`) {
		names[s.Metric["alertname"]] = true
	}
	return names
}

// shown evaluates the queries of the dashboard as Grafana does, and returns the values of those of each panel, and the
// panels that have none.
func (p prometheusServer) shown(t *testing.T) (values map[string][]string, empty []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "grafana", "livebridge.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	values = make(map[string][]string)
	chosen := strings.NewReplacer("$job", ".*", "$instance", ".*", "$__rate_interval", "5s")
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			for _, s := range p.query(t, chosen.Replace(target.Expr)) {
				values[panel.Title] = append(values[panel.Title], fmt.Sprint(s.Value[1]))
			}
		}
		ofReplicas := len(panel.Targets) > 0 && regexp.MustCompile(`livebridge_(partition|intake)_`).
			MatchString(panel.Targets[0].Expr) // which one service alone has none of
		if panel.Type != "row" && !ofReplicas && len(values[panel.Title]) == 0 {
			empty = append(empty, panel.Title)
		}
	}
	return values, empty
}
