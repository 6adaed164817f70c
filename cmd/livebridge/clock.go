package main

import "time"

// tryClock checks that the clock is kept by a time service: signatures expire by it.
func tryClock() checkResult {
	synchronized, known := clockSynchronized()
	return judgeClock(time.Now(), synchronized, known)
}

func judgeClock(at time.Time, synchronized, known bool) checkResult {
	now := at.UTC().Format(time.RFC3339)
	switch {
	case !known:
		return warned("clock", "%s; whether it is synchronized is unknown on this system", now)
	case !synchronized:
		return warned("clock", "%s; the kernel says that it is not synchronized: run an NTP client, "+
			"or valid callbacks are rejected as expired", now)
	}
	return passed("clock", "%s, synchronized", now)
}
