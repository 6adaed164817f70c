package sequencer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// base is session 1 of the tests; session n starts n seconds after it.
const base = bridge.Millis(1_700_000_000_000)

// wall is the wall clock of the tests: all small sessions are in the past.
const wall = base + 3_600_000

var defaults = sequencer.Limits{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, PerLane: 16}

func session(n int) bridge.Millis { return base + bridge.Millis(n)*1000 }

func start(n int) sequencer.Key {
	return sequencer.Key{Session: session(n), Phase: bridge.PhasePublish}
}

func done(n int) sequencer.Key { return sequencer.Key{Session: session(n), Phase: bridge.PhaseDone} }

func seconds(n float64) sequencer.Instant { return sequencer.Instant(n * float64(time.Second)) }

// name returns P1, D2 or - for a key.
func name(k sequencer.Key) string {
	n := (k.Session - base) / 1000
	switch k.Phase {
	case bridge.PhasePublish:
		return fmt.Sprintf("P%d", n)
	case bridge.PhaseDone:
		return fmt.Sprintf("D%d", n)
	}
	return "-"
}

func written(out []sequencer.Emission) string {
	var words []string
	for _, e := range out {
		word := name(e.Key)
		if e.Marks != 0 {
			word += ":" + e.Marks.String()
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// lane drives Apply in the tests and gives every event an id of its own.
type lane struct {
	state  sequencer.State
	limits sequencer.Limits
	ids    byte
}

func (l *lane) apply(in sequencer.Input) sequencer.Transition {
	if in.Action == sequencer.Arrive || in.Action == sequencer.Replay {
		l.ids++
		in.ID = bridge.ID{l.ids}
	}
	t := sequencer.Apply(l.state, in, l.limits)
	l.state = t.State
	return t
}

func (l *lane) arrive(k sequencer.Key, at sequencer.Instant) sequencer.Transition {
	return l.apply(sequencer.Input{At: at, Wall: wall, Kind: bridge.KindStream, Key: k})
}

// script runs words such as "P1@0 D2@1.5 expire@13 overflow@14" and returns what came out of each, joined by " | ".
func (l *lane) script(t *testing.T, words string) string {
	t.Helper()
	var out []string
	for word := range strings.FieldsSeq(words) {
		what, at, _ := strings.Cut(word, "@")
		var when float64
		if _, err := fmt.Sscan(at, &when); err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		out = append(out, written(l.apply(input(t, what, seconds(when))).Emit))
	}
	return strings.Join(out, " | ")
}

func input(t *testing.T, what string, at sequencer.Instant) sequencer.Input {
	t.Helper()
	in := sequencer.Input{At: at, Wall: wall, Kind: bridge.KindStream}
	switch what {
	case "expire":
		in.Action = sequencer.Expire
	case "overflow":
		in.Action = sequencer.Overflow
	case "none": // no session
	case "future":
		in.Key = sequencer.Key{Session: wall + bridge.MaxSessionAhead + 1, Phase: bridge.PhasePublish}
	case "record":
		in.Kind = bridge.KindRecord
	case "word":
		in.Kind, in.Unknown = bridge.KindRecord, true
	default:
		var phase string
		var n int
		if _, err := fmt.Sscanf(what, "%1s%d", &phase, &n); err != nil {
			t.Fatalf("%q: %v", what, err)
		}
		in.Key = map[string]sequencer.Key{"P": start(n), "D": done(n)}[phase]
		if phase == "R" {
			in.Action, in.Key = sequencer.Replay, start(n)
		}
	}
	return in
}
