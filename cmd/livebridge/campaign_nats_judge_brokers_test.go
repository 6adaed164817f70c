//go:build brokers

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/transports/nats/natstest"
)

// read returns what the leaders of the streams have, once the events' stream has all that it is to have.
func (n *natsCampaign) read() *campaignLogs {
	n.t.Helper()
	uses := campaignStreams()
	until(n.t, "all events are sourced", func() bool {
		s := natstest.Led(n.t, n.js, uses["events"]).CachedInfo().Sources
		return len(s) == 1 && s[0].Active >= 0 && s[0].Lag == 0
	})
	logs := &campaignLogs{events: make([][]campaignRecord, campaignPartitions)}
	for p := range campaignPartitions {
		logs.intake = append(logs.intake, inputsOf(n.messages(uses["intake"], fmt.Sprint(".", p))))
		logs.state = append(logs.state, rowsOf(n.t, n.messages(uses["state"], fmt.Sprint(".", p, ".s.r.*"))))
	}
	for _, m := range n.messages(uses["events"], "") {
		e, err := checker.ParseEvent(m.Data)
		if err != nil {
			n.t.Fatal(err)
		}
		names := strings.Split(e.Subject, "/")
		lane := bridge.Lane{Kind: bridge.KindStream, Domain: names[0], App: names[1], Stream: names[2]}
		p := lane.Partition(campaignPartitions)
		logs.events[p] = append(logs.events[p], campaignRecord{m.Sequence, m.Time, nil, m.Data})
	}
	return logs
}

// inputsOf returns the inputs in the messages of an intake that are not owners' ticks. The last one of a message has
// the number 0xffff.
func inputsOf(messages []*jetstream.RawStreamMsg) (out []campaignRecord) {
	for _, m := range messages {
		if isTick(m) {
			continue
		}
		for n, value := range unbundled(m.Data) {
			out = append(out, campaignRecord{m.Sequence<<16 | uint64(n), m.Time, nil, value})
		}
		out[len(out)-1].position |= 0xffff
	}
	return out
}

// unbundled reads the inputs of a message, written a second time.
func unbundled(message []byte) (inputs [][]byte) {
	rest, bundle := bytes.CutPrefix(message, []byte{0x84, 1})
	if !bundle {
		return [][]byte{message}
	}
	for len(rest) > 0 {
		size, n := binary.Uvarint(rest)
		inputs = append(inputs, rest[n:n+int(size)])
		rest = rest[n+int(size):]
	}
	return inputs
}

// isTick reports whether a message is an owner's tick, which expires.
func isTick(m *jetstream.RawStreamMsg) bool { return m.Header.Get("Livebridge-Tick") != "" }

// rowsOf returns the rows that lie in slots. None of a campaign is so large that it has parts.
func rowsOf(t *testing.T, slots []*jetstream.RawStreamMsg) (out []campaignRecord) {
	t.Helper()
	for _, m := range slots {
		name := m.Header.Get("Livebridge-Row")
		key, err := base64.RawURLEncoding.DecodeString(name)
		if err != nil || m.Header.Get("Livebridge-Part") != "" {
			t.Fatalf("%s has %v", m.Subject, m.Header)
		}
		if name != "" { // else the slot is free
			out = append(out, campaignRecord{m.Sequence, m.Time, key, m.Data})
		}
	}
	return out
}

// messages returns what the leader of a stream has under the subject that begins with its name; without a rest of it,
// everything. Replicas that are asked for it may lag.
func (n *natsCampaign) messages(name, rest string) []*jetstream.RawStreamMsg {
	n.t.Helper()
	subject := name + rest
	if rest == "" {
		subject = ">"
	}
	stream := natstest.Led(n.t, n.js, name)
	have := stream.CachedInfo().State
	var parts [16][]*jetstream.RawStreamMsg // read at the same time
	each := (have.LastSeq-have.FirstSeq)/uint64(len(parts)) + 1
	var work errgroup.Group
	for i := range parts {
		from := have.FirstSeq + uint64(i)*each
		work.Go(func() (err error) {
			parts[i], err = walk(n.t.Context(), stream, subject, from, from+each)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		n.t.Fatalf("read stream %s: %v", name, err)
	}
	return slices.Concat(parts[:]...)
}

// walk reads the messages of a stream from a sequence to before another one.
func walk(ctx context.Context, s jetstream.Stream, subject string, from, to uint64) (out []*jetstream.RawStreamMsg,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, campaignPatience)
	defer cancel()
	for from < to {
		m, err := s.GetMsg(ctx, from, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if m.Sequence < to {
			out = append(out, m)
		}
		from = m.Sequence + 1
	}
	return out, nil
}

// check has one server after the other lead the streams, and compares what they have.
func (n *natsCampaign) check(int) {
	n.t.Helper()
	uses := campaignStreams()
	delete(uses, "leases")
	for _, stream := range slices.Sorted(maps.Values(uses)) {
		begun := time.Now()
		var first []*jetstream.RawStreamMsg
		for i := range natstest.Servers {
			natstest.Lead(n.t, n.js, stream, natstest.Name(i), natstest.Servers)
			got := slices.DeleteFunc(n.messages(stream, ""), isTick)
			if i == 0 {
				first = got
				continue
			}
			n.compare(stream, i, first, got)
		}
		n.t.Logf("%d messages of %s, compared in %v", len(first), stream, time.Since(begun).Round(time.Millisecond))
	}
}

// compare fails the test where a server does not have what the first one has.
func (n *natsCampaign) compare(stream string, server int, first, got []*jetstream.RawStreamMsg) {
	n.t.Helper()
	if len(first) != len(got) {
		n.t.Errorf("stream %s has %d messages at %s and %d at %s", stream, len(first), natstest.Name(0), len(got),
			natstest.Name(server))
	}
	for k := range min(len(first), len(got)) {
		if !sameMessage(first[k], got[k]) {
			n.t.Errorf("stream %s differs:\n%+v at %s\n%+v at %s", stream, first[k], natstest.Name(0), got[k],
				natstest.Name(server))
			return
		}
	}
}

func sameMessage(a, b *jetstream.RawStreamMsg) bool {
	return a.Sequence == b.Sequence && a.Subject == b.Subject && a.Time.Equal(b.Time) && bytes.Equal(a.Data, b.Data) &&
		maps.EqualFunc(a.Header, b.Header, slices.Equal[[]string])
}
