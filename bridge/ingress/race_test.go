//go:build race

package ingress_test

// allocationsOfDetector is what a request costs more with the race detector, which makes pools drop what they are given
// now and then: more than anybody would notice, so that the number is checked without it.
const allocationsOfDetector = 1000
