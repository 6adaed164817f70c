package nats

import (
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestDefaultsFitTenGiB: what we ask for by default fits a store of ten gibibytes.
func TestDefaultsFitTenGiB(t *testing.T) {
	t.Parallel()
	p := dial(t, quickOptions(natstest.Start(t, &server.Options{JetStreamMaxStore: 10 << 30}).URL))
	for _, e := range []*bridge.Event{natstest.Event("a", 1), natstest.Notice(1)} {
		if err := transporttest.Publish(t, p, e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnusableLimits names the setting, and whatever is mended at the server, publishing goes on by itself.
func TestUnusableLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  server.Options
		options func(*Options)
		stuck   *bridge.Event
		other   *bridge.Event // goes on; nil: nothing does
		names   []string
	}{
		"events above the store": {server.Options{JetStreamMaxStore: 4 << 30}, func(*Options) {}, natstest.Event("a", 1),
			natstest.Notice(1), []string{"LIVE_EVENTS", "NATS_MAX_BYTES", "8589934592"}},
		"quarantine above the store": {server.Options{JetStreamMaxStore: 8<<30 + 1<<20}, func(*Options) {},
			natstest.Notice(1), natstest.Event("a", 1), []string{"LIVE_QUARANTINE", "QUARANTINE_MAX_BYTES"}},
		"replicas": {server.Options{}, func(o *Options) { o.Replicas = 3 }, natstest.Event("a", 1), nil,
			[]string{"NATS_REPLICAS"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t, &c.server)
			o := quickOptions(s.URL)
			if c.other != nil && c.other.Quarantined() { // which stream comes first is open
				first := o
				first.MaxBytes = 1 << 20
				p := dial(t, first)
				if err := transporttest.Publish(t, p, natstest.Notice(9)); err != nil {
					t.Fatal(err)
				}
				transporttest.Close(t, p)
				if err := s.JetStream(t).DeleteStream(t.Context(), o.Stream); err != nil {
					t.Fatal(err)
				}
			} else if c.other != nil {
				natstest.Must(s.JetStream(t).CreateStream(t.Context(), eventsStream(&o).want))
			}
			c.options(&o)
			p := dial(t, o)
			natstest.AwaitUnavailable(t, p, c.stuck, c.names...)
			if c.other != nil {
				if err := transporttest.Publish(t, p, c.other); err != nil {
					t.Error(err)
				}
			}
			config := jetstream.StreamConfig{Name: o.streamOf(c.stuck), Subjects: []string{"live.events.>"}, MaxAge: time.Hour}
			if c.stuck.Quarantined() {
				config.Subjects = []string{"live.quarantine.>"}
			}
			natstest.Must(s.JetStream(t).CreateStream(t.Context(), config))
			if err := transporttest.Publish(t, p, c.stuck); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAccountLimits: those of an account are named likewise.
func TestAccountLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limits jwt.JetStreamLimits
		change func(*Options)
		stuck  *bridge.Event
		names  []string
	}{
		"storage": {jwt.JetStreamLimits{DiskStorage: 1 << 30}, nil, natstest.Event("a", 1),
			[]string{"NATS_MAX_BYTES"}},
		"a stream's size": {jwt.JetStreamLimits{DiskStorage: 20 << 30, DiskMaxStreamBytes: 1 << 30}, nil,
			natstest.Event("a", 1), []string{"NATS_MAX_BYTES"}},
		"the quarantine's size": {jwt.JetStreamLimits{DiskStorage: 20 << 30, DiskMaxStreamBytes: 1 << 20}, nil,
			natstest.Notice(1), []string{"QUARANTINE_MAX_BYTES"}},
		"size required": {jwt.JetStreamLimits{DiskStorage: 20 << 30, MaxBytesRequired: true},
			func(o *Options) { o.MaxBytes = 0 }, natstest.Event("a", 1), []string{"NATS_MAX_BYTES", "above 0"}},
		"streams": {jwt.JetStreamLimits{DiskStorage: 20 << 30, Streams: 1},
			func(o *Options) { o.Quarantine = "" }, natstest.Event("a", 1), []string{"limit of streams"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := accountServer(t, c.limits)
			if c.limits.Streams == 1 {
				natstest.Must(natstest.Connect(t, s.URL, natsgo.UserCredentials(o.CredsFile)).CreateStream(t.Context(),
					jetstream.StreamConfig{Name: "FIRST", Subjects: []string{"first"}}))
			}
			if c.change != nil {
				c.change(&o)
			}
			natstest.AwaitUnavailable(t, dial(t, o), c.stuck, c.names...)
		})
	}
}

// accountServer runs a server with an account of such limits, and returns options of a user of it.
func accountServer(t *testing.T, limits jwt.JetStreamLimits) (*natstest.Server, Options) {
	t.Helper()
	if limits.Streams == 0 {
		limits.Streams = jwt.NoLimit
	}
	limits.Consumer = jwt.NoLimit
	so, o := &server.Options{}, testOptions()
	operatorModeWith(t, so, &o, limits)
	s := natstest.Start(t, so)
	o.URL, o.CheckInterval = s.URL, 20*time.Millisecond
	return s, o
}

// TestEventsComeFirst: where there is room for one stream only, events get it.
func TestEventsComeFirst(t *testing.T) {
	t.Parallel()
	o := quickOptions(natstest.Start(t, &server.Options{JetStreamMaxStore: 10 << 30}).URL)
	o.QuarantineMaxBytes = 8 << 30
	p := dial(t, o)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	natstest.AwaitUnavailable(t, p, natstest.Notice(1), "QUARANTINE_MAX_BYTES")
}
