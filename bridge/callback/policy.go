package callback

import (
	"fmt"
	"strings"
)

// Redaction is what becomes of a member that should not go to everybody.
type Redaction uint8

// What can become of user_args and client_ip. The member's presence shows with Redact, not with Drop.
const (
	Keep   Redaction = iota // as it was sent
	Redact                  // "[redacted]" in its place
	Drop                    // the member is left out
)

// Policy says what becomes of the members that hold a secret (user_args carries the push credentials) or name a person
// (client_ip). It changes neither an event's id nor its lane.
type Policy struct {
	UserArgs Redaction
	ClientIP Redaction
}

// redacted stands in the place of a value, in canonical JSON. It is never written to.
var redacted = []byte(`"[redacted]"`)

// String returns the setting's word: keep, redact or drop.
func (d Redaction) String() string {
	switch d {
	case Redact:
		return "redact"
	case Drop:
		return "drop"
	}
	return "keep"
}

// UnmarshalText reads the setting's word.
func (d *Redaction) UnmarshalText(text []byte) error {
	for _, known := range [...]Redaction{Keep, Redact, Drop} {
		if known.String() == string(text) {
			*d = known
			return nil
		}
	}
	return fmt.Errorf("%q is not one of keep, redact, drop", text)
}

// of returns what becomes of a member by the name that sender and data have in common for it.
func (p Policy) of(name string) Redaction {
	switch name {
	case "user_args":
		return p.UserArgs
	case "client_ip":
		return p.ClientIP
	}
	return Keep
}

// ofUnknown returns the same for a member that is not known here: userArgs and Client-IP hold the same secrets.
func (p Policy) ofUnknown(name []byte) Redaction {
	plain := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(string(name)))
	switch plain {
	case "userargs":
		return p.UserArgs
	case "clientip":
		return p.ClientIP
	}
	return Keep
}

// keepsAll reports whether there is nothing to do.
func (p Policy) keepsAll() bool { return p == Policy{} }

// apply returns what stands in the data for a value, nil for nothing.
func (d Redaction) apply(value []byte) []byte {
	switch d {
	case Redact:
		return redacted
	case Drop:
		return nil
	}
	return value
}
