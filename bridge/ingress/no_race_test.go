//go:build !race

package ingress_test

const allocationsOfDetector = 0
