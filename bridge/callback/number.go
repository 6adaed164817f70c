package callback

import (
	"bytes"
	"time"

	"livebridge/bridge"
)

// maxInteger is the greatest integer that every JSON parser represents exactly: 2^53-1.
const maxInteger = "9007199254740991"

// asciiSpace may surround a publish_timestamp.
const asciiSpace = " \t\n\v\f\r"

// isInteger reports whether digits is the canonical decimal form of an integer from 0 to maxInteger.
func isInteger(digits []byte) bool {
	n := len(digits)
	if !isDigits(digits) || n > len(maxInteger) || n > 1 && digits[0] == '0' {
		return false
	}
	return n < len(maxInteger) || string(digits) <= maxInteger
}

// parseSession parses a publish_timestamp. It returns its digits, without the space and the stray comma that the
// provider puts around them, and the session in milliseconds; false if it is not a session. Neither are digits with a
// leading zero: a session in milliseconds always has 13 digits.
func parseSession(sent []byte) ([]byte, bridge.Millis, bool) {
	digits := bytes.TrimSuffix(bytes.Trim(sent, asciiSpace), []byte(","))
	if !isDigits(digits) || digits[0] == '0' {
		return nil, 0, false
	}
	switch len(digits) {
	case 10:
		return digits, decimal(digits) * 1000, true
	case 13:
		return digits, decimal(digits), true
	}
	return nil, 0, false
}

// parseInstant parses an RFC 3339 time and truncates it to milliseconds; false if it is not one, or not within the
// years 0000 to 9999 in UTC and so cannot be written as one.
func parseInstant(sent []byte) (bridge.Millis, bool) {
	var t time.Time
	if !isStrict(sent) || t.UnmarshalText(sent) != nil {
		return 0, false
	}
	year := t.UTC().Year()
	return bridge.MillisOf(t), 0 <= year && year <= 9999
}

// isStrict rejects what package time accepts though RFC 3339 does not: an hour of one digit, a comma before the
// fraction, an offset of more than 23:59.
func isStrict(s []byte) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || s[len("2006-01-02T15")] != ':' || s[len("2006-01-02T15:04:05")] == ',' {
		return false
	}
	zone := s[len(s)-len("07:00"):]
	return s[len(s)-1] == 'Z' || string(zone[:2]) <= "23" && string(zone[3:]) <= "59"
}

func isDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || '9' < c {
			return false
		}
	}
	return len(s) > 0
}

// decimal parses at most 18 digits.
func decimal(digits []byte) bridge.Millis {
	var n bridge.Millis
	for _, c := range digits {
		n = 10*n + bridge.Millis(c-'0')
	}
	return n
}
