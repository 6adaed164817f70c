package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMakeHelp: `make help`, which is what `make` alone does, has a line for every target.
func TestMakeHelp(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, phony, _ := strings.Cut(string(text), "\n.PHONY:")
	phony, rules, _ := strings.Cut(strings.ReplaceAll(phony, "\\\n", ""), "\n")
	targets := strings.Fields(phony)
	if len(targets) < 10 || targets[0] != "help" {
		t.Errorf("the targets are %q", targets)
	}
	first := regexp.MustCompile(`(?m)^([a-z-]+):`).FindStringSubmatch(rules)
	if first == nil || first[1] != "help" {
		t.Errorf("the default target is %q and not help", first)
	}
	for _, target := range targets {
		if !regexp.MustCompile(`(?m)^` + target + `:.* ## \S`).MatchString(rules) {
			t.Errorf("%s has no text for make help", target)
		}
	}
	for _, rule := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(" "+strings.Join(targets, " ")+" ", " "+rule[1]+" ") {
			t.Errorf("%s is not .PHONY", rule[1])
		}
	}
}
