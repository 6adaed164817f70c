package signature

import "strings"

// digits parses a number of exactly n ASCII digits: no sign, no space, no other script.
func digits(s string, n int) (int64, bool) {
	if len(s) != n {
		return 0, false
	}
	var v int64
	for i := range len(s) {
		if s[i] < '0' || '9' < s[i] {
			return 0, false
		}
		v = v*10 + int64(s[i]-'0')
	}
	return v, true
}

// The limits of RFC 1035 on a host name in text.
const (
	maxHostName = 253
	maxLabel    = 63
)

// hostName reports whether s is a host name: labels of ASCII letters, digits and inner hyphens. Rejecting underscores
// is what keeps PUBLISH_DONE for a domain from passing as PUBLISH for another.
func hostName(s string) bool {
	if len(s) > maxHostName {
		return false
	}
	for {
		name, rest, more := strings.Cut(s, ".")
		if !label(name) {
			return false
		}
		if !more {
			return true
		}
		s = rest
	}
}

func label(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if notAlphanumeric(rune(s[i])) && s[i] != '-' {
			return false
		}
	}
	return true
}
