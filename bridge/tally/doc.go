// Package tally counts what processors decide, under the same names whether one machine decides or many replicas do,
// and logs what goes to the quarantine.
package tally
