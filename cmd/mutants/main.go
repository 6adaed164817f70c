// Command mutants plants faults into the program, one at a time, and runs the test that must find each. A fault that no
// test finds is a hole in the tests, and the command exits with 1. The tree is not changed: the faulty file is an
// overlay of the build.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	verdicts := make(chan verdict)
	var next atomic.Int64
	var work sync.WaitGroup
	for range atOnce {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chosen); i = int(next.Add(1)) - 1 {
				verdicts <- judge(chosen[i], filepath.Join(dir, strconv.Itoa(i)), allTests)
			}
		})
	}
	go func() { work.Wait(); close(verdicts) }()
	var errs []error
	for v := range verdicts {
		errs = append(errs, v.print(w))
	}
	return errors.Join(errs...)
}

// atOnce is how many faults are tested concurrently, for two cores: linking uses one core, and some tests mostly wait.
const atOnce = 3

// verdict is the outcome of one fault.
type verdict struct {
	mutant
	took time.Duration
	err  error // nil: it was caught
}

func judge(m mutant, dir string, allTests bool) verdict {
	begun := time.Now()
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = m.judge(dir, allTests)
	}
	return verdict{mutant: m, took: time.Since(begun), err: err}
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

// judge plants the fault and returns nil if the tests find it.
func (m mutant) judge(dir string, allTests bool) error {
	overlay, err := m.plant(dir)
	if err != nil {
		return err
	}
	args := append(build(), "-overlay", overlay, "./"+m.where)
	if usesRapid(m.where) { // the failure is expected: write no file for it and do not minimize it for long
		args = append(args, "-rapid.nofailfile", "-rapid.shrinktime", "100ms")
	}
	if allTests {
		args = append(args, "-timeout", "20m")
	} else {
		args = append(args, "-timeout", "5m", "-run", "^"+strings.NewReplacer("/", "$/^", "|", "$|^").Replace(m.test)+"$")
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	return m.found(string(out), err == nil)
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

// build returns the arguments of go test. The tests are built for each fault, so without the slowest steps of the
// compiler and the linker.
func build() []string {
	return []string{"test", "-vet=off", "-gcflags=livebridge/...=-l -dwarf=false", "-ldflags=-s -w"}
}

// usesRapid reports whether the tests of a package have rapid's flags.
func usesRapid(where string) bool {
	files, _ := filepath.Glob(filepath.Join(where, "*_test.go")) // cannot fail: the pattern is valid
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), `"pgregory.net/rapid"`)
	})
}

// plant writes the faulty file and the overlay that replaces the original by it, and returns the overlay's path.
func (m mutant) plant(dir string) (string, error) {
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("%s contains the text %q %d times, want 1: fix the entry in cmd/mutants", m.file, m.old, n)
	}
	faulty, overlay := filepath.Join(dir, "faulty.go"), filepath.Join(dir, "overlay.json")
	wrong := strings.Replace(string(text), m.old, m.new, 1)
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: faulty}})
	return overlay, errors.Join(err, os.WriteFile(faulty, []byte(wrong), 0o600), os.WriteFile(overlay, list, 0o600))
}
