package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// binary is the tests of a package, in a tree with many faults.
type binary struct {
	where string // the package
	path  string // of the program
	names []string
	ready func() error // builds the program at the first call
	fails []string     // tests that fail without a fault, once it is ready: those that count allocations, say
}

// newBinaries returns the tests of all packages that must find some of the faults.
func newBinaries(faults []mutant, dir, overlay string) map[string]*binary {
	all := map[string]*binary{}
	for _, m := range faults {
		b := all[m.where]
		if b == nil {
			b = &binary{where: m.where, path: filepath.Join(dir, strconv.Itoa(len(all))+".test")}
			b.ready = sync.OnceValue(func() error { return b.make(overlay) })
			all[m.where] = b
		}
		b.names = append(b.names, m.tests()...)
	}
	return all
}

// make builds the program, and sees which tests fail though no fault is planted: they say nothing about the faults
// here.
func (b *binary) make(overlay string) error {
	args := append([]string{"test", "-c", "-o", b.path, "-overlay", overlay}, flags()...)
	if text, err := output(exec.Command("go", append(args, "./"+b.where)...)); err != nil {
		return fmt.Errorf("a fault in what %s needs does not compile: %w\n%s", b.where, err, text)
	}
	slices.Sort(b.names)
	args = []string{"-test.short", "-test.run", "^(" + strings.Join(slices.Compact(b.names), "|") + ")$"}
	text, err := b.run(0, 10*time.Minute, args)
	b.fails = failed(text)
	if err != nil && (len(b.fails) == 0 || strings.Contains(text, "panic: ")) {
		return fmt.Errorf("the tests of %s break off without a fault: %w\n%s", b.where, err, text)
	}
	return nil
}

// failed returns the names of the tests that have failed, without subtests, judging by what they print.
func failed(text string) (names []string) {
	for _, found := range regexp.MustCompile(`(?m)^--- FAIL: (\w+) `).FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

// judges reports whether the tests of a fault pass as long as no fault is planted.
func (b *binary) judges(m mutant) bool {
	return !slices.ContainsFunc(m.tests(), func(test string) bool { return slices.Contains(b.fails, test) })
}

// run runs the tests with a fault as go test does, and returns what they print.
func (b *binary) run(fault int, limit time.Duration, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit+time.Minute)
	defer cancel()
	args = append([]string{"-test.paniconexit0", "-test.timeout", limit.String()}, args...)
	cmd := exec.CommandContext(ctx, b.path, args...)
	cmd.Dir = b.where
	cmd.Env = append(cmd.Environ(), variable+"="+strconv.Itoa(fault))
	return output(cmd)
}

// output runs a command and returns what it prints. A process that the command has left behind keeps nobody waiting.
func output(cmd *exec.Cmd) (string, error) {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	cmd.WaitDelay = time.Minute
	text, err := cmd.CombinedOutput()
	return string(text), err
}
