//go:build !unix

package main

// openFilesLimit reports no limit: such a system has none on the open files of a process.
func openFilesLimit() (limit int, limited bool) { return 0, false }
