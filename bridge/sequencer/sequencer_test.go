package sequencer_test

import (
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// TestCases is what comes out of a lane in every situation that the rules tell apart.
func TestCases(t *testing.T) {
	tests := []struct {
		name, script, want string
	}{
		{"publish on an empty lane", "P1@0", "P1"},
		{"publish after the done before it", "P1@0 D1@1 P2@2", "P1 | D1 | P2"},
		{"done right after its publish", "P1@0 D1@1", "P1 | D1"},
		{"done first, its publish in time", "D1@0 P1@9", " | P1 D1"},
		{"the same behind a closed session", "P1@0 D1@0 D2@1 P2@2", "P1 | D1 |  | P2 D2"},
		{"done first, hold over, then its publish", "D1@0 expire@10 P1@11", " | D1:start_unseen | P1:late"},
		{"next publish first, the old done in time", "P1@0 P2@1 D1@3", "P1 |  | D1 P2"},
		{"the same, hold over", "P1@0 P2@1 expire@4 D1@5", "P1 |  | P2:prev_unended | D1:late"},
		{"the done never comes", "P1@0 expire@1000", "P1 | "},
		{"a key below last", "P2@0 P1@1 D1@2 D2@3", "P2 | P1:late | D1:late | D2"},
		{"the key of last again", "P1@0 P1@1 D1@2 D1@3", "P1 | P1:reopened | D1 | D1:reopened"},
		{"the key of a held event again", "D1@0 D1@1 P1@2", " | D1:reopened | P1 D1"},
		{"a publish's hold ends before a later done's", "P1@0 D3@1 P2@2 expire@5 expire@11",
			"P1 |  |  | P2:prev_unended | D3:start_unseen"},
		{"a publish's hold ends before an earlier done's", "P1@0 D2@1 P3@2 expire@5",
			"P1 |  |  | D2:forced,start_unseen P3"},
		{"no session", "P1@0 none@1 D1@2", "P1 | -:unsequenced | D1"},
		{"a session in the future", "future@0 P1@1", "P3900:unsequenced | P1"},
		{"an unknown event name", "word@0", "-:unsequenced"},
		{"a lane forgotten is an empty one", "P5@0", "P5"},
		{"other kinds come out as they arrive", "record@0 record@1", "- | -"},
		{"a replay disturbs nothing", "P1@0 P3@1 R2@2 D1@3", "P1 |  | P2:replayed | D1 P3"},
		{"a done behind several missing events", "P1@0 D3@1 P3@2 D2@3 P2@4 D1@4.5", "P1 |  |  |  |  | D1 P2 D2 P3 D3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lane{limits: defaults}
			if got := l.script(t, tt.script); got != tt.want {
				t.Errorf("%s\n got %q\nwant %q", tt.script, got, tt.want)
			}
		})
	}
}

// TestOverflow is a lane that holds too much.
func TestOverflow(t *testing.T) {
	tests := []struct {
		name    string
		perLane int
		script  string
		want    string
	}{
		{"the smallest goes, forced", 1, "P1@0 P2@1 P3@2", "P1 |  | P2:forced,prev_unended"},
		{"the arrival itself goes when it is the smallest", 1, "P1@0 D3@1 D2@2", "P1 |  | D2:forced,start_unseen"},
		{"what it was in the way of goes too", 2, "D5@0 P6@1 D7@2", " |  | D5:forced,start_unseen P6"},
		{"as often as needed", 1, "P1@0 P2@1 D3@1 P4@1", "P1 |  | P2:forced,prev_unended | D3:forced,start_unseen P4"},
		{"nothing may be held", 0, "P1@0 D2@1 P2@2", "P1 | D2:forced,start_unseen | P2:late"},
		{"a negative limit is no limit of its own", -1, "D2@1", "D2:forced,start_unseen"},
		{"past its own deadline it is not forced", 1, "D1@0 D2@11", " | D1:start_unseen"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lane{limits: defaults}
			l.limits.PerLane = tt.perLane
			if got := l.script(t, tt.script); got != tt.want {
				t.Errorf("%s\n got %q\nwant %q", tt.script, got, tt.want)
			}
		})
	}
}

func TestExpire(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"nothing held", "expire@5", ""},
		{"too early", "D1@0 expire@9.9", " | "},
		{"exactly at the deadline", "D1@0 expire@10", " | D1:start_unseen"},
		{"late, each at its own instant", "P1@0 D2@1 P3@2 expire@100", "P1 |  |  | D2:forced,start_unseen P3"},
		{"nearest first", "P1@0 D4@0 P2@1 P3@2 expire@100",
			"P1 |  |  |  | P2:prev_unended P3:prev_unended D4:start_unseen"},
		{"ties by key", "P1@0 P3@1 P2@1 expire@4", "P1 |  |  | P2:prev_unended P3:prev_unended"},
		{"then what is ready", "P1@0 P2@1 D3@1 D2@1 expire@4", "P1 |  |  |  | P2:prev_unended D2"},
		{"in a row without holes", "D1@0 D2@0 expire@10", " |  | D1:start_unseen D2:start_unseen"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lane{limits: defaults}
			if got := l.script(t, tt.script); got != tt.want {
				t.Errorf("%s\n got %q\nwant %q", tt.script, got, tt.want)
			}
		})
	}
}

func TestOverflowAction(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"nothing held", "overflow@5", ""},
		{"the smallest alone", "D1@0 D2@0 overflow@1", " |  | D1:forced,start_unseen"},
		{"and what it was in the way of", "P1@0 P2@0 D2@0 overflow@1", "P1 |  |  | P2:forced,prev_unended D2"},
		{"past its deadline", "D1@0 overflow@10", " | D1:start_unseen"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lane{limits: defaults}
			if got := l.script(t, tt.script); got != tt.want {
				t.Errorf("%s\n got %q\nwant %q", tt.script, got, tt.want)
			}
		})
	}
}

func TestNoHold(t *testing.T) {
	tests := []struct {
		name       string
		done, next time.Duration
		script     string
		want       string
	}{
		{"a done does not wait", 0, time.Second, "D1@0 P1@0", "D1:start_unseen | P1:late"},
		{"a publish does not wait", time.Second, 0, "P1@0 P2@0 D1@0", "P1 | P2:prev_unended | D1:late"},
		{"nor lets anything wait below it", time.Second, 0, "P1@0 D2@0 P3@0", "P1 |  | D2:forced,start_unseen P3"},
		{"in order all is as ever", 0, 0, "P1@0 D1@0 P2@0 D2@0", "P1 | D1 | P2 | D2"},
		{"less than nothing is nothing", -1, -1, "D1@0", "D1:start_unseen"},
		{"what waits above it may follow", 10 * time.Second, 0, "P1@0 D2@0 P2@1", "P1 |  | P2:prev_unended D2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lane{limits: sequencer.Limits{HoldDone: tt.done, HoldNext: tt.next, PerLane: 16}}
			if got := l.script(t, tt.script); got != tt.want {
				t.Errorf("%s\n got %q\nwant %q", tt.script, got, tt.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	l := lane{limits: defaults}
	if i := l.state.Nearest(); i != -1 {
		t.Errorf("in an empty lane the nearest deadline is that of event %d", i)
	}
	l.arrive(done(5), seconds(1))
	l.arrive(done(3), seconds(2))
	if at := l.state.Held[l.state.Nearest()].Deadline; at != seconds(11) {
		t.Errorf("deadline %v, want 11 s", at)
	}
	l.arrive(start(2), seconds(2)) // ready: nothing waits for it
	l.arrive(start(3), seconds(3)) // joins, nearer
	if at := l.state.Held[l.state.Nearest()].Deadline; at != seconds(6) {
		t.Errorf("deadline %v, want 6 s", at)
	}
}

func TestTransition(t *testing.T) {
	l := lane{limits: defaults}
	held := l.arrive(done(1), 0)
	if !held.Holds || len(held.Emit) != 0 {
		t.Errorf("a done without its publish: %+v", held)
	}
	out := l.arrive(start(1), 1)
	want := []sequencer.Emission{
		{ID: bridge.ID{2}, Key: start(1), Sequence: 1},
		{ID: bridge.ID{1}, Key: done(1), Sequence: 2, Held: true},
	}
	if out.Holds || !slices.Equal(out.Emit, want) {
		t.Errorf("got %+v\nwant %+v", out.Emit, want)
	}
	if out.State.Last != done(1) || out.State.Sequence != 2 || out.State.Held != nil {
		t.Errorf("state %+v", out.State)
	}
}

func TestSequenceGoesOn(t *testing.T) {
	l := lane{limits: defaults, state: sequencer.State{Sequence: 41}}
	if out := l.arrive(start(1), 0).Emit; len(out) != 1 || out[0].Sequence != 42 {
		t.Errorf("got %+v, want sequence 42", out)
	}
}

// TestUnsequenced holds every way in which an event has no place in the order, and the nearest one in which it has.
func TestUnsequenced(t *testing.T) {
	edge := wall + bridge.MaxSessionAhead
	tests := []struct {
		name string
		in   sequencer.Input
		want bridge.Marks
	}{
		{"no key", sequencer.Input{Kind: bridge.KindStream}, bridge.MarkUnsequenced},
		{"no session", sequencer.Input{Kind: bridge.KindStream, Key: sequencer.Key{Phase: bridge.PhaseDone}},
			bridge.MarkUnsequenced},
		{"no phase", sequencer.Input{Kind: bridge.KindStream, Key: sequencer.Key{Session: base}}, bridge.MarkUnsequenced},
		{"too far ahead", sequencer.Input{Kind: bridge.KindStream, Key: sequencer.Key{Session: edge + 1, Phase: 1}},
			bridge.MarkUnsequenced},
		{"just not too far", sequencer.Input{Kind: bridge.KindStream, Key: sequencer.Key{Session: edge, Phase: 1}}, 0},
		{"unknown stream word", sequencer.Input{Kind: bridge.KindStream, Key: start(1), Unknown: true},
			bridge.MarkUnsequenced},
		{"unknown record word", sequencer.Input{Kind: bridge.KindRecord, Unknown: true}, bridge.MarkUnsequenced},
		{"unknown rtc word", sequencer.Input{Kind: bridge.KindRTCRecord, Unknown: true}, bridge.MarkUnsequenced},
		{"recording", sequencer.Input{Kind: bridge.KindRecord}, 0},
		{"snapshot", sequencer.Input{Kind: bridge.KindSnapshot}, 0},
		{"rtc recording", sequencer.Input{Kind: bridge.KindRTCRecord}, 0},
		{"no kind, as for a quarantine lane", sequencer.Input{}, 0},
		{"replay of an unknown word", sequencer.Input{Action: sequencer.Replay, Kind: bridge.KindStream, Unknown: true},
			bridge.MarkReplayed | bridge.MarkUnsequenced},
		{"replay of anything else", sequencer.Input{Action: sequencer.Replay, Kind: bridge.KindStream}, bridge.MarkReplayed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.Wall = wall
			out := sequencer.Apply(sequencer.State{}, tt.in, defaults)
			if len(out.Emit) != 1 || out.Emit[0].Marks != tt.want {
				t.Errorf("got %+v, want the marks %q", out.Emit, tt.want)
			}
		})
	}
}

func TestKey(t *testing.T) {
	sorted := []sequencer.Key{{}, start(1), done(1), start(2), done(2)}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%v against %v: %d", a, b, got)
			}
		}
		if a.IsZero() != (i == 0) {
			t.Errorf("%v: IsZero %v", a, a.IsZero())
		}
	}
}

// TestPure applies to states that share memory, and looks at that memory afterwards.
func TestPure(t *testing.T) {
	shared := []sequencer.Held{{Key: start(3), Deadline: 5}, {Key: done(4), Deadline: 6}, {Key: start(9), Deadline: 7}}
	before := slices.Clone(shared)
	state := sequencer.State{Last: start(1), Sequence: 4, Held: shared[:2]} // room behind it that an append would take
	for _, in := range []sequencer.Input{
		{Kind: bridge.KindStream, Key: done(1), Wall: wall}, {Kind: bridge.KindStream, Key: start(4), Wall: wall},
		{Kind: bridge.KindStream, Key: done(8), Wall: wall}, {Action: sequencer.Expire, At: 5}, {Action: sequencer.Overflow},
		{Action: sequencer.Replay}, {Action: 99},
	} {
		first, second := sequencer.Apply(state, in, defaults), sequencer.Apply(state, in, defaults)
		if !slices.Equal(first.Emit, second.Emit) || !slices.Equal(first.State.Held, second.State.Held) {
			t.Errorf("%+v: the same input twice gives %+v and %+v", in, first, second)
		}
		if !slices.Equal(shared, before) {
			t.Fatalf("%+v changed what the incoming state points to: %+v", in, shared)
		}
	}
}

// TestLowerLimit is a lane that held more before a restart than it may now.
func TestLowerLimit(t *testing.T) {
	l := lane{limits: defaults}
	l.script(t, "P1@0 P2@1 P4@1 P6@1 P8@1")
	l.limits.PerLane = 2
	want := "P2:forced,prev_unended P4:forced,prev_unended P6:forced,prev_unended"
	if got := l.script(t, "P9@2"); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestHeldOfOtherActions lets a held event out by an input that happens to name its key: it is still one that was held.
func TestHeldOfOtherActions(t *testing.T) {
	l := lane{limits: defaults}
	l.script(t, "D1@0")
	out := l.apply(sequencer.Input{Action: sequencer.Expire, At: seconds(10), Key: done(1)})
	if len(out.Emit) != 1 || !out.Emit[0].Held || out.Holds {
		t.Errorf("got %+v", out)
	}
}
