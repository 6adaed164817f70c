//go:build monitoring

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestMonitoredAlertsWait: the tests of the alert rules fail when any of them does not wait for as long as it says, and
// so show that each waits. bin/promtool runs them, which `make test-monitoring` builds.
func TestMonitoredAlertsWait(t *testing.T) {
	rules, tests := monitoringFile(t, "alerts.yaml"), monitoringFile(t, "alerts.test.yaml")
	if output, err := testRules(t, rules, tests); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	waits := regexp.MustCompile(`(?m)^ +for: \d+m\n`).FindAllStringIndex(rules, -1)
	if len(waits) < 10 {
		t.Fatalf("%d rules wait", len(waits))
	}
	names := regexp.MustCompile(`- alert: (\w+)`)
	for _, at := range waits {
		before := names.FindAllStringSubmatch(rules[:at[0]], -1)
		if _, err := testRules(t, rules[:at[0]]+rules[at[1]:], tests); err == nil {
			t.Errorf("no test fails when %s fires at once", before[len(before)-1][1])
		}
	}
}

// monitoringFile returns a file of what Prometheus is given.
func monitoringFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "prometheus", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testRules runs the tests of alert rules.
func testRules(t *testing.T, rules, tests string) (output []byte, err error) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "alerts.yaml"), []byte(rules))
	writeFile(t, filepath.Join(dir, "alerts.test.yaml"), []byte(tests))
	promtool, err := filepath.Abs(filepath.Join("..", "..", "bin", "promtool"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(promtool, "test", "rules", "alerts.test.yaml")
	c.Dir = dir
	return c.CombinedOutput()
}
