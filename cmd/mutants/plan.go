package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// plan is the faults to plant and what they are built into.
type plan struct {
	faults   []mutant
	dir      string             // for what is built
	together map[int]bool       // the faults of the common tree, by their place in the list
	binaries map[string]*binary // by the package of the tests
	whole    bool               // run all tests of a package
	limit    time.Duration      // of the tests of one fault
}

// newPlan writes the tree with the faults into dir, and builds nothing.
func newPlan(faults []mutant, dir string, whole bool) (*plan, error) {
	p := &plan{faults: faults, dir: dir, together: map[int]bool{}, whole: whole, limit: 5 * time.Minute}
	if whole {
		p.limit = 20 * time.Minute
	}
	common := newTree(dir)
	for i, m := range faults {
		ok, err := common.add(i+1, m)
		if err != nil {
			return nil, err
		}
		p.together[i] = ok
	}
	overlay, err := common.write()
	p.binaries = newBinaries(faults, dir, overlay)
	return p, err
}

// atOnce is how many faults are tested concurrently, for two cores: a test that waits in vain for what a fault has
// taken away takes no processor.
const atOnce = 8

// verdicts plants the faults and returns what comes of each, in the order in which they end.
func (p *plan) verdicts() <-chan verdict {
	verdicts := make(chan verdict)
	var next atomic.Int64
	var work sync.WaitGroup
	for range atOnce {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(p.faults); i = int(next.Add(1)) - 1 {
				verdicts <- p.judge(i)
			}
		})
	}
	go func() { work.Wait(); close(verdicts) }()
	return verdicts
}

// judge plants a fault. What it took includes the build if this is the first fault of its package.
func (p *plan) judge(i int) verdict {
	begun, m, test := time.Now(), p.faults[i], p.alone
	if p.together[i] {
		test = p.common
	}
	text, passed, err := test(i)
	if err == nil {
		err = m.found(text, passed)
	}
	return verdict{mutant: m, took: time.Since(begun), err: err}
}

// common runs the tests of a fault of the common tree, and returns what they print and whether they pass.
func (p *plan) common(i int) (string, bool, error) {
	b := p.binaries[p.faults[i].where]
	if err := b.ready(); err != nil {
		return "", false, err
	}
	if !b.judges(p.faults[i]) {
		return p.alone(i)
	}
	text, err := b.run(i+1, p.limit, p.arguments(p.faults[i]))
	return text, err == nil, nil
}

// alone builds a fault into a tree of its own and runs the tests, as common does.
func (p *plan) alone(i int) (string, bool, error) {
	dir := filepath.Join(p.dir, strconv.Itoa(i))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", false, err
	}
	overlay, err := p.faults[i].plant(dir)
	if err != nil {
		return "", false, err
	}
	args := append([]string{"test", "-overlay", overlay}, flags()...)
	args = append(append(args, "./"+p.faults[i].where, "-timeout", p.limit.String()), p.arguments(p.faults[i])...)
	text, err := output(exec.Command("go", args...))
	return text, err == nil, nil
}

// arguments returns those of the tests of a fault.
func (p *plan) arguments(m mutant) (args []string) {
	if usesRapid(m.where) { // the failure is expected: write no file for it and do not minimize it for long
		args = []string{"-rapid.nofailfile", "-rapid.shrinktime", "100ms"}
	}
	if !p.whole {
		test := "^" + strings.NewReplacer("/", "$/^", "|", "$|^").Replace(m.test) + "$"
		args = append(args, "-test.run", test)
	}
	return args
}

// flags returns those of each build: without the slowest steps of the compiler and the linker.
func flags() []string {
	return []string{"-vet=off", "-gcflags=livebridge/...=-l -dwarf=false", "-ldflags=-s -w"}
}
