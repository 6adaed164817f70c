package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestEveryFaultApplies: the text of each fault is in its file once, and the test that must find it is there.
func TestEveryFaultApplies(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for _, m := range mutants() {
		if _, err := m.plant(t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		for _, test := range m.tests() {
			if !has(t, m.where, test) {
				t.Errorf("%s: there is no %s in %s", m.name, test, m.where)
			}
		}
	}
}

// has reports whether a package has a test.
func has(t *testing.T, where, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(where, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	function := regexp.MustCompile(`(?m)^func ` + test + `\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if function.Match(text) {
			return true
		}
	}
	return false
}
