package partitions

import (
	"bytes"
	"testing"

	"github.com/nats-io/nats.go"
)

// FuzzCursor: what can be decoded is what encode makes of it, and nothing panics.
func FuzzCursor(f *testing.F) {
	c := cursor{epoch: 3, owner: 1 << 63, next: 9, partitions: 12, forgotten: 5, pieces: 2, done: 7}
	f.Add(c.encode())
	f.Add([]byte{cursorForm})
	f.Add([]byte{2, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCursor(b)
		if err != nil {
			return
		}
		again, err := decodeCursor(c.encode())
		if err != nil || again != c {
			t.Errorf("%+v is read again as %+v, %v", c, again, err)
		}
	})
}

// FuzzMessages: what was written down is read again, and nothing panics.
func FuzzMessages(f *testing.F) {
	m := nats.NewMsg("STATE.0.e.1")
	m.Header.Set("a", "b")
	m.Data = []byte("data")
	f.Add(appendMessage(appendMessage(nil, m), nats.NewMsg("x")))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		messages, err := readMessages(b)
		if err != nil {
			return
		}
		var text []byte
		for _, m := range messages {
			text = appendMessage(text, m)
		}
		again, err := readMessages(text)
		if err != nil || len(again) != len(messages) {
			t.Fatalf("%d messages are read again as %d, %v", len(messages), len(again), err)
		}
		for i, m := range messages {
			if n := again[i]; n.Subject != m.Subject || !bytes.Equal(n.Data, m.Data) || len(n.Header) != len(m.Header) {
				t.Errorf("%+v is read again as %+v", m, n)
			}
		}
	})
}

// FuzzSlot: nothing that stands in a slot panics.
func FuzzSlot(f *testing.F) {
	f.Add("7", "cm93", "1/3", "")
	f.Add("7", "cm93", "3/1", "cm93")
	f.Add("7", "", "", "\r") // stands for no bytes
	f.Fuzz(func(t *testing.T, slot, row, part, removed string) {
		h := nats.Header{headerRow: {row}, headerPart: {part}}
		if removed != "" {
			h[headerRemoved] = []string{removed}
		}
		c, err := readSlot(slot, h)
		if err == nil && removed == "" && (c.key == "" || c.part >= c.parts) {
			t.Errorf("%+v", c)
		}
	})
}
