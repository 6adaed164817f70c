//go:build race

package main

import "time"

// simulated is how long a simulation lasts: with the race detector, which makes it fifteen times as slow, a little more
// than the hour without a broker. What it finds there are races, and the goroutines are the same at any hour.
const simulated = 70 * time.Minute
