package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/signature"
)

// simulatedCallback is one callback of the provider.
type simulatedCallback struct {
	stream     string
	event      string        // PUBLISH, PUBLISH_DONE or a recording's word
	session    bridge.Millis // of a push: when it began, in whole seconds
	node       string        // distinguishes two pushes in one second
	badSession bool          // without a session that can be used
	record     bool
	resign     int // seconds by which the expiry differs from that of others
}

func (c simulatedCallback) kind() bridge.Kind {
	if c.record {
		return bridge.KindRecord
	}
	return bridge.KindStream
}

func (c simulatedCallback) occurrence() checker.Occurrence {
	h := checker.Occurrence{Kind: c.kind().String(), Subject: "push.example.com/live/" + c.stream, Event: c.event,
		Name: c.node}
	if !c.badSession && !c.record {
		h.Session = c.session
	}
	return h
}

// body writes the callback, signed.
func (c simulatedCallback) body(now time.Time) string {
	claim := signature.Claim{Kind: c.kind(), Event: c.event, Domain: "push.example.com", App: "live", Stream: c.stream,
		Timestamp: strconv.FormatInt(now.Unix()+int64(600+c.resign), 10)}
	sign := signature.Sign(bridge.SchemeHMAC, demoKey, claim)
	if c.record {
		return fmt.Sprintf(`{"event_type":%q,"publish_domain":%q,"app":%q,"stream":%q,"job_id":%q,"auth_timestamp":%q,`+
			`"auth_sign":%q}`,
			claim.Event, claim.Domain, claim.App, claim.Stream, c.node, claim.Timestamp, sign)
	}
	session := strconv.FormatInt(int64(c.session)/1000, 10)
	if c.badSession {
		session = "soon"
	}
	return fmt.Sprintf(`{"event":%q,"domain":%q,"app":%q,"stream":%q,"publish_timestamp":%q,"node_ip":%q,`+
		`"auth_timestamp":%s,"auth_sign":%q}`,
		claim.Event, claim.Domain, claim.App, claim.Stream, session, c.node, claim.Timestamp, sign)
}

// action is one thing that happens in a simulation.
type action struct {
	at time.Duration
	do func()
}

// play does all that was drawn, each at its time.
func (s *simulation) play() {
	actions := s.traffic()
	if !s.calm {
		actions = slices.Concat(actions, s.faults(), s.crashes())
	}
	slices.SortStableFunc(actions, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	begun := time.Now()
	for _, d := range actions {
		time.Sleep(time.Until(begun.Add(d.at)))
		d.do()
	}
}

// traffic draws what a few streams have pushed, and what the way to us makes of it.
func (s *simulation) traffic() []action {
	var actions []action
	whole, _ := simulated()
	begin := s.wall().Truncate(time.Second)
	for n := range 8 {
		stream := fmt.Sprint("room", n)
		for at := time.Duration(s.random.IntN(60)) * time.Second; at < whole; {
			length := time.Duration(1+s.random.IntN(240)) * time.Second
			actions = append(actions, s.push(stream, bridge.MillisOf(begin.Add(at)), at, length)...)
			at += length + time.Duration(s.random.IntN(20))*time.Second
		}
	}
	return actions
}

// push draws the callbacks of one push, with what goes wrong.
func (s *simulation) push(stream string, session bridge.Millis, at, length time.Duration) []action {
	start := simulatedCallback{stream: stream, event: "PUBLISH", session: session, node: "192.0.2.1",
		badSession: s.share(0.01)}
	end := start
	end.event = "PUBLISH_DONE"
	actions := s.send(start, at)
	if !s.share(0.02) { // else the end is lost before us
		actions = append(actions, s.send(end, at+length)...)
	}
	if s.share(0.02) {
		twin := start
		twin.node, twin.resign = "192.0.2.2", 1
		actions = append(actions, s.send(twin, at)...)
	}
	if s.share(0.1) {
		file := simulatedCallback{stream: stream, event: "RECORD_FILE_COMPLETE", node: fmt.Sprint("job", at), record: true}
		actions = append(actions, s.send(file, at+length)...)
	}
	return actions
}

// send draws when one callback comes, and whether it comes again.
func (s *simulation) send(c simulatedCallback, at time.Duration) []action {
	actions := []action{{s.delayed(at), func() { s.post(c) }}}
	if s.share(0.05) {
		again := c
		again.resign += 2 * s.random.IntN(2)
		actions = append(actions, action{s.delayed(at + time.Second), func() { s.post(again) }})
	}
	return actions
}

// delayed returns when something comes that was sent at the given time: mostly soon, sometimes after minutes. No two
// are the same, so that nothing depends on which of two comes first.
func (s *simulation) delayed(at time.Duration) time.Duration {
	most := 200 * time.Millisecond
	switch {
	case s.share(0.05):
		most = 20 * time.Second
	case s.share(0.01):
		most = 10 * time.Minute
	}
	return at + time.Duration(s.random.Int64N(int64(most)))
}

func (s *simulation) share(of float64) bool { return s.random.Float64() < of }

// faults draws what the broker and the clock do: a long time without a broker, and shorter troubles all over.
func (s *simulation) faults() []action {
	b := s.broker
	whole, away := simulated()
	outage := time.Duration(s.random.Int64N(int64(whole - away)))
	actions := []action{
		{outage, func() { b.change(func() { b.away = true }) }},
		{outage + away, func() { b.change(func() { b.away = false }) }},
	}
	for at := time.Duration(0); at < whole; at += time.Duration(1+s.random.IntN(600)) * time.Second {
		actions = append(actions, s.fault(at)...)
	}
	return actions
}

func (s *simulation) fault(at time.Duration) []action {
	b, end := s.broker, at+time.Duration(1+s.random.IntN(300))*time.Second
	stream, jump := fmt.Sprint("room", s.random.IntN(8)), time.Duration(
		s.random.Int64N(int64(10*time.Minute)))-5*time.Minute
	from := func(f func()) action { return action{at, func() { b.change(f) }} }
	to := func(f func()) action { return action{end, func() { b.change(f) }} }
	switch s.random.IntN(5) {
	case 0:
		return []action{from(func() { b.silent = true }), to(func() { b.silent = false })}
	case 1:
		return []action{from(func() { b.faultRate = 0.5 }), to(func() { b.faultRate = 0 })}
	case 2:
		return []action{from(func() { b.down[stream] = true }), to(func() { delete(b.down, stream) })}
	case 3:
		return []action{from(func() { b.poison = true }), to(func() { b.poison = false })}
	}
	// The clock jumps, and is set right again: no session may stay ahead of it for long.
	return []action{from(func() { s.ahead = jump }), to(func() { s.ahead = 0 })}
}

// crashes draws when the power goes, and for how long, and when the program is restarted in good order.
func (s *simulation) crashes() []action {
	var actions []action
	whole, _ := simulated()
	for at := time.Duration(s.random.IntN(1800)) * time.Second; at < whole; at += time.Duration(
		1+s.random.IntN(1800)) * time.Second {
		at += time.Duration(s.random.IntN(1e9))
		down := time.Duration(s.random.Int64N(int64(20 * time.Second)))
		again := action{at + down, s.start}
		if s.share(0.3) {
			actions = append(actions, action{at, func() { s.stop(); s.change(func() { s.life = nil }) }}, again)
		} else {
			actions = append(actions, action{at, s.crash}, again)
		}
		at += down
	}
	return actions
}

func (s *simulation) change(f func()) { s.broker.change(f) }
