package main

import (
	"slices"
	"testing"
)

// TestFailsWithoutAFault: a test that fails as it is says nothing about a fault in the common build, and one of whose
// subtests alone fails neither.
func TestFailsWithoutAFault(t *testing.T) {
	const text = "--- FAIL: TestA (0.01s)\n    a_test.go:1: wrong\n" +
		"--- FAIL: TestB (0.00s)\n    --- FAIL: TestB/c (0.00s)\nFAIL\n"
	b := &binary{fails: failed(text)}
	if want := []string{"TestA", "TestB"}; !slices.Equal(b.fails, want) {
		t.Errorf("%q fail, want %q", b.fails, want)
	}
	for test, want := range map[string]bool{"TestA": false, "TestC|TestB/d": false, "TestC": true, "TestAB": true} {
		if got := b.judges(mutant{test: test}); got != want {
			t.Errorf("%s judges: %v, want %v", test, got, want)
		}
	}
}
