package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/signature"
	"livebridge/transports/nats"
)

// sessionEvent is what a consumer sees of an event that concerns a session.
type sessionEvent struct {
	Type, Subject, Session, Sequence string
	Data                             struct {
		Event, Session, Cause, Started, Ended string
		Duration                              *int `json:"duration_ms"`
	}
}

// line is the event in short: its type, stream and session, and what its data says of the end.
func (e *sessionEvent) line() string {
	line := fmt.Sprint(e.Type[strings.LastIndex(e.Type, "live.")+5:], " ", e.Subject[strings.LastIndex(e.Subject, "/")+1:],
		" ", strings.TrimSuffix(e.Session, "000"))
	if e.Data.Cause != "" {
		line += " " + e.Data.Cause
	}
	if e.Data.Duration != nil {
		line += " with a duration"
	}
	return line
}

// consumed returns the lines of all events once there is one of the stream "last". What comes again after a crash
// counts once; within a lane the sequence has no gap.
func consumed(t *testing.T, url string) (lines []string) {
	t.Helper()
	seen := make(map[string]string)
	o := nats.DefaultOptions()
	o.URL = url
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error {
		var e sessionEvent
		if err := json.Unmarshal(r.Payload, &e); err != nil {
			return fmt.Errorf("%s: %w", r.Payload, err)
		}
		of := fmt.Sprint(e.Type, e.Subject, e.Session, e.Sequence)
		if again, known := seen[of]; known && again != string(r.Payload) {
			t.Errorf("%s came again as %s", again, r.Payload)
		} else if !known {
			lines = append(lines, e.line())
		}
		seen[of] = string(r.Payload)
		if strings.HasSuffix(e.Subject, "/last") {
			return errAllThere
		}
		return nil
	})
	if !errors.Is(err, errAllThere) {
		t.Fatalf("%v; seen are %q", err, lines)
	}
	slices.Sort(lines)
	return lines
}

// sessionPlayer sends callbacks to the service that runs at the moment.
type sessionPlayer struct {
	t       *testing.T
	service *program
	expires time.Time
}

// push sends a callback of a stream's session, under a signature of its own.
func (p *sessionPlayer) push(event, stream string, session int64) {
	p.t.Helper()
	p.expires = p.expires.Add(time.Second)
	p.service.send(p.t, "/live/stream", streamCallback(event, stream, session, p.expires, ""), 200)
}

// file sends the callback of a recorded file that ends at an instant.
func (p *sessionPlayer) file(stream string, ends int64) {
	p.t.Helper()
	p.expires = p.expires.Add(time.Second)
	m := recordMessage(demoKey, bridge.SchemeHMAC, signature.Claim{Event: "RECORD_FILE_COMPLETE",
		Domain: "push.example.com", App: "live", Stream: stream, Timestamp: fmt.Sprint(p.expires.Unix())},
		fmt.Sprintf(`,"end_time":%q`, time.Unix(ends, 0).UTC().Format(time.RFC3339)))
	answered(p.t, p.service.listen, m, 200)
}

// begin starts the service with events of sessions, after killing the one that runs.
func (p *sessionPlayer) begin(dir, staleAfter string) {
	p.t.Helper()
	if p.service != nil {
		p.service.kill()
		p.service.end(p.t)
	}
	p.service = launch(p.t, dir, prefix+"SESSION_EVENTS=true", prefix+"SESSION_STALE_AFTER="+staleAfter,
		prefix+"RECORD_KEY="+demoKey)
}

// TestSessions: pushes end, with and without their ends, files are recorded, and the service is killed and started
// again in between. Consumers see each end and each missing one once, behind what it follows from, and files have the
// session that they belong to.
func TestSessions(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	p := &sessionPlayer{t: t, expires: now}
	first, second := now.Unix()-100, now.Unix()-10
	p.begin(dir, "1h")
	p.push("PUBLISH", "whole", first)
	p.push("PUBLISH", "never", first)
	p.file("whole", first+50)
	p.push("PUBLISH_DONE", "whole", first)
	p.begin(dir, "1h")
	p.push("PUBLISH", "whole", second)
	p.push("PUBLISH_DONE", "whole", second)
	p.file("whole", first+60)
	p.file("whole", second+5)
	p.file("another", second+5)
	p.begin(dir, "1ms")
	await(t, p.service.nats, func(e checker.Event) bool { return strings.HasSuffix(e.Type, ".session.stale") })
	p.begin(dir, "1h")
	p.push("PUBLISH_DONE", "never", first)
	until(t, "all is published", func() bool { return p.service.metrics(t)["livebridge_outbox_events"] == 0 })
	if n := p.service.metrics(t)[`livebridge_session_events_total{type="com.huaweicloud.live.session.ended"}`]; n != 1 {
		t.Errorf("%v sessions have ended", n)
	}
	p.push("PUBLISH", "last", first)
	got := consumed(t, p.service.nats)
	var want []string
	for _, line := range []string{
		"record.file_complete another ", "record.file_complete whole 1", "record.file_complete whole 1",
		"record.file_complete whole 2", "session.ended never 1 with a duration", "session.ended whole 1 with a duration",
		"session.ended whole 2 with a duration", "session.stale never 1 timeout", "stream.publish last 1",
		"stream.publish never 1", "stream.publish whole 1", "stream.publish whole 2", "stream.publish_done never 1",
		"stream.publish_done whole 1", "stream.publish_done whole 2",
	} {
		line = strings.Replace(line, " 1", fmt.Sprint(" ", first), 1)
		want = append(want, strings.Replace(line, " 2", fmt.Sprint(" ", second), 1))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSessionSubject: whoever has events of sessions published needs their subject at NATS.
func TestSessionSubject(t *testing.T) {
	t.Parallel()
	for _, c := range []settings{{}, {SessionEvents: true}, {ReconcileEvents: true}} {
		if got, want := c.natsOptions(zap.NewNop()).SessionEvents, c.SessionEvents || c.ReconcileEvents; got != want {
			t.Errorf("SESSION_EVENTS=%v, RECONCILE_EVENTS=%v: %v", c.SessionEvents, c.ReconcileEvents, got)
		}
	}
}

// TestSessionStaleAfterNeedsEvents: the limit alone is refused, and so is one that nothing remembers so long.
func TestSessionStaleAfterNeedsEvents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ events, after, want string }{
		{"false", "1h", "SESSION_EVENTS=true"}, {"true", "721h", "720h or less"}, {"true", "720h", ""}, {"true", "0", ""},
	} {
		_, err := load(with("SESSION_EVENTS", c.events, "SESSION_STALE_AFTER", c.after))
		if (err == nil) != (c.want == "") || err != nil && !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
