package callback

import (
	"fmt"
	"strings"
)

// Redaction is what happens to a sensitive member.
type Redaction uint8

// The redactions. Redact shows that the member was present, Drop does not.
const (
	Keep   Redaction = iota // unchanged
	Redact                  // replaced by "[redacted]"
	Drop                    // removed
)

// Policy says how members are redacted that contain a secret (user_args carries the push credentials) or identify a
// person (client_ip). It changes neither an event's id nor its lane.
type Policy struct {
	UserArgs Redaction
	ClientIP Redaction
}

// redacted replaces a value, in canonical JSON. It is never written to.
var redacted = []byte(`"[redacted]"`)

// String returns the setting's value: keep, redact or drop.
func (d Redaction) String() string {
	switch d {
	case Redact:
		return "redact"
	case Drop:
		return "drop"
	}
	return "keep"
}

// UnmarshalText parses the setting's value.
func (d *Redaction) UnmarshalText(text []byte) error {
	for _, known := range [...]Redaction{Keep, Redact, Drop} {
		if known.String() == string(text) {
			*d = known
			return nil
		}
	}
	return fmt.Errorf("invalid value %q; use keep, redact or drop", text)
}

// of returns the redaction of a known member, whose name is the same in body and data.
func (p Policy) of(name string) Redaction {
	switch name {
	case "user_args":
		return p.UserArgs
	case "client_ip":
		return p.ClientIP
	}
	return Keep
}

// ofUnknown returns the redaction of an unknown member: userArgs and Client-IP may contain the same secrets.
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

func (p Policy) keepsAll() bool { return p == Policy{} }

// apply returns what replaces a value, nil for nothing.
func (d Redaction) apply(value []byte) []byte {
	switch d {
	case Redact:
		return redacted
	case Drop:
		return nil
	}
	return value
}
