package processor_test

import (
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
)

// file is a recorded file of a stream that ends so many seconds after the beginning.
func file(stream string, n, ends int) *bridge.Arrival {
	a := recording(stream, n)
	a.Event.Type = "com.huaweicloud.live.record.file_complete"
	a.Event.Occurred = bridge.MillisOf(begin) + bridge.Millis(ends)*1000
	return a
}

// begun is a file that begins then.
func begun(stream string, n, begins int) *bridge.Arrival {
	a := file(stream, n, begins)
	a.Event.Type = "com.huaweicloud.live.record.new_file_start"
	return a
}

// live is a callback of the session of a stream that began so many seconds after the beginning.
func live(stream string, second int, phase bridge.Phase) *bridge.Arrival {
	return push(stream, bridge.MillisOf(begin)+bridge.Millis(second)*1000, phase)
}

// TestCorrelation: an event of a recorded file has the session that had begun last at the file's time, as far as that
// is known, and none when that had ended. Sessions of the stream: 0 to 100 s, and from 200 s on.
func TestCorrelation(t *testing.T) {
	s := observe(t, following())
	n := 0
	check := func(when string, a *bridge.Arrival, want int) {
		t.Helper()
		s.take(a)
		n++
		out := s.out()
		e := out[len(out)-1]
		got := -1
		if e.Session != 0 {
			got = int(e.Session-bridge.MillisOf(begin)) / 1000
		}
		if got != want || e.Lane.Kind != bridge.KindRecord {
			t.Errorf("%s: session %d, want %d", when, got, want)
		}
	}
	check("before its start is known", begun("a", n, 0), -1)
	s.take(live("a", 0, start))
	check("with the start of the push", begun("a", n, 0), 0)
	check("a file ends with the start", file("a", n, 0), -1)
	check("of another stream", file("b", n, 50), -1)
	check("without a time", recording("a", n), -1)
	s.at(100 * time.Second)
	check("while the push is on", file("a", n, 60), 0)
	s.take(live("a", 0, done))
	check("a file is complete after the end", file("a", n, 100), 0)
	check("by a clock that is ahead", file("a", n, 110), 0)
	check("after the end", begun("a", n, 111), -1)
	s.at(200 * time.Second)
	s.take(live("a", 200, start))
	check("the next one begins", begun("a", n, 200), 200)
	check("the last file of the one before", file("a", n, 99), 0)
	s.restart()
	check("after a restart", file("a", n, 98), 0)
	check("after a restart, of the next", file("a", n, 260), 200)
	s.take(live("a", 290, start)) // waits for the end
	check("of one that is held", begun("a", n, 291), 290)
	check("of the one before", file("a", n, 280), 200)
	unknown := begun("a", n, 291)
	unknown.Event.Type = "com.huaweicloud.live.record" + bridge.TypeUnknownSuffix
	check("of an unknown event", unknown, -1)
}

// TestCorrelationWithoutSessions: of sessions that began before they were followed only the one that is open is known.
func TestCorrelationWithoutSessions(t *testing.T) {
	for phase, want := range map[bridge.Phase]bridge.Millis{start: bridge.MillisOf(begin), done: 0} {
		s := observe(t, defaults())
		s.take(live("a", 0, start))
		if phase == done {
			s.take(live("a", 0, done))
		}
		s.o = following()
		s.restart()
		s.take(file("a", 1, 5))
		out := s.out()
		if got := out[len(out)-1].Session; got != want {
			t.Errorf("phase %d: %d, want %d", phase, got, want)
		}
	}
}

// TestCorrelationKeepsIdentity: what identifies an event does not change with the session that is found.
func TestCorrelationKeepsIdentity(t *testing.T) {
	var ids []string
	for _, o := range []bool{false, true} {
		options := defaults()
		options.SessionEvents = o
		s := observe(t, options)
		s.take(live("a", 0, start), file("a", 1, 5))
		out := s.out()
		ids = append(ids, fmt.Sprint(out[1].ID, out[1].Sequence, string(out[1].Data)))
	}
	if ids[0] != ids[1] {
		t.Errorf("%q", ids)
	}
}
