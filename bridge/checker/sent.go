package checker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"livebridge/bridge"
)

// Sent is one callback as the client sent it, and its response.
type Sent struct {
	Occurrence

	Number   uint64        `json:"n"`                  // of the request, in one log
	At       bridge.Millis `json:"at,omitempty"`       // when it was sent
	Answered bridge.Millis `json:"answered,omitempty"` // when the response was received
	Status   int           `json:"status,omitempty"`   // of the response; 0: none, so the outcome is unknown
}

func (s *Sent) accepted() bool { return s.Status == http.StatusOK }

// refused reports whether the response proves that nothing is published: a 5xx may come from a proxy.
func (s *Sent) refused() bool { return s.Status >= 400 && s.Status < 500 }

// ReadSent reads a client's log, JSON lines: for each request a line with everything but the response, written before
// it was sent, and one with n, status and answered, written after the response; or one line with both. A request
// without a response has Status 0, and none has two. A truncated last line is ignored: the client may have been killed
// while writing. The error names the line.
func ReadSent(r io.Reader) ([]Sent, error) {
	at := map[uint64]int{}
	var sent []Sent
	err := lines(r, func(line []byte) error {
		var s Sent
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		i, known := at[s.Number]
		if known && s.Kind == "" {
			if sent[i].Status != 0 {
				return fmt.Errorf("n %d: duplicate response", s.Number)
			}
			sent[i].Status, sent[i].Answered = s.Status, s.Answered
			return nil
		}
		if known || s.Kind == "" {
			return fmt.Errorf("n %d: each request needs one line with a kind, before its response", s.Number)
		}
		at[s.Number] = len(sent)
		sent = append(sent, s)
		return nil
	})
	return slices.Clip(sent), err
}

// maxLine is longer than any event: a body of 64 KiB grows sixfold when every byte of it is escaped.
const maxLine = 1 << 20

// lines calls f with each line that is not blank, and ignores an error of f on an unterminated last line.
func lines(r io.Reader, f func([]byte) error) error {
	b := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := b.ReadSlice('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", n, err)
		}
		terminated := err == nil
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := f(line); err != nil && terminated {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		if !terminated {
			return nil
		}
	}
}
