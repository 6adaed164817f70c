//go:build race

package main

import "time"

// simulated returns how long a simulation lasts, and how much of it there is no broker: with the race detector, which
// makes it fifteen times as slow, little more than that. What it finds there are races, and the goroutines are the same
// at any hour.
func simulated() (whole, away time.Duration) { return 70 * time.Minute, time.Hour }
