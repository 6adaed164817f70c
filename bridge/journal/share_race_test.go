//go:build race

package journal

// shareOf leaves most cases of crashes, torn logs and flipped bits to the run without the race detector: they are a
// search among what can be on a disk, take five times as long here, and each runs the same goroutines.
const shareOf = 10
