//go:build race

package journal

// raced says that the race detector watches.
const raced = true
