package main

import "golang.org/x/sys/unix"

// clockSynchronized reports whether the kernel says that a time service keeps the clock; known is false if it says
// nothing.
func clockSynchronized() (synchronized, known bool) {
	state, err := unix.Adjtimex(&unix.Timex{})
	if err != nil {
		return false, false
	}
	return state != unix.TIME_ERROR, true
}
