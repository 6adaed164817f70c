package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/simulator"
)

// TestChosenBroker: only the configured transport is checked and reported.
func TestChosenBroker(t *testing.T) {
	for _, c := range []struct {
		pairs []string
		at    string
	}{
		{nil, "nats://127.0.0.1:4222"},
		{[]string{"NATS_EMBEDDED_LISTEN", "127.0.0.1:5222", "KAFKA_BROKERS", ""}, "nats://127.0.0.1:5222"},
		{[]string{"NATS_URL", "nats://one:4222"}, "nats://one:4222"},
		{[]string{"TRANSPORT", "kafka", "KAFKA_BROKERS", "two:9092"}, "two:9092"},
	} {
		s, err := load(with(c.pairs...))
		if err != nil {
			t.Errorf("%q: %v", c.pairs, err)
			continue
		}
		if got := s.transport().url(); got != c.at {
			t.Errorf("%q: events are at %s, not %s", c.pairs, got, c.at)
		}
	}
}

// TestTokenOfConsumers: the embedded server is shown its own token, another one NATS_TOKEN.
func TestTokenOfConsumers(t *testing.T) {
	t.Setenv(prefix+"NATS_EMBEDDED_TOKEN", "embedded-token")
	t.Setenv(prefix+"NATS_TOKEN", "cluster-token")
	for url, want := range map[string]string{"": "embedded-token", "nats://127.0.0.1:4222": "cluster-token"} {
		t.Setenv(prefix+"NATS_URL", url)
		s, err := processEnvironment().operatorSettings()
		if err != nil {
			t.Fatal(err)
		}
		o := s.natsOptions(zap.NewNop())
		if b, embedded := s.transport().(*embeddedTransport); embedded {
			o = b.consumerOptions(zap.NewNop(), b.url())
		}
		if o.Token != want {
			t.Errorf("NATS_URL=%s: the token is %s, not %s", url, o.Token, want)
		}
	}
}

// TestKeysOfSimulate: each kind is signed with the first key of its own, from the environment or from its file.
func TestKeysOfSimulate(t *testing.T) {
	keys := simulator.Keys{Stream: "stream" + demoKey, Record: "record" + demoKey, RTC: "rtc" + demoKey,
		SnapshotToken: "the-token",
		RecordScheme:  bridge.SchemeHMACLegacy}
	t.Setenv(prefix+"RECORD_SIGN_TYPE", "HMACSHA256-LEGACY")
	texts := map[string]string{"STREAM_KEY": keys.Stream, "RECORD_KEY": keys.Record, "RTC_KEY": keys.RTC,
		"SNAPSHOT_TOKEN": keys.SnapshotToken}
	for name, text := range texts {
		if name != "SNAPSHOT_TOKEN" {
			text += ",second" + demoKey
		}
		t.Setenv(prefix+name, text)
	}
	check := func() {
		t.Helper()
		got, kinds, err := signing(processEnvironment(), nil)
		if err != nil || got != keys || !slices.Equal(kinds, bridge.Kinds()) {
			t.Errorf("%+v, %v, %v; want %+v", got, kinds, err, keys)
		}
	}
	check()
	for name, text := range texts {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(prefix+name, "")
		t.Setenv(prefix+name+"_FILE", path)
	}
	check()
}

// TestListenAddresses: callbacks and operators have a port of their own.
func TestListenAddresses(t *testing.T) {
	s, err := load(with("LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", "127.0.0.2:0"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{settings: s, log: zap.NewNop()}
	if err := a.listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = a.callbackListener.Close(), a.adminListener.Close() })
	if c, o := a.callbackListener.Addr().String(), a.adminListener.Addr().String(); !strings.HasPrefix(c, "127.0.0.1:") ||
		!strings.HasPrefix(o, "127.0.0.2:") {
		t.Errorf("callbacks at %s, operators at %s", c, o)
	}
}

// TestLog: what is written, and in which form.
func TestLog(t *testing.T) {
	for _, c := range []struct{ level, format, want string }{
		{"info", "json", `{"level":"info"`}, {"warn", "json", ""}, {"info", "auto", `{"level":"info"`},
		{"debug", "console", "\tinfo\tsaid"},
	} {
		var text strings.Builder
		w := newLogWriter(&text)
		log, err := newLog(&settings{LogLevel: c.level, LogFormat: c.format}, w)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("said")
		w.close()
		if !strings.Contains(text.String(), c.want) || (c.want == "") != (text.Len() == 0) {
			t.Errorf("%+v: %s", c, text.String())
		}
	}
}
