//go:build !race

package journal

// shareOf is how many cases of crashes, torn logs and flipped bits there are for each that is tried: all are.
const shareOf = 1
