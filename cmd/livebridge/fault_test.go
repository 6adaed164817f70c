package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// requireAll, set in the environment, makes a test fail that would be skipped for want of something on this machine.
const requireAll = "TEST_ALL"

// skipWithout ends a test that this machine has not what it needs for.
func skipWithout(t *testing.T, what string) {
	t.Helper()
	if os.Getenv(requireAll) != "" {
		t.Fatalf("%s is set and there is no %s", requireAll, what)
	}
	t.Skipf("NOT RUN: there is no %s on this machine", what)
}

// injected returns the command line under which one system call of the program goes wrong, as strace has it.
func injected(t *testing.T, call, fault string) []string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		skipWithout(t, "strace")
	}
	line := []string{strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + fault}
	if !strings.HasPrefix(fault, "signal=") { // then other calls cost nothing, but no signal is sent
		line = slices.Insert(line, 1, "--seccomp-bpf")
	}
	return line
}

// playAll has several streams send rounds to the program until all are sent or it is gone.
func (p *playedProvider) playAll(t *testing.T, service *program, from, to int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			p.play(t.Context(), "http://"+service.listen+"/live/stream", fmt.Sprint("room", i), from, to)
		})
	}
	wg.Wait()
}

// TestDiskFailsUnderTheProgram kills the program in a chosen system call, or lets that fail or take long, under a
// client: what was answered 200 comes out of the next start. strace counts the calls of each thread by itself, so the
// client goes on until one of them is there and has ended the program.
func TestDiskFailsUnderTheProgram(t *testing.T) {
	t.Parallel()
	for i, f := range []struct {
		name, call, fault string
		answered          bool // everything, for nothing has ended the program
	}{
		{"killed in a sync of the log", "fdatasync", "signal=SIGKILL:when=9", false},
		{"killed in a later one", "fdatasync", "signal=SIGKILL:when=40", false},
		{"killed in any one", "fdatasync", fmt.Sprint("signal=SIGKILL:when=", 5+rand.IntN(60)), false},
		{"killed in a write, to the disk or a socket", "write", fmt.Sprint("signal=SIGKILL:when=", 100+rand.IntN(400)),
			false},
		{"a sync of the log fails", "fdatasync", "error=EIO:when=20", false},
		{"no space left in a sync", "fdatasync", "error=ENOSPC:when=11+", false},
		{"every sync of the log takes 5 ms", "fdatasync", "delay_enter=5000", true},
		{"a sync of the log takes a second", "fdatasync", "delay_exit=1000000:when=30", true},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && i < 2 {
				t.Skip("killed in any one is enough of these three")
			}
			t.Log(f.call, f.fault)
			dir, p := t.TempDir(), newProvider()
			service := launchUnder(t, dir, injected(t, f.call, f.fault))
			rounds := int64(9000)
			if f.answered {
				rounds = int64(unlessShort(300, 100))
			}
			p.playAll(t, service, 0, int(rounds))
			if n := p.total.Load(); n == 0 || (n == 4*rounds) != f.answered {
				t.Errorf("%d of %d callbacks were answered 200", n, 4*rounds)
			}
			if f.answered || t.Failed() {
				service.kill()
			}
			if code := service.end(t); code == exitDone {
				t.Errorf("it ends with %d", code)
			}
			p.judge(t, launch(t, dir).nats)
		})
	}
}

// TestKilledWhileStarting kills the program in one system call after the other of its start on what another has left,
// and lets them fail: the start after that has everything.
func TestKilledWhileStarting(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), newProvider()
	service := launch(t, dir)
	p.playAll(t, service, 0, 50)
	service.kill()
	service.end(t)
	starts, ended := 0, 0
	for _, call := range []string{"fdatasync", "fsync", "renameat", "unlinkat", "fallocate"} {
		for when := 1; when <= unlessShort(4, 2); when++ {
			for _, fault := range []string{"signal=SIGKILL", "error=EIO"} {
				service := spawn(t, dir, injected(t, call, fmt.Sprint(fault, ":when=", when)))
				started := service.listen != ""
				if starts++; !started {
					ended++
				}
				service.kill()
				code := service.end(t)
				if !started && code == exitDone {
					t.Errorf("%s %d, %s: it has not started and ends with %d", call, when, fault, code)
				}
			}
		}
	}
	if t.Logf("%d of %d starts ended by it", ended, starts); ended < starts/4 {
		t.Error("too few to prove anything")
	}
	p.judge(t, launch(t, dir).nats)
}

// smallDisk returns a directory on a disk of its own, of so many mebibytes, and a function that mounts it again in
// another way.
func smallDisk(t *testing.T, mebibytes int) (dir string, remount func(options string)) {
	t.Helper()
	dir = t.TempDir()
	mount := func(options string) error {
		out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput()
		if err != nil {
			return fmt.Errorf("mount -o %s: %w: %s", options, err, out)
		}
		return nil
	}
	if err := mount(fmt.Sprintf("size=%dm", mebibytes)); err != nil {
		skipWithout(t, "right to mount a tmpfs ("+err.Error()+")")
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return dir, func(options string) {
		if err := mount("remount," + options); err != nil {
			t.Fatal(err)
		}
	}
}

// fillDisk fills the disk with a file until so many mebibytes are left.
func fillDisk(t *testing.T, dir string, left int) (drop func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	chunk := make([]byte, 64<<10)
	for {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			t.Fatal(err)
		}
		if disk.Bavail*uint64(disk.Bsize) <= uint64(left)<<20 {
			break
		}
		if _, err := f.Write(chunk); err != nil {
			break // full
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFillsUp: on a disk with less than MIN_FREE_BYTES callbacks are answered 503 until there is room, without a
// restart, and nothing that was answered 200 is lost.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	dir, _ := smallDisk(t, 192)
	p := newProvider()
	service := launch(t, dir, prefix+"MIN_FREE_BYTES=32MiB")
	answered := func(n int) int { return p.send(t.Context(), "http://"+service.listen+"/live/stream", "probe", n) }
	p.playAll(t, service, 0, 50)
	drop := fillDisk(t, dir, 16)
	n := 0
	until(t, "callbacks are refused", func() bool { n++; return answered(n) == 503 })
	p.playAll(t, service, 50, 60)
	if got := p.total.Load(); got > int64(200+n+4*10) {
		t.Errorf("%d callbacks were answered 200", got)
	}
	drop()
	until(t, "callbacks are accepted again", func() bool { n++; return answered(n) == 200 })
	p.playAll(t, service, 60, 100)
	p.judge(t, service.nats)
}

// TestNoSpaceLeft fills the disk under a program that requires no free space. It may end, and it may not start
// until there is room, which it says; then all that was answered 200 comes out.
func TestNoSpaceLeft(t *testing.T) {
	t.Parallel()
	dir, _ := smallDisk(t, 192)
	p := newProvider()
	service := launch(t, dir, prefix+"MIN_FREE_BYTES=1B")
	p.playAll(t, service, 0, 50)
	drop := fillDisk(t, dir, 0)
	p.playAll(t, service, 50, 400)
	service.kill()
	service.end(t)
	again := spawn(t, dir, nil, prefix+"MIN_FREE_BYTES=1B")
	t.Logf("%d of 1600 callbacks were answered 200; started on the full disk: %v", p.total.Load(), again.listen != "")
	if again.listen == "" {
		if code := again.end(t); code == exitDone || !strings.Contains(again.log.String(), dir) ||
			!strings.Contains(again.log.String(), "no space left") {
			t.Errorf("on a full disk it ends with %d and says\n%s", code, again.log)
		}
	}
	again.kill()
	drop()
	p.judge(t, launch(t, dir, prefix+"MIN_FREE_BYTES=1B").nats)
}

// TestReadOnlyDisk: a DATA_DIR that cannot be written to is an error that names it, and changes nothing.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	dir, remount := smallDisk(t, 192)
	p := newProvider()
	service := launch(t, dir)
	p.playAll(t, service, 0, 50)
	service.kill()
	service.end(t)
	remount("ro")
	refused := spawn(t, dir, nil)
	if refused.listen != "" {
		t.Fatal("it accepts callbacks on a read-only disk")
	}
	if code := refused.end(t); code == exitDone || !strings.Contains(refused.log.String(), "DATA_DIR "+dir) ||
		!strings.Contains(refused.log.String(), "read-only") {
		t.Errorf("it ends with %d and says\n%s", code, refused.log)
	}
	remount("rw")
	p.judge(t, launch(t, dir).nats)
}
