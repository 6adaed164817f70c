package callback

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// redacted applies the policy to unknown members at every depth: what the provider sends one day may contain the same
// secrets.
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

// redact returns an object or array with the policy applied to every member in it. What cannot be parsed is redacted as
// a whole.
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

// redactNext copies a token, or a member with the policy applied.
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

// isName reports whether the last token is a member's name.
func isName(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == jsontext.KindBeginObject && length%2 == 1
}
