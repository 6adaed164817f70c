package callback

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how many levels a body may have; the object itself is the first.
const maxDepth = 8

func (c *Callback) decode() error {
	c.input = *bytes.NewBuffer(c.body)
	c.json.Reset(&c.input, jsontext.AllowInvalidUTF8(true))
	if kind := c.json.PeekKind(); kind != jsontext.KindBeginObject && kind != jsontext.KindInvalid {
		return newError("", "is not a JSON object; send one JSON object")
	}
	if err := c.readObject(&c.top, c.def.members); err != nil {
		return err
	}
	if rest := c.body[c.json.InputOffset():]; len(bytes.TrimLeft(rest, " \t\r\n")) > 0 {
		return newError("", "goes on after its JSON object; send one JSON object and nothing else")
	}
	return c.require()
}

func (c *Callback) readObject(o *object, members []member) error {
	o.reset(len(members))
	if _, err := c.json.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for c.json.PeekKind() != jsontext.KindEndObject {
		name, err := c.json.ReadValue()
		if err != nil {
			return syntaxError(err)
		}
		if err := c.readMember(o, members, c.bodySlice(name)); err != nil {
			return err
		}
	}
	if _, err := c.json.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return nil
}

func (c *Callback) readMember(o *object, members []member, name []byte) error {
	i := find(members, c.decoded(name))
	if i >= 0 && members[i].shape == nested && c.json.PeekKind() == jsontext.KindBeginObject {
		return c.readObsAddr(i, name)
	}
	value, err := c.readValue(name)
	if err != nil {
		return err
	}
	if i < 0 {
		o.rest = append(o.rest, entry{name, value})
		return nil
	}
	m := &members[i]
	normalized, fits := c.normalized(m, value)
	switch {
	case fits:
		o.values[i] = normalized
		return c.check(m)
	case m.need == required && value[0] != 'n':
		return newError(m.in, "is not a string; send a JSON string")
	case m.shape != signing:
		o.rest = append(o.rest, entry{name, value})
	}
	return nil
}

// readObsAddr reads the object in row i of the top object. Its unknown members go to the top object's rest, in an
// object of the same name.
func (c *Callback) readObsAddr(i int, name []byte) error {
	if err := c.readObject(&c.obsAddr, obsAddrMembers); err != nil {
		return err
	}
	c.top.values[i] = c.appendScratch(func(dst []byte) []byte { return appendObject(dst, obsAddrMembers, &c.obsAddr) })
	if len(c.obsAddr.rest) > 0 {
		rest := c.appendScratch(func(dst []byte) []byte { return appendEntries(dst, c.obsAddr.rest) })
		c.top.rest = append(c.top.rest, entry{name, rest})
	}
	return nil
}

// readValue reads the value of the named member, verbatim.
func (c *Callback) readValue(name []byte) ([]byte, error) {
	if kind := c.json.PeekKind(); kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray {
		return c.readNested(name)
	}
	value, err := c.json.ReadValue()
	if err != nil {
		return nil, syntaxError(err)
	}
	return c.bodySlice(value), nil
}

func (c *Callback) readNested(name []byte) ([]byte, error) {
	start, depth := int64(-1), c.json.StackDepth()
	for {
		if _, err := c.json.ReadToken(); err != nil {
			return nil, syntaxError(err)
		}
		if start < 0 {
			start = c.json.InputOffset() - 1
		}
		switch now := c.json.StackDepth(); {
		case now > maxDepth:
			return nil, newError(string(c.decoded(name)), "is nested too deeply; send at most %d levels", maxDepth)
		case now == depth:
			return c.body[start:c.json.InputOffset()], nil
		}
	}
}

// bodySlice returns the last value as a slice of the body: the decoder's own bytes are valid until its next call only.
func (c *Callback) bodySlice(last []byte) []byte {
	end := c.json.InputOffset()
	return c.body[end-int64(len(last)) : end]
}

// check rejects a value that cannot be part of a lane.
func (c *Callback) check(m *member) error {
	if m.limit == 0 {
		return nil
	}
	name := c.raw[m.role]
	if len(name) > m.limit {
		return newError(m.in, "is %d bytes long; send at most %d", len(name), m.limit)
	}
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRune(name[i:])
		if unicode.IsControl(r) {
			return newError(m.in, "contains the control character %U; remove it", r)
		}
		i += size
	}
	return nil
}

// require rejects a body that lacks a required member.
func (c *Callback) require() error {
	for i := range c.def.members {
		m := &c.def.members[i]
		if m.need == optional {
			continue
		}
		if value := c.top.values[i]; value == nil {
			return newError(m.in, "is missing; send it as a string")
		} else if len(value) == len(`""`) {
			return newError(m.in, "is empty; send at least one character")
		}
	}
	return nil
}
