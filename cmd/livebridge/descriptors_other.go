//go:build !unix

package main

// openFilesLimit: such a system has no limit on open files for one process.
func openFilesLimit() (limit int, limited bool) { return 0, false }
