package checker

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge"
)

// Event is one CloudEvent as a consumer received it.
type Event struct {
	Occurrence // from its data; of a quarantined callback, as far as known

	ID           string
	Type         string
	Reason       string // of a quarantined callback, else empty
	Partition    string // of many replicas, that has quarantined it: a slash and its number, else empty
	Sequence     uint64
	Key          Key // of stream status; zero when it has no session
	Marks        bridge.Marks
	InvalidMarks string        // the attribute marks, if it differs from Marks.String
	Recorded     bridge.Millis // the attribute recordedtime
	Seen         bridge.Millis // when the consumer received it; 0: unknown
	Digest       [16]byte      // of the bytes
}

// Key is an event's position in its lane.
type Key struct {
	Session bridge.Millis
	Phase   bridge.Phase
}

func (k Key) less(o Key) bool {
	return k.Session < o.Session || k.Session == o.Session && k.Phase < o.Phase
}

// lane returns the lane that the event was published in.
func (e *Event) lane() string {
	if e.Reason != "" {
		return "quarantine:" + e.Kind + e.Partition
	}
	return e.Occurrence.lane()
}

// unknown reports whether its event name is unknown: it takes no part in the order.
func (e *Event) unknown() bool { return strings.HasSuffix(e.Type, bridge.TypeUnknownSuffix) }

// wire is a structured CloudEvent.
type wire struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Type        string `json:"type"`
	Subject     string `json:"subject"`
	Sequence    string `json:"sequence"`
	Session     string `json:"session"`
	Marks       string `json:"marks"`
	Recorded    string `json:"recordedtime"`
	Key         string `json:"partitionkey"`
	Data        struct {
		members
		Kind   string   `json:"kind"`
		Reason string   `json:"reason"`
		Lane   string   `json:"lane"`
		Body   *members `json:"body"`
	} `json:"data"`
}

// ParseEvent parses one structured CloudEvent. The error names the attribute that is missing or wrong.
func ParseEvent(raw []byte) (Event, error) {
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return Event{}, err
	}
	if w.SpecVersion != bridge.SpecVersion || w.ID == "" {
		return Event{}, errors.New("not a CloudEvent 1.0: specversion or id is missing")
	}
	e := Event{ID: w.ID, Type: w.Type, Marks: marks(w.Marks)}
	sum := sha256.Sum256(raw)
	copy(e.Digest[:], sum[:])
	if e.Marks.String() != w.Marks {
		e.InvalidMarks = w.Marks
	}
	if err := e.fillNumbers(&w); err != nil {
		return Event{}, err
	}
	return e, e.fillOccurrence(&w)
}

// fillNumbers sets the attributes that are numbers or times.
func (e *Event) fillNumbers(w *wire) error {
	var err error
	if e.Sequence, err = strconv.ParseUint(w.Sequence, 10, 64); err != nil || len(w.Sequence) != 20 {
		return fmt.Errorf("sequence %q is not 20 digits", w.Sequence)
	}
	if w.Session != "" {
		n, err := strconv.ParseUint(w.Session, 10, 63)
		if err != nil || len(w.Session) != 13 {
			return fmt.Errorf("session %q is not 13 digits", w.Session)
		}
		e.Session = bridge.Millis(n)
	}
	at, err := time.Parse(time.RFC3339, w.Recorded)
	if err != nil {
		return fmt.Errorf("recordedtime %q is not RFC 3339", w.Recorded)
	}
	e.Recorded = bridge.MillisOf(at)
	return nil
}

// fillOccurrence sets the occurrence, from the data.
func (e *Event) fillOccurrence(w *wire) error {
	e.Kind, e.Subject = kindOf(w.Type), w.Subject
	m := &w.Data.members
	if w.Type == bridge.TypeQuarantined {
		e.Kind, e.Reason, e.Subject = w.Data.Kind, w.Data.Reason, w.Data.Lane
		if m = w.Data.Body; m == nil {
			m = &members{}
		}
		e.Session = session(m.Session)
		e.Partition = strings.TrimPrefix(w.Key, e.Kind)
		if e.Reason == "" {
			return errors.New("a quarantined callback without data.reason")
		}
	}
	if e.Kind == "" {
		return fmt.Errorf("unknown type %q", w.Type)
	}
	e.Event, e.Name = m.Event, m.name(e.Kind)
	if e.Reason == "" && e.Kind != bridge.KindStream.String() {
		e.Session = 0 // a recording's is found at its arrival, and is no part of the occurrence
	}
	if e.Reason == "" && e.Session != 0 {
		e.Key = Key{e.Session, phaseOf(w.Type)}
	}
	return nil
}

// session returns a publish_timestamp, in seconds or milliseconds, as milliseconds.
func session(v any) bridge.Millis {
	n, _ := v.(float64)
	if n > 0 && n < 1e10 {
		n *= 1000
	}
	return bridge.Millis(n)
}

func kindOf(eventType string) string {
	for prefix, kind := range map[string]bridge.Kind{
		"com.huaweicloud.live.stream.":   bridge.KindStream,
		"com.huaweicloud.live.record.":   bridge.KindRecord,
		"com.huaweicloud.live.snapshot.": bridge.KindSnapshot,
		"com.huaweicloud.live.session.":  bridge.KindSession,
		"com.huaweicloud.rtc.record.":    bridge.KindRTCRecord,
	} {
		if strings.HasPrefix(eventType, prefix) {
			return kind.String()
		}
	}
	return ""
}

func phaseOf(eventType string) bridge.Phase {
	switch eventType {
	case "com.huaweicloud.live.stream.publish":
		return bridge.PhasePublish
	case "com.huaweicloud.live.stream.publish_done":
		return bridge.PhaseDone
	}
	return bridge.PhaseNone
}

// marks parses the known marks of a list.
func marks(text string) bridge.Marks {
	var m bridge.Marks
	for name := range strings.SplitSeq(text, ",") {
		for i := bridge.MarkForced; i <= bridge.MarkUnsequenced && i != 0; i <<= 1 {
			if i.String() == name {
				m |= i
			}
		}
	}
	return m
}

// ReadEvents calls out with each event of a consumer's log, JSON lines in topic order. A line is a structured
// CloudEvent as published, or {"seen": Unix milliseconds, "event": that}. A truncated last line is ignored. The error
// names the line.
func ReadEvents(r io.Reader, out func(Event)) error {
	return lines(r, func(line []byte) error {
		wrapped := struct {
			Seen  bridge.Millis   `json:"seen"`
			Event json.RawMessage `json:"event"`
		}{}
		if err := json.Unmarshal(line, &wrapped); err != nil {
			return err
		}
		if wrapped.Event == nil {
			wrapped.Event = line
		}
		e, err := ParseEvent(wrapped.Event)
		e.Seen = wrapped.Seen
		if err == nil {
			out(e)
		}
		return err
	})
}
