package bridge

// Dot says whether percent-encoding escapes a full stop, which is a separator in NATS subjects only.
type Dot bool

// The modes of AppendEscaped.
const (
	KeepDot   Dot = true
	EscapeDot Dot = false
)

// AppendEscaped appends s percent-encoded (RFC 3986, upper-case hex): letters, digits, - _ ~ and, with KeepDot, the
// full stop stay as they are; every other byte is escaped. Different texts give different results, and none of them
// holds a slash, a NUL, a space or a wildcard of any broker.
func AppendEscaped(dst []byte, s string, dot Dot) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unreserved(c) || (c == '.' && dot == KeepDot) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '~'
}
