package ingress

import (
	"net/url"
	"strings"
)

// cleanPath removes duplicate slashes and a trailing one from a path. It changes nothing else; an escaped slash is not
// a slash.
func cleanPath(u *url.URL) {
	u.Path, u.RawPath = cleanSlashes(u.Path), cleanSlashes(u.RawPath)
}

func cleanSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// paths prints unknown paths. They may contain the snapshot token or a variant of it.
type paths struct{ prefix, token string }

const (
	maskedSegment   = "***"
	maxShownSegment = 16 // a longer segment may be a token
	minTokenOverlap = 4  // a segment with this many characters of the token in a row may be the token
)

// masked returns a path with possible tokens masked: segments after one like "snapshot", long ones, and those that
// resemble the token.
func (p paths) masked(path string) string {
	prefix := ""
	if rest, found := strings.CutPrefix(path, p.prefix+"/"); found {
		prefix, path = p.prefix, "/"+rest
	}
	segments, afterSnapshot := strings.Split(path, "/"), false
	for i, segment := range segments {
		known := isRouteSegment(segment)
		if segment != "" && !known && (afterSnapshot || len(segment) > maxShownSegment || p.resemblesToken(segment)) {
			segments[i] = maskedSegment
		}
		afterSnapshot = afterSnapshot || strings.HasPrefix(strings.ToLower(segment), "snap")
	}
	return printable(prefix + strings.Join(segments, "/"))
}

func isRouteSegment(segment string) bool {
	switch segment {
	case "live", "rtc", "stream", "record", "snapshot":
		return true
	}
	return false
}

// resemblesToken reports whether a segment contains a piece of the token.
func (p paths) resemblesToken(segment string) bool {
	segment, token := strings.ToLower(segment), strings.ToLower(p.token)
	if token == "" {
		return false
	}
	piece := min(minTokenOverlap, len(token))
	for i := range len(token) - piece + 1 {
		if strings.Contains(segment, token[i:i+piece]) {
			return true
		}
	}
	return false
}
