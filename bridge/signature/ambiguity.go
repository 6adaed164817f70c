package signature

import (
	"slices"
	"strings"

	"livebridge/bridge"
)

// Ambiguity is a pair of rules that one signature can pass, with letters moved from one field to the next.
type Ambiguity struct{ A, B *Rule }

// Ambiguities returns the pairs of rules that share a key and whose exact domains and apps, joined without a separator,
// begin alike: app "live" with stream "2room" is signed like app "live2" with stream "room". Without such a pair, and
// without a rule for Any, every boundary up to the app is fixed. unknownEvents says that unknown event names are
// trusted too (Domains are listed), so that letters of a domain can pass as the end of an event name.
func Ambiguities(rules []Rule, unknownEvents bool) []Ambiguity {
	var found []Ambiguity
	for i := range rules {
		for j := range rules[:i] {
			a, b := &rules[j], &rules[i]
			if a.Kind == b.Kind && shareKey(a, b) &&
				(a.mistakenFor(b, unknownEvents) || b.mistakenFor(a, unknownEvents)) {
				found = append(found, Ambiguity{a, b})
			}
		}
	}
	return found
}

func shareKey(a, b *Rule) bool {
	return slices.ContainsFunc(a.Keys, func(key string) bool { return slices.Contains(b.Keys, key) })
}

// mistakenFor reports whether a text signed under r may be parsed as one under other.
func (r *Rule) mistakenFor(other *Rule, unknownEvents bool) bool {
	if r.Kind != bridge.KindStream && r.Kind != bridge.KindRecord || !r.exact() || !other.exact() {
		return false
	}
	ownText, otherText := strings.ToLower(r.Domain)+r.App, strings.ToLower(other.Domain)+other.App
	for at := range len(r.Domain) {
		rest := ownText[at:]
		if (at == 0 || unknownEvents) && (strings.HasPrefix(rest, otherText) || strings.HasPrefix(otherText, rest)) {
			return true
		}
	}
	return false
}

func (r *Rule) exact() bool { return r.Domain != Any && r.App != Any }
