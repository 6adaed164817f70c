package provider

import (
	"fmt"
	"io"

	"livebridge/bridge/signature"
)

// Key is a callback's key. However it is printed or encoded, only its id appears (signature.KeyID); Reveal returns the
// key itself.
type Key string

// String returns what may be shown of the key: its id, or nothing if there is no key.
func (k Key) String() string {
	if k == "" {
		return ""
	}
	return "id:" + signature.KeyID(string(k))
}

// Format prints the key's id for every verb.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// MarshalText encodes the key's id.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Reveal returns the key itself, to sign or to register it.
func (k Key) Reveal() string { return string(k) }
