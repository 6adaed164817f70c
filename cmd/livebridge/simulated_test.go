//go:build !race

package main

import (
	"testing"
	"time"
)

// simulated returns how long a simulation lasts, and how much of it there is no broker.
func simulated() (whole, away time.Duration) {
	if testing.Short() {
		return 40 * time.Minute, 15 * time.Minute
	}
	return 3 * time.Hour, time.Hour
}
