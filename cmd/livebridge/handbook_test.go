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

// TestHandbookMetrics: the metrics to be alerted on are there.
func TestHandbookMetrics(t *testing.T) {
	table := handbook(t, "Production checklist")
	program := sources(t)
	names := regexp.MustCompile("`([a-z]+_[a-z_]+)`").FindAllStringSubmatch(table, -1)
	if len(names) < 8 {
		t.Fatalf("%d metrics", len(names))
	}
	for _, name := range names {
		pattern := `"(livebridge_)?` + name[1] + `"`
		if outcome, ok := strings.CutPrefix(name[1], "callbacks_"); ok { // made of the outcome
			pattern += `|"` + strings.TrimSuffix(outcome, "_total") + `"`
		}
		if !regexp.MustCompile(pattern).MatchString(program) {
			t.Errorf("no metric is %q", name[1])
		}
	}
}
