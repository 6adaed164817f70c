package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// handbook returns a section of deployments/README.md.
func handbook(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the handbook has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// sources returns the text of the program.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"bridge", "cmd/livebridge", "transports"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// TestHandbookContents: the contents list every section, in the order of the sections.
func TestHandbookContents(t *testing.T) {
	text := documents(t)[filepath.Join("..", "..", "deployments", "README.md")]
	listed := regexp.MustCompile(`(?m)^- \[(.+)\]\(#[^)]+\)$`).FindAllStringSubmatch(text, -1)
	sections := regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(text, -1)
	name := func(found [][]string) (names []string) {
		for _, f := range found {
			names = append(names, f[1])
		}
		return names
	}
	if !slices.Equal(name(listed), name(sections)) {
		t.Errorf("the contents list\n%q, and the sections are\n%q", name(listed), name(sections))
	}
}

// TestHandbookMessages: the program logs what the operator's handbook explains, which stands there by severity and
// in alphabetical order.
func TestHandbookMessages(t *testing.T) {
	program := sources(t)
	rows := regexp.MustCompile("(?m)^\\| (error|warn) \\| `([^`]+)`").FindAllStringSubmatch(handbook(t, "Troubleshooting"),
		-1)
	if len(rows) < 20 {
		t.Fatalf("%d messages", len(rows))
	}
	var keys []string
	for _, row := range rows {
		if message := strings.TrimSuffix(row[2], " …"); !strings.Contains(program, `"`+message) {
			t.Errorf("no line of the program is %q", message)
		}
		keys = append(keys, row[1]+" "+strings.ToLower(row[2]))
	}
	if !slices.IsSorted(keys) {
		t.Errorf("not in order: %q", keys)
	}
}

// TestHandbookAlerts: every alert rule has an entry in the handbook, which its link leads to, and tests of its own; and
// the handbook has no other entries.
func TestHandbookAlerts(t *testing.T) {
	dir := filepath.Join("..", "..", "deployments")
	rules, err := os.ReadFile(filepath.Join(dir, "prometheus", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(dir, "prometheus", "alerts.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var named, entries []string
	for _, rule := range strings.Split(string(rules), "- alert: ")[1:] {
		name, _, _ := strings.Cut(rule, "\n")
		named = append(named, name)
		if !strings.Contains(rule, "runbook_url: deployments/README.md#"+strings.ToLower(name)+"\n") {
			t.Errorf("%s does not link to its entry", name)
		}
		if !strings.Contains(string(tests), name) {
			t.Errorf("%s has no test", name)
		}
	}
	for _, entry := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(handbook(t, "Alerts"), -1) {
		entries = append(entries, entry[1])
	}
	if !slices.Equal(named, entries) || len(named) < 10 {
		t.Errorf("the rules are %q, the entries %q", named, entries)
	}
}
