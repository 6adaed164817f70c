package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/provider/providertest"
	"livebridge/bridge/signature"
	"livebridge/transports/nats"
)

// story is one user's way with the provider: an account there, a bridge, and its keys in a file.
type story struct {
	*account
	service *program
	data    string // DATA_DIR
	keys    string // the file

	mu        sync.Mutex
	delivered []providertest.Delivery
}

// newStory starts a provider and a bridge that accepts the first key.
func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{account: newAccount(t), data: t.TempDir(), keys: filepath.Join(t.TempDir(), "stream")}
	s.write(t, emulatedKey)
	s.launch(t)
	return s
}

// launch starts the bridge.
func (s *story) launch(t *testing.T, settings ...string) {
	t.Helper()
	s.service = launch(t, s.data, append(settings, prefix+"STREAM_KEY=", prefix+"STREAM_KEY_FILE="+s.keys,
		prefix+"RECORD_KEY="+emulatedKey, prefix+"RTC_KEY="+emulatedKey, prefix+"DOMAINS="+emulatedDomain,
		prefix+"SNAPSHOT_TOKEN=0123456789abcdef")...)
}

// write writes the keys of stream status.
func (s *story) write(t *testing.T, keys ...string) {
	t.Helper()
	if err := os.WriteFile(s.keys, []byte(strings.Join(keys, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// file writes the file of wanted callbacks, with every kind.
func (s *story) file(t *testing.T) string {
	t.Helper()
	return wantedFile(t, strings.ReplaceAll(`
callbacks:
  - {kind: stream, domain: push.example.com, url: URL/live/stream, key: {env: CALLBACK_KEY}}
  - {kind: record, domain: push.example.com, app: "*", url: URL/live/record, key: {env: RECORD_KEY}}
  - kind: snapshot
    domain: push.example.com
    app: live
    url: URL/live/snapshot/0123456789abcdef
    pictures: {interval: 10, bucket: pictures, location: cn-north-4}
  - {kind: rtc-record, app: 5fd6f2e5example, url: URL/rtc/record, key: {env: RECORD_KEY}}
`, "URL", "http://"+s.service.listen))
}

// keep keeps what the provider has delivered; all of it must be answered 200.
func (s *story) keep(t *testing.T, done []providertest.Delivery) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range done {
		if d.Status != http.StatusOK && !d.Lost {
			t.Errorf("%v %s: status %d, %v", d.Lane, d.Event, d.Status, d.Err)
		}
	}
	s.delivered = append(s.delivered, done...)
}

// push plays whole pushes of a stream.
func (s *story) push(t *testing.T, stream string, p providertest.Push) {
	t.Helper()
	p.Domain, p.App, p.Stream, p.Record, p.Pictures = emulatedDomain, "live", stream, true, 1
	s.keep(t, s.Start(t.Context(), p))
	s.keep(t, s.End(t.Context(), p.Domain, p.App, p.Stream))
}

// judge reads the events until all that was delivered has come, and lets the checker judge them.
func (s *story) judge(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := newProvider()
	for n, d := range s.delivered {
		o := checker.Occurrence{Kind: d.Lane.Kind.String(), Subject: d.Lane.Subject(), Event: d.Event, Name: d.Name}
		if d.Lane.Kind == bridge.KindStream {
			o.Session = bridge.Millis(1000 * d.Session)
		}
		if !d.Lost {
			p.sent = append(p.sent, checker.Sent{Number: uint64(n), Status: d.Status, Occurrence: o})
		}
	}
	p.judge(t, s.service.nats)
}

// load pushes streams until the test has gone on.
func (s *story) load(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var loads sync.WaitGroup
	for n := range 4 {
		loads.Go(func() {
			for i := 0; ctx.Err() == nil; i++ { // one push each: those of one stream are a second apart
				s.push(t, fmt.Sprintf("loaded%d-%d", n, i), providertest.Push{})
			}
		})
	}
	return func() { cancel(); loads.Wait() }
}

// rotate changes the key of stream status while streams are pushed: first the bridge accepts both, then the provider
// signs with the new one, then the bridge forgets the old one.
func (s *story) rotate(t *testing.T, file string) {
	t.Helper()
	stop := s.load(t)
	defer stop()
	before, instance := s.count(), " --instance http://"+s.service.admin
	until(t, "the old key is used under load", func() bool { return s.count() > before+20 })
	key := filepath.Join(t.TempDir(), "new.key")
	s.must(t, "rotate begin stream --key-file "+key+" --add-to "+s.keys+instance)
	s.must(t, "rotate switch stream push.example.com --key-file "+key+instance)
	before = s.count()
	until(t, "the new key is used under load", func() bool { return s.count() > before+20 })
	s.must(t, "rotate end stream --idle 100ms --old "+signature.KeyID(emulatedKey)+" --remove-from "+s.keys+instance)

	content, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	s.settings = append(s.settings, "CALLBACK_KEY="+strings.TrimSpace(string(content)))
	s.must(t, "diff -f "+file)
}

// count returns how many callbacks were delivered.
func (s *story) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.delivered)
}

// lose restarts the bridge with reconciliation, at another URL that is registered in place of the old one, and loses
// the start of a push.
func (s *story) lose(t *testing.T) {
	t.Helper()
	s.service.kill()
	s.service.end(t)
	s.launch(t, prefix+"PROVIDER_ENDPOINT="+s.url, prefix+"RECONCILE_INTERVAL=50ms", prefix+"RECONCILE_GRACE=200ms",
		prefix+"RECONCILE_EVENTS=true")
	s.must(t, "apply --yes -f "+s.file(t))
	s.Lose(func(d providertest.Delivery) bool { return d.Event == "PUBLISH" })
	s.keep(t, s.Start(t.Context(), providertest.Push{Domain: emulatedDomain, App: "live", Stream: "lost"}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o := nats.DefaultOptions()
	o.URL = s.service.nats
	err := nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error {
		e, err := checker.ParseEvent(r.Payload)
		if err == nil && e.Type == "com.huaweicloud.live.session.missed" && e.Subject == emulatedDomain+"/live/lost" {
			return errAllThere
		}
		return err
	})
	if !errors.Is(err, errAllThere) {
		t.Errorf("the missed session is not reported: %v", err)
	}
}

// TestTheWholeStory registers callbacks at the provider, pushes streams, reads their events in order, changes a key
// under load, loses a callback and finds it missing, and deletes the callbacks.
func TestTheWholeStory(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.settings = append(s.settings, "RECORD_KEY="+emulatedKey)
	file := s.file(t)
	s.must(t, "apply --yes -f "+file)
	s.must(t, "diff -f "+file)
	for n, p := range []providertest.Push{
		{}, {Disorder: true}, {Repeat: true}, {Twin: true}, {Disorder: true, Repeat: true, Twin: true},
	} {
		s.push(t, fmt.Sprint("room", n), p)
	}
	s.keep(t, s.RecordRTC(t.Context(), "5fd6f2e5example", "meeting", "room0"))
	s.judge(t)

	s.rotate(t, file)
	s.judge(t)
	s.lose(t)

	s.must(t, "apply --yes -f "+wantedFile(t, "domains: [push.example.com]\ncallbacks: []\n"))
	after := providertest.Push{Domain: emulatedDomain, App: "live", Stream: "after", Record: true}
	if done := s.Start(t.Context(), after); len(done) > 0 {
		t.Errorf("callbacks after their deletion: %+v", done)
	}
}
