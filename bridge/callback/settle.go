package callback

import "livebridge/bridge"

// settled brings a value to its member's settled form, in canonical JSON; false if it does not fit the member's type.
func (c *Callback) settled(m *member, value []byte) ([]byte, bool) {
	switch m.shape {
	case text, host:
		return c.settledText(m, value)
	case integer:
		digits := c.literal(value)
		return digits, isInteger(digits)
	case instant:
		return c.settledInstant(m, value)
	case session:
		digits, at, ok := parseSession(c.literal(value))
		c.session = at
		return digits, ok
	case signing:
		c.said[m.role] = c.literal(value)
	}
	return nil, false
}

func (c *Callback) settledText(m *member, value []byte) ([]byte, bool) {
	if value[0] != '"' {
		return nil, false
	}
	sent := c.decoded(value)
	c.said[m.role] = sent
	switch {
	case m.shape == host && hasUpper(sent):
		return c.quoted(c.lowered(sent)), true
	case isVerbatim(value):
		return value, true
	}
	return c.quoted(sent), true
}

func (c *Callback) settledInstant(m *member, value []byte) ([]byte, bool) {
	if value[0] != '"' {
		return nil, false
	}
	at, ok := parseInstant(c.decoded(value))
	if !ok {
		return nil, false
	}
	if m.role == roleEnd {
		c.end = at
	} else {
		c.start = at
	}
	return c.keep(func(dst []byte) []byte { return append(at.Append(append(dst, '"')), '"') }), true
}

// literal returns the text of a string, nothing for null, and anything else as it stands in the body.
func (c *Callback) literal(value []byte) []byte {
	switch value[0] {
	case '"':
		return c.decoded(value)
	case 'n':
		return nil
	}
	return value
}

// settle fills what the caller sees, once the whole body is read. The lane's strings share one allocation, and what the
// signature check needs shares another, so that a lane that is remembered keeps nothing else in memory.
func (c *Callback) settle() {
	domain, app, stream := c.said[roleDomain], c.said[roleApp], c.said[roleStream]
	sent := string(append(append(append(c.image[:0], domain...), app...), stream...))
	c.Domain, sent = sent[:len(domain)], sent[len(domain):]
	c.App, c.Stream = sent[:len(app)], sent[len(app):]
	c.Lane = bridge.Lane{Kind: c.Kind, Domain: c.Domain, App: c.App, Stream: c.Stream}
	if c.Kind != bridge.KindRTCRecord && hasUpper(domain) {
		c.Lane.Domain = string(c.lowered(domain))
	}

	download, play := c.said[roleDownload], c.said[rolePlay]
	expiry, sign := c.said[roleAuthTimestamp], c.said[roleAuthSign]
	sent = string(append(append(append(append(c.image[:0], download...), play...), expiry...), sign...))
	c.DownloadURL, sent = sent[:len(download)], sent[len(download):]
	c.PlayURL, sent = sent[:len(play)], sent[len(play):]
	c.AuthTimestamp, c.AuthSign = sent[:len(expiry)], sent[len(expiry):]

	c.settleWord()
}

func (c *Callback) settleWord() {
	if c.Kind == bridge.KindSnapshot {
		c.word, c.Known = word{typ: snapshotType}, true
		return
	}
	c.word, c.Known = c.def.lookup(c.said[roleWord])
	c.Word = c.word.name
	if !c.Known {
		c.session = 0 // a word that is not known has no place in the order, whatever its session
	}
}

func hasUpper(s []byte) bool {
	for _, b := range s {
		if 'A' <= b && b <= 'Z' {
			return true
		}
	}
	return false
}

// lowered returns s with ASCII letters in lower case; no other letter can be in a host name.
func (c *Callback) lowered(s []byte) []byte {
	return c.keep(func(dst []byte) []byte {
		for _, b := range s {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			dst = append(dst, b)
		}
		return dst
	})
}
