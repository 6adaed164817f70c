package main

import "livebridge/transports/kafka"

// probeResults returns the results of a probe.
func probeResults(t transport, warnings []string, err error) []checkResult {
	var all []checkResult
	for _, text := range warnings {
		all = append(all, warned("broker", "%s", text))
	}
	if err != nil {
		return append(all, failed("broker", err))
	}
	return append(all, passed("broker", "connected to %s, publishing is permitted", t.redactedURL()))
}

// replicaResults returns the results of what a replica needs.
func replicaResults(found []kafka.ReplicaCheck) (all []checkResult) {
	for _, c := range found {
		for _, text := range c.Warnings {
			all = append(all, warned(c.Name, "%s", text))
		}
		if c.Err != nil {
			all = append(all, failed(c.Name, c.Err))
			continue
		}
		all = append(all, passed(c.Name, "%s", c.Found))
	}
	return all
}
