package signature

import (
	"slices"
	"strings"

	"livebridge/bridge"
)

// Ambiguity is two rules that one signature can pass under, with letters moved from one field to the next.
type Ambiguity struct{ A, B *Rule }

// Ambiguities returns the pairs of rules that share a key and name exact domains and apps which, standing side by side
// without a separator, begin alike: app "live" with stream "2room" is signed as app "live2" with stream "room". Where
// there is none, and no rule for Any, every boundary up to the app is fixed. words says that event words which are not
// known are believed too (Domains are listed), so that letters of a domain can be taken for the end of a word.
func Ambiguities(rules []Rule, unknownEvents bool) []Ambiguity {
	var found []Ambiguity
	for i := range rules {
		for j := range rules[:i] {
			if a, b := &rules[j], &rules[i]; a.Kind == b.Kind && shareKey(a, b) && (a.mistakenFor(b, unknownEvents) || b.mistakenFor(a, unknownEvents)) {
				found = append(found, Ambiguity{a, b})
			}
		}
	}
	return found
}

func shareKey(a, b *Rule) bool {
	return slices.ContainsFunc(a.Keys, func(key string) bool { return slices.Contains(b.Keys, key) })
}

// mistakenFor reports whether the text signed under r may be read as one under other.
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
