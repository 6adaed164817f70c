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
	packages := map[string]map[string]bool{}
	for _, m := range mutants() {
		if _, _, err := m.read(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if packages[m.where] == nil {
			packages[m.where] = testsOf(t, m.where)
		}
		for _, test := range m.tests() {
			if !packages[m.where][test] {
				t.Errorf("%s: there is no %s in %s", m.name, test, m.where)
			}
		}
	}
}

// testsOf returns the names of a package's tests.
func testsOf(t *testing.T, where string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(where, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	function, names := regexp.MustCompile(`(?m)^func (\w+)\(`), map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range function.FindAllSubmatch(text, -1) {
			names[string(found[1])] = true
		}
	}
	return names
}
