package callback

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// appendScratch appends to the scratch buffer and returns what was appended. It stays valid until Release: a buffer
// that grows leaves its old array to the slices that point into it.
func (c *Callback) appendScratch(appendTo func([]byte) []byte) []byte {
	start := len(c.scratch)
	c.scratch = appendTo(c.scratch)
	return c.scratch[start:len(c.scratch):len(c.scratch)]
}

// decoded returns the text of a JSON string.
func (c *Callback) decoded(quoted []byte) []byte {
	if isVerbatim(quoted) {
		return quoted[1 : len(quoted)-1]
	}
	return c.appendScratch(func(dst []byte) []byte {
		dst, _ = jsontext.AppendUnquote(dst, quoted) // the error reports bytes that are U+FFFD now
		return dst
	})
}

// quoted returns a text as a canonical JSON string.
func (c *Callback) quoted(text []byte) []byte {
	return c.appendScratch(func(dst []byte) []byte { return appendQuoted(dst, text) })
}

func appendQuoted[Text ~[]byte | ~string](dst []byte, text Text) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // the error reports bytes that are U+FFFD now
	return dst
}

// isVerbatim reports whether a JSON string is ASCII without escapes, and so equals its text and its canonical form.
func isVerbatim(quoted []byte) bool {
	for _, b := range quoted {
		if b == '\\' || b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendObject appends an object's known members in the order of their table.
func appendObject(dst []byte, members []member, o *object) []byte {
	dst = append(dst, '{')
	for i := range members {
		dst = appendMember(dst, members[i].out, o.values[i])
	}
	return append(dst, '}')
}

// appendMember appends a member after an opening brace or another member; nothing when value is nil.
func appendMember(dst []byte, name string, value []byte) []byte {
	if value == nil {
		return dst
	}
	return append(appendName(dst, name), value...)
}

func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(append(append(dst, '"'), name...), '"', ':')
}

// appendEntries appends entries as an object, in the sender's text and order.
func appendEntries(dst []byte, entries []entry) []byte {
	dst = append(dst, '{')
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, e.name...), ':'), e.value...)
	}
	return append(dst, '}')
}

// appendCanonical appends valid JSON in canonical form: members sorted by UTF-16 code units at every level, strings
// without needless escapes; numbers keep their digits.
func appendCanonical(dst, valid []byte) []byte {
	dst, _ = jsontext.AppendFormat(dst, valid, jsontext.AllowInvalidUTF8(true), jsontext.ReorderRawObjects(true))
	return dst
}

func (c *Callback) appendData(dst []byte, p Policy) []byte {
	dst = append(dst, '{')
	for i := range c.def.members {
		m := &c.def.members[i]
		if m.shape == unrecognized {
			dst = c.appendUnrecognized(dst, p)
		} else if value := c.top.values[i]; value != nil {
			dst = appendMember(dst, m.out, p.of(m.out).apply(value))
		}
	}
	return append(dst, '}')
}

// appendUnrecognized appends the member "unrecognized"; nothing when it would be empty.
func (c *Callback) appendUnrecognized(dst []byte, p Policy) []byte {
	if len(c.top.rest) == 0 {
		return dst
	}
	rest := c.top.rest
	if !p.keepsAll() {
		rest = c.redacted(rest, p)
	}
	if len(rest) == 0 {
		return dst
	}
	sent := c.appendScratch(func(dst []byte) []byte { return appendEntries(dst, rest) })
	return appendCanonical(appendName(dst, "unrecognized"), sent)
}
