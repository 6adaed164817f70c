package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTableOfAttacks: every test that the table of attacks in SECURITY.md names is there.
func TestTableOfAttacks(t *testing.T) {
	security, err := os.ReadFile(filepath.Join("..", "..", ".github", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(security), "\n| attack | what happens | test |\n|---|---|---|\n")
	table, _, found := strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	if !found || len(rows) < 20 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), "|")
		codes := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(codes) < 2 || !strings.Contains(codes[0][1], "/") {
			t.Errorf("no test is named: %s", row)
		}
		dir := ""
		for _, code := range codes {
			if strings.Contains(code[1], "/") {
				dir = code[1]
			} else if !hasTest(t, dir, code[1]) {
				t.Errorf("%s has no %s", dir, code[1])
			}
		}
	}
}

// hasTest reports whether a package of ours has a test, or a fuzz target, of the name.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
