package callback

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// redacted applies the policy to members that are not known, at every depth: what the provider will send one day may
// have the same secrets in it.
func (c *Callback) redacted(entries []entry, p Policy) []entry {
	kept := make([]entry, 0, len(entries))
	for _, e := range entries {
		if e.value = p.ofUnknown(c.decoded(e.name)).apply(e.value); e.value == nil {
			continue
		}
		if e.value[0] == '{' || e.value[0] == '[' {
			e.value = p.redact(e.value)
		}
		kept = append(kept, e)
	}
	return kept
}

// redact returns an object or array with the policy applied to every member in it; what cannot be looked through, all of
// it in place of a secret.
func (p Policy) redact(nested []byte) []byte {
	var out bytes.Buffer
	from := jsontext.NewDecoder(bytes.NewReader(nested), jsontext.AllowInvalidUTF8(true))
	to := jsontext.NewEncoder(&out, jsontext.AllowInvalidUTF8(true))
	for {
		switch err := p.redactNext(from, to); {
		case errors.Is(err, io.EOF):
			return bytes.TrimSpace(out.Bytes())
		case err != nil:
			return redacted
		}
	}
}

// redactNext copies a token, or a member that the policy is for as the policy wants it.
func (p Policy) redactNext(from *jsontext.Decoder, to *jsontext.Encoder) error {
	token, err := from.ReadToken()
	if err != nil {
		return err
	}
	if !isName(from) {
		return to.WriteToken(token)
	}
	redaction, name := p.ofUnknown([]byte(token.String())), token.Clone()
	if redaction == Keep {
		return to.WriteToken(name)
	}
	value, err := from.ReadValue()
	if value = redaction.apply(value); err != nil || value == nil {
		return err
	}
	return errors.Join(to.WriteToken(name), to.WriteValue(value))
}

// isName reports whether the token that was read last is a member's name.
func isName(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == jsontext.KindBeginObject && length%2 == 1
}
