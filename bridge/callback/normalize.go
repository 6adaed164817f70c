package callback

import "livebridge/bridge"

// normalized returns a value in its member's shape, as canonical JSON; false if its type does not fit.
func (c *Callback) normalized(m *member, value []byte) ([]byte, bool) {
	switch m.shape {
	case text, host:
		return c.normalizedText(m, value)
	case integer:
		digits := c.literal(value)
		return digits, isInteger(digits)
	case instant:
		return c.normalizedInstant(m, value)
	case session:
		digits, at, ok := parseSession(c.literal(value))
		c.session = at
		return digits, ok
	case signing:
		c.raw[m.role] = c.literal(value)
	}
	return nil, false
}

func (c *Callback) normalizedText(m *member, value []byte) ([]byte, bool) {
	if value[0] != '"' {
		return nil, false
	}
	sent := c.decoded(value)
	c.raw[m.role] = sent
	switch {
	case m.shape == host && hasUpper(sent):
		return c.quoted(c.lowered(sent)), true
	case isVerbatim(value):
		return value, true
	}
	return c.quoted(sent), true
}

func (c *Callback) normalizedInstant(m *member, value []byte) ([]byte, bool) {
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
	return c.appendScratch(func(dst []byte) []byte { return append(at.Append(append(dst, '"')), '"') }), true
}

// literal returns the text of a string, nothing for null, and anything else verbatim.
func (c *Callback) literal(value []byte) []byte {
	switch value[0] {
	case '"':
		return c.decoded(value)
	case 'n':
		return nil
	}
	return value
}

// normalize fills in the exported fields once the whole body is read. The strings of the lane share one allocation, and
// those of the signature check another, so that a lane that is kept retains nothing else in memory.
func (c *Callback) normalize() {
	domain, app, stream := c.raw[roleDomain], c.raw[roleApp], c.raw[roleStream]
	sent := string(append(append(append(c.preimage[:0], domain...), app...), stream...))
	c.Domain, sent = sent[:len(domain)], sent[len(domain):]
	c.App, c.Stream = sent[:len(app)], sent[len(app):]
	c.Lane = bridge.Lane{Kind: c.Kind, Domain: c.Domain, App: c.App, Stream: c.Stream}
	if c.Kind != bridge.KindRTCRecord && hasUpper(domain) {
		c.Lane.Domain = string(c.lowered(domain))
	}

	download, play := c.raw[roleDownload], c.raw[rolePlay]
	expiry, sign := c.raw[roleAuthTimestamp], c.raw[roleAuthSign]
	sent = string(append(append(append(append(c.preimage[:0], download...), play...), expiry...), sign...))
	c.DownloadURL, sent = sent[:len(download)], sent[len(download):]
	c.PlayURL, sent = sent[:len(play)], sent[len(play):]
	c.AuthTimestamp, c.AuthSign = sent[:len(expiry)], sent[len(expiry):]

	c.resolveEvent()
}

func (c *Callback) resolveEvent() {
	if c.Kind == bridge.KindSnapshot {
		c.event, c.Known = eventSpec{ceType: snapshotType}, true
		return
	}
	c.event, c.Known = c.def.lookup(c.raw[roleEvent])
	c.EventName = c.event.name
	if !c.Known {
		c.session = 0 // an unknown event takes no part in the order, whatever its session
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

// lowered returns s with ASCII letters in lower case; a host name has no others.
func (c *Callback) lowered(s []byte) []byte {
	return c.appendScratch(func(dst []byte) []byte {
		for _, b := range s {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			dst = append(dst, b)
		}
		return dst
	})
}
