package nats

import (
	"slices"
	"strings"

	"livebridge/bridge"
)

// eventSubjects returns patterns that match exactly the subjects that an event can have.
func (o *Options) eventSubjects() []string {
	prefix := o.SubjectPrefix
	if o.Partitions > 0 {
		prefix += ".*"
	}
	var out []string
	kinds := bridge.Kinds()
	if o.SessionEvents {
		kinds = bridge.EventKinds()
	}
	for _, k := range kinds {
		out = append(out, prefix+".*.*.*."+k.String())
	}
	return out
}

// quarantineSubjects returns every subject that a quarantine notice can have.
func (o *Options) quarantineSubjects() []string {
	var out []string
	for _, k := range bridge.Kinds() {
		out = append(out, o.Quarantine+"."+k.String())
	}
	return out
}

// cover reports whether a stream with the given patterns receives every subject that the needed patterns match. Each
// needed pattern must be covered by a single one.
func cover(patterns, needed []string) bool {
	for _, n := range needed {
		if !slices.ContainsFunc(patterns, func(p string) bool { return covers(p, n) }) {
			return false
		}
	}
	return true
}

// covers reports whether a pattern matches every subject that another one matches.
func covers(pattern, other string) bool {
	p, o := strings.Split(pattern, "."), strings.Split(other, ".")
	for i, token := range p {
		switch {
		case token == ">":
			return len(o) > i
		case i >= len(o) || o[i] == ">":
			return false
		case token != "*" && token != o[i]:
			return false
		}
	}
	return len(p) == len(o)
}
