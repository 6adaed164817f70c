//go:build !race

package main

import "time"

// simulated is how long a simulation lasts.
const simulated = 3 * time.Hour
