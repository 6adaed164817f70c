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

// Sent is one callback as the client sent it and was answered.
type Sent struct {
	Occurrence

	Number   uint64        `json:"n"`                  // of the request, in one log
	At       bridge.Millis `json:"at,omitempty"`       // when it was sent
	Answered bridge.Millis `json:"answered,omitempty"` // when the answer had come
	Status   int           `json:"status,omitempty"`   // of the answer; 0: none came, so anything may be true
}

func (s *Sent) accepted() bool { return s.Status == http.StatusOK }

// refused reports whether the answer says for certain that nothing comes out: a 5xx may come from something in between.
func (s *Sent) refused() bool { return s.Status >= 400 && s.Status < 500 }

// ReadSent reads a client's log, JSON lines: for each request a line with everything but the answer, written before it
// was sent, and one with n, status and answered, written after the answer; or one line with both. A request without an
// answer has Status 0, and none has two. A last line that was cut off is left out: the client may have been killed
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
				return fmt.Errorf("n %d: it has an answer already", s.Number)
			}
			sent[i].Status, sent[i].Answered = s.Status, s.Answered
			return nil
		}
		if known || s.Kind == "" {
			return fmt.Errorf("n %d: each request has one line with a kind, and no answer before it", s.Number)
		}
		at[s.Number] = len(sent)
		sent = append(sent, s)
		return nil
	})
	return slices.Clip(sent), err
}

// maxLine is longer than any event: a body of 64 KiB grows sixfold when every byte of it is escaped.
const maxLine = 1 << 20

// lines calls f with each line that is not blank. An error of f on a last line without a line end is none.
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
