package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Widths of the table's columns. A row fits 120 columns: the lane gets what the marks leave.
const (
	tableWidth = 120
	laneWidth  = 35
	marksWidth = 14
)

// eventRow returns a row of the table. Lanes that do not fit are cut in the middle.
func eventRow(recorded, sequence, lane, event, session, marks string) string {
	width := laneWidth - max(0, len(marks)-marksWidth)
	return strings.TrimRight(fmt.Sprintf("%-18s  %16s  %-*s  %-14s  %-13s  %s",
		recorded, sequence, width, shortened(lane, width), shortened(event, 14), session, marks), " ")
}

// shortened cuts a text in the middle to a width.
func shortened(text string, width int) string {
	const ellipsis = "..."
	if len(text) <= width {
		return text
	}
	if width <= len(ellipsis) {
		return text[:max(width, 0)]
	}
	end := (width - len(ellipsis) + 1) / 2
	return text[:width-len(ellipsis)-end] + ellipsis + text[len(text)-end:]
}

// shownEvent is what the table shows of an event.
type shownEvent struct {
	Recorded string `json:"recordedtime"`
	Sequence string `json:"sequence"`
	Schema   string `json:"dataschema"`
	Subject  string `json:"subject"`
	Type     string `json:"type"`
	Session  string `json:"session"`
	Marks    string `json:"marks"`
}

// readShown reads an event in either mode.
func readShown(m message) (*shownEvent, error) {
	e := &shownEvent{Recorded: m.attribute("recordedtime"), Sequence: m.attribute("sequence"),
		Schema: m.attribute("dataschema"), Subject: m.attribute("subject"), Type: m.attribute("type"),
		Session: m.attribute("session"), Marks: m.attribute("marks")}
	if e.Type != "" {
		return e, nil
	}
	if err := json.Unmarshal(m.payload, e); err != nil {
		return nil, fmt.Errorf("invalid JSON in an event on %s: %w", m.where, err)
	}
	return e, nil
}

// kind returns the kind of callback that the event is from: the name in its dataschema.
func (e *shownEvent) kind() string {
	name := strings.TrimPrefix(e.Schema, "urn:livebridge:schema:")
	name, _, _ = strings.Cut(name, ":")
	return name
}

func (e *shownEvent) print(w io.Writer) error {
	recorded := e.Recorded
	if at, err := time.Parse(time.RFC3339, recorded); err == nil {
		recorded = at.UTC().Format("01-02 15:04:05.000")
	}
	_, err := fmt.Fprintln(w, printable(eventRow(recorded, strings.TrimLeft(e.Sequence, "0"), e.kind()+":"+e.Subject,
		e.Type[strings.LastIndexByte(e.Type, '.')+1:], e.Session, e.Marks)))
	return err
}

// shortType removes the common prefix of all types.
func shortType(t string) string { return strings.TrimPrefix(t, "com.huaweicloud.") }
