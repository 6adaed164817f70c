package partitions

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

// Headers of the message in a slot. Keys of rows are in base64.
const (
	headerRow     = "Livebridge-Row"     // the row that lies there
	headerPart    = "Livebridge-Part"    // number/count, where it has more than one
	headerRemoved = "Livebridge-Removed" // the row that was removed, whose first part lay there; empty: another part
)

const (
	rowSubject   = "s.r."
	pieceSubject = "s.w."
)

var errRow = errors.New("a row of the state cannot be decoded")

// rowMessages returns the messages that write a row.
func (p *partition) rowMessages(d *draft, row bridge.Row, limit int) (out []*nats.Msg, err error) {
	if len(row.Key) == 0 {
		return nil, errors.New("a row of the state has no key")
	}
	key := base64.RawURLEncoding.EncodeToString(row.Key)
	limit -= len(key) + 256 // headers
	if limit <= 0 {
		return nil, fmt.Errorf("the key of a row has %d bytes, and a message has no room for more", len(row.Key))
	}
	parts := 0
	if row.Value != nil {
		parts = max(1, (len(row.Value)+limit-1)/limit)
	}
	has, freed := d.place(string(row.Key), parts)
	for i, slot := range has {
		m := p.slotMessage(slot)
		m.Header[headerRow] = []string{key}
		if parts > 1 {
			m.Header[headerPart] = []string{fmt.Sprintf("%d/%d", i, parts)}
		}
		m.Data = row.Value[i*limit : min(len(row.Value), (i+1)*limit)]
		out = append(out, m)
	}
	for i, slot := range freed {
		m := p.slotMessage(slot)
		m.Header[headerRemoved] = []string{""}
		if parts == 0 && i == 0 {
			m.Header[headerRemoved] = []string{key}
		}
		out = append(out, m)
	}
	return out, nil
}

func (p *partition) slotMessage(slot uint64) *nats.Msg {
	return nats.NewMsg(p.owned.subject(p.number, rowSubject+strconv.FormatUint(slot, 10)))
}

// slotContent is what a slot's message says.
type slotContent struct {
	slot        uint64
	key         string // of the row that lies there; empty: none does
	part, parts int
	removed     string // the row that was removed with this message; empty: none
}

// readSlot reads a slot's message: what is behind rowSubject, and headers.
func readSlot(subject string, h nats.Header) (c slotContent, err error) {
	if c.slot, err = strconv.ParseUint(subject, 10, 48); err != nil {
		return c, errRow
	}
	if removed, is := h[headerRemoved]; is {
		c.removed, err = decodeKey(removed[0])
		return c, err
	}
	if c.key, err = decodeKey(h.Get(headerRow)); err != nil || c.key == "" {
		return c, errors.Join(errRow, err)
	}
	c.parts = 1
	if text := h.Get(headerPart); text != "" {
		number, count, _ := strings.Cut(text, "/")
		part, err1 := strconv.Atoi(number)
		parts, err2 := strconv.Atoi(count)
		if err1 != nil || err2 != nil || part < 0 || part >= parts || parts > maxParts {
			return c, errRow
		}
		c.part, c.parts = part, parts
	}
	return c, nil
}

// maxParts bounds the parts of a row.
const maxParts = 1 << 16

func decodeKey(text string) (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errRow
	}
	return string(key), nil
}
