package processor_test

import (
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/session"
)

// pushOf is the n-th session of a stream.
func pushOf(stream string, n int) session.Push {
	e := of(stream, n, start).Event
	return session.PushOf(e.Lane, e.Session)
}

// TestForgottenWithoutEnd: no lane is forgotten before its missing ends are told, however long nothing has come for it;
// where they are not told, it is forgotten like any other.
func TestForgottenWithoutEnd(t *testing.T) {
	for _, after := range []time.Duration{0, 20 * 24 * time.Hour, processor.ForgetOpen} {
		o := following()
		o.SessionStaleAfter = after
		s := observe(t, o)
		s.Every = time.Hour
		s.take(of("a", 1, start), of("a", 2, start), of("b", 1, start))
		s.sleep(3 * time.Second) // the second push of a is not held any more
		s.take(of("a", 2, done))
		s.sleep(processor.ForgetOpen + 24*time.Hour)
		if after == 0 {
			s.sessions("not told", "a ENDED 2 0-3 3 prev_unended/")
			s.is("not told", "lanes", s.Lanes(), 0)
			continue
		}
		s.sessions("told", "a ENDED 2 0-3 3 prev_unended/", "a STALE 1 timeout", "b STALE 1 timeout")
		s.sleep(processor.ForgetClosed)
		s.is("told", "lanes", s.Lanes(), 0)
	}
}

// TestForgottenInOneGo: what became due while the service was down is told although its lane has had its time, too.
func TestForgottenInOneGo(t *testing.T) {
	s := observe(t, following())
	s.take(of("a", 1, start))
	s.must(s.Down(processor.ForgetOpen + time.Hour))
	lane := []bridge.Lane{of("a", 1, start).Event.Lane}
	s.must(s.Do(processor.Input{Action: processor.Forget, Idle: lane})) // before its sessions are looked at
	s.must(s.Do(processor.Input{Action: processor.Forget, Unended: lane, Idle: lane}))
	s.sessions("both", "a STALE 1 timeout")
}

// TestDifferenceThatIsNoneAnyMore: a callback that has come when the event of its absence is decided is not missing,
// whether or not sessions are followed. One of another push is.
func TestDifferenceThatIsNoneAnyMore(t *testing.T) {
	const since = bridge.Millis(1.7e12)
	for _, follows := range []bool{true, false} {
		o := following()
		o.SessionEvents = follows
		s := observe(t, o)
		tell := func(events ...bridge.Event) {
			for _, e := range events {
				s.take(&bridge.Arrival{Event: e})
			}
		}
		s.take(of("a", 1, start), of("a", 1, done), of("b", 20, start))
		s.out()
		before := s.Total.Duplicates
		missed := pushOf("b", 19)
		tell(session.Stale(pushOf("a", 1), session.CauseOffline, since), session.Missed(missed, missed.Begun))
		s.wants("both have come")
		s.is("both have come", "duplicates", s.Total.Duplicates-before, 2)
		missed = pushOf("b", 1)
		tell(session.Stale(pushOf("a", 2), session.CauseOffline, since), session.Missed(missed, missed.Begun),
			session.Missed(pushOf("a", 3), since))
		s.wants("others", "a 1 stale ", "b 1 missed ", "a 2 missed ")
	}
}

// TestEndedIsNotStale: an end that was late ends its session for the provider's list, too.
func TestEndedIsNotStale(t *testing.T) {
	s := observe(t, following())
	s.take(of("a", 1, start), of("a", 2, start))
	s.sleep(3 * time.Second)
	s.take(of("a", 1, done))
	s.out()
	s.take(&bridge.Arrival{Event: session.Stale(pushOf("a", 1), session.CauseOffline, 5)})
	s.wants("ended")
}
