package processor_test

import (
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// only are the types of stream status of these names.
func only(names ...string) bridge.TypeSet {
	set := bridge.TypeSet{bridge.TypeQuarantined: true}
	for _, name := range names {
		set["com.huaweicloud.live.stream."+name] = true
	}
	return set
}

// filtering returns the defaults with these types alone.
func filtering(names ...string) processor.Options {
	o := defaults()
	o.Types = only(names...)
	return o
}

// TestFilteredEvents: what is of another type leaves no gap in the sequence, and is decided like everything else: it
// opens and ends sessions, is held and repeats, and is counted.
func TestFilteredEvents(t *testing.T) {
	const p, d = bridge.PhasePublish, bridge.PhaseDone
	s := observe(t, filtering("publish_done"))
	s.take(push("a", 1.7e12, p), push("a", 1.7e12, d), push("a", 1.7e12+1000, p))
	s.wants("in order", "a 1 publish_done ")
	s.take(push("a", 1.7e12+2000, d)) // waits for its start
	s.take(push("a", 1.7e12+1000, d), push("a", 1.7e12+2000, p))
	s.wants("held", "a 2 publish_done ", "a 3 publish_done ")
	s.is("by then", "filtered", s.Total.Filtered["com.huaweicloud.live.stream.publish"], 3)
	s.take(push("a", 1.7e12+2000, p))
	s.is("a repeat", "duplicates", s.Total.Duplicates, 1)
	s.is("a repeat", "filtered", s.Total.Filtered["com.huaweicloud.live.stream.publish"], 3)
	s.take(push("a", 1.7e12-1000, p), push("a", 1.7e12-1000, d)) // before what has come out
	s.wants("late", "a 4 publish_done late")
	s.take(push("a", 1.7e12+3000, d))
	s.sleep(time.Minute)
	s.wants("a hold ends", "a 5 publish_done start_unseen")
}

// TestVerdictOfAFiltered: a callback whose event is left out is neither emitted nor held.
func TestVerdictOfAFiltered(t *testing.T) {
	eff := applyWith(t, filtering("publish_done"), push("a", 1.7e12, bridge.PhasePublish),
		push("a", 1.7e12, bridge.PhaseDone), push("a", 1.7e12+1000, bridge.PhaseDone))
	var got []processor.Verdict
	for _, d := range eff.Decisions {
		got = append(got, d.Verdict)
	}
	want := []processor.Verdict{processor.VerdictFiltered, processor.VerdictEmitted, processor.VerdictHeld}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestFilterChanges: other types after a restart apply to what is held by then, and to what comes; sequences go on.
func TestFilterChanges(t *testing.T) {
	const p, d = bridge.PhasePublish, bridge.PhaseDone
	s := observe(t, defaults())
	s.take(push("a", 1.7e12, p), push("a", 1.7e12, d), push("a", 1.7e12+1000, d), push("b", 1.7e12, d))
	s.wants("all", "a 1 publish ", "a 2 publish_done ")
	s.o.Types = only("publish")
	s.restart()
	s.sleep(time.Minute)
	s.wants("what was held is left out")
	s.holds("then", 0)
	s.is("then", "filtered", s.Total.Filtered["com.huaweicloud.live.stream.publish_done"], 2)
	s.take(push("a", 1.7e12+2000, p))
	s.wants("one of the types", "a 3 publish ")
	s.o.Types = nil
	s.restart()
	s.take(push("a", 1.7e12+2000, d), push("a", 1.7e12+1000, d))
	s.wants("all again, and no repeats", "a 4 publish_done ")
}

// TestFilterAndOperators: an entry of another type stays on its queue and the outcome says why; notices of the
// quarantine are published; a replay leaves events out, counted.
func TestFilterAndOperators(t *testing.T) {
	o := defaults()
	o.PublishQuarantine = true
	s := observe(t, o)
	s.take(push("a", 1.7e12, bridge.PhasePublish), push("a", 1.7e12, bridge.PhaseDone))
	events := slices.Clone(s.out())
	s.reject(events[0])
	s.o.Types = only("publish_done")
	s.restart()
	s.take(suspect("b", 1, bridge.ReasonExpired))
	s.wants("a notice", " 1 quarantined ")
	for queue, number := range map[bridge.ReviewQueue]uint64{
		bridge.DeadLetterQueue: 1, bridge.QuarantineQueue: 2,
	} {
		if done := s.command(processor.Release, queue, number); len(done) > 0 || s.Outcomes[0].Problem !=
			"PUBLISH_TYPES does not have its type; add it there, or purge the entry" {
			t.Errorf("%s: %+v", queue, s.Outcomes)
		}
		s.is(string(queue), "entries", len(s.Entries(queue)), 1)
	}
	s.must(s.Do(processor.Input{Action: processor.Replay, Events: events}))
	s.wants("replayed", "a 1 publish_done replayed")
	s.is("replayed", "emissions", len(s.Replayed), 1)
	s.is("replayed", "filtered", s.Total.Filtered["com.huaweicloud.live.stream.publish"], 1)
	s.o.Types = nil
	s.restart()
	s.command(processor.Release, bridge.QuarantineQueue, 2)
	s.command(processor.Release, bridge.DeadLetterQueue, 1)
	s.wants("all types", "b 1 publish replayed", "a 2 publish replayed")
}
