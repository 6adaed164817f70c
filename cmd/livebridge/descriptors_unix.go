//go:build unix

package main

import "syscall"

// openFilesLimit returns the limit on open files, which the Go runtime has raised to the hard limit.
func openFilesLimit() (limit int, limited bool) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil || r.Cur > unlimitedFiles {
		return 0, false
	}
	return int(r.Cur), true
}
