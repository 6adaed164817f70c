package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestOutageLog: an outage is logged when it begins, once a minute with what waits, and when it ends with how long it
// took and how many events it has retained.
func TestOutageLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		waiting := bridge.Backlog{Events: 7, OldestAge: time.Minute, JournalBytes: 8, FreeBytes: 9}
		h := run(t, p, Options{Backlog: func() bridge.Backlog { return waiting }})
		begun := time.Now()
		h.outbox.add(events(3, 1)...)
		time.Sleep(3*time.Minute + 10*time.Second)
		p.locked(func() { p.answer = nil })
		time.Sleep(10 * time.Second)
		h.end()
		var got []string
		for _, line := range h.logs.All() {
			got = append(got, line.Message)
			fields := line.ContextMap()
			if line.Message == eventMessages().ends {
				if took := fields["after"].(time.Duration); fields["retained"] != int64(7) || took < 190*time.Second ||
					took > 200*time.Second {
					t.Errorf("the end says %v", fields)
				}
				continue
			}
			if text := fmt.Sprint(fields["outbox_events"], fields["oldest_age"], fields["journal_bytes"],
				fields["disk_free_bytes"]); text != "7 1m0s 8 9" ||
				!fields["since"].(time.Time).Equal(begun) || fields["error"] != errAway.Error() {
				t.Errorf("%s: %v", line.Message, fields)
			}
		}
		m := eventMessages()
		if want := []string{m.begins, m.lasts, m.lasts, m.lasts, m.ends}; !slices.Equal(got, want) {
			t.Errorf("the log is %q", got)
		}
	})
}
