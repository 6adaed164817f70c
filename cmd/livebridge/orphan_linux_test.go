package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// endWithParent has the kernel kill this process when its parent ends, so that tests which are killed, or die by a
// time-out, leave no program behind.
func endWithParent() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
}

// TestProgramEndsWithTheTests: a program does not outlive the process that has started it, whatever ends that.
func TestProgramEndsWithTheTests(t *testing.T) {
	t.Parallel()
	service := launchUnder(t, t.TempDir(), []string{"sh", "-c", `"$@" & wait`, "sh"})
	if status := service.status("/readyz"); status != 200 {
		t.Fatalf("/readyz is answered %d", status)
	}
	if err := service.cmd.Process.Signal(os.Kill); err != nil { // the shell alone
		t.Fatal(err)
	}
	select {
	case <-service.logged: // the other end of its standard error is closed
	case <-time.After(patience):
		t.Error("the program goes on without its parent")
	}
}
