// Command mutants plants faults into the program, one at a time, and runs the test that must find each. A fault that no
// test finds is a hole in the tests, and the command exits with 1. The tree is not changed: the faulty files are an
// overlay of the build. All faulty functions are built together, each beside the right one, and an environment variable
// tells the tests' program which of them is called; a fault elsewhere than in a function is built alone.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	only := flag.String("run", "", "plant only the faults whose name matches this regular expression")
	allTests := flag.Bool("whole", false, "run all tests of the package, not only the one that must find the fault")
	flag.Parse()
	if err := run(os.Stdout, *only, *allTests); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run plants the faults and prints a line for each.
func run(w io.Writer, only string, allTests bool) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	chosen := slices.DeleteFunc(mutants(), func(m mutant) bool { return !pattern.MatchString(m.name) })
	if len(chosen) == 0 {
		return fmt.Errorf("no fault matches -run %q", only)
	}
	p, err := newPlan(chosen, dir, allTests)
	if err != nil {
		return err
	}
	var errs []error
	for v := range p.verdicts() {
		errs = append(errs, v.print(w))
	}
	return errors.Join(errs...)
}

// verdict is the outcome of one fault.
type verdict struct {
	mutant
	took time.Duration
	err  error // nil: it was caught
}

// print writes a line and returns the error of a fault that was not caught.
func (v verdict) print(w io.Writer) error {
	what := "caught by " + strings.Join(v.tests(), ", ")
	if v.err != nil {
		what = "NOT CAUGHT"
	}
	fmt.Fprintf(w, "%-61s %-60s %.1f s\n", v.name, what, v.took.Seconds())
	if v.err != nil {
		return fmt.Errorf("%s: %w", v.name, v.err)
	}
	return nil
}

// found returns nil if the tests have found the fault, judging by their output.
func (m mutant) found(text string, passed bool) error {
	switch {
	case passed && strings.Contains(text, "no tests to run"):
		return fmt.Errorf("test %s does not exist", m.test)
	case passed:
		return fmt.Errorf("test %s passes with the fault", m.test)
	case strings.Contains(text, "[build failed]") || strings.Contains(text, "[setup failed]"):
		return fmt.Errorf("the fault does not compile:\n%s", text)
	case strings.Contains(text, "panic: test timed out"):
		return fmt.Errorf("test %s times out instead of reporting the fault:\n%s", m.test, text)
	case strings.Contains(text, "panic: ") || strings.Contains(text, "fatal error: "):
		return nil
	}
	for _, test := range m.tests() {
		if !strings.Contains(text, "--- FAIL: "+test+" ") {
			return fmt.Errorf("test %s passes with the fault:\n%s", test, text)
		}
	}
	return nil
}

// tests returns the names of the tests that must fail, without subtests.
func (m mutant) tests() []string {
	all := strings.Split(m.test, "|")
	for i := range all {
		all[i], _, _ = strings.Cut(all[i], "/")
	}
	return all
}

// usesRapid reports whether the tests of a package have rapid's flags.
func usesRapid(where string) bool {
	files, _ := filepath.Glob(filepath.Join(where, "*_test.go")) // cannot fail: the pattern is valid
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), `"pgregory.net/rapid"`)
	})
}

// read returns the path of the file that the fault is planted in, and its text.
func (m mutant) read() (path, text string, err error) {
	path, err = filepath.Abs(m.file)
	if err != nil {
		return "", "", err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	if n := strings.Count(string(content), m.old); n != 1 {
		return "", "", fmt.Errorf("%s contains the text %q %d times, want 1: fix the entry in cmd/mutants", m.file, m.old, n)
	}
	return path, string(content), nil
}

// plant writes the faulty file and the overlay that replaces the original by it, and returns the overlay's path.
func (m mutant) plant(dir string) (string, error) {
	path, text, err := m.read()
	if err != nil {
		return "", err
	}
	faulty, overlay := filepath.Join(dir, "faulty.go"), filepath.Join(dir, "overlay.json")
	wrong := strings.Replace(text, m.old, m.new, 1)
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: faulty}})
	return overlay, errors.Join(err, os.WriteFile(faulty, []byte(wrong), 0o600), os.WriteFile(overlay, list, 0o600))
}
