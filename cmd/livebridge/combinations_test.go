package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/transports/nats/embedded"
)

// together is some settings that must fit together; refused is the setting whose name begins the error, empty: they do
// fit.
type together struct {
	pairs   []string
	refused string
}

func fits(pairs ...string) together { return together{pairs, ""} }

func refused(setting string, pairs ...string) together { return together{pairs, setting} }

func (c together) check(t *testing.T) {
	t.Helper()
	_, err := load(with(c.pairs...))
	if c.refused == "" {
		if err != nil {
			t.Errorf("%q are refused: %v", c.pairs, err)
		}
		return
	}
	begins := regexp.MustCompile(`(?m)^` + prefix + c.refused + `\b`)
	if err == nil || !begins.MatchString(err.Error()) {
		t.Errorf("%q: %v; want an error of %s", c.pairs, err, c.refused)
	}
}

// TestSettingsTogether is both sides of the boundary of everything that depends on two settings.
func TestSettingsTogether(t *testing.T) {
	for _, group := range [][]together{windows(), sizes(), serverTLS(t), streams(), transports(), brokersTLS(t),
		identities()} {
		for _, c := range group {
			c.check(t)
		}
	}
}

// windows: identities are remembered for as long as a callback can be sent again.
func windows() []together {
	return []together{
		fits("DEDUPE_WINDOW", "25h", "RTC_MAX_AGE", "25h"),
		refused("DEDUPE_WINDOW", "DEDUPE_WINDOW", "25h", "RTC_MAX_AGE", "25h0m0.001s"),
		fits("DEDUPE_WINDOW", "2h", "RTC_MAX_AGE", "1h", "AUTH_SKEW", "30m", "AUTH_MAX_AHEAD", "90m"),
		refused("DEDUPE_WINDOW", "DEDUPE_WINDOW", "2h", "RTC_MAX_AGE", "1h", "AUTH_SKEW", "30m0.001s", "AUTH_MAX_AHEAD",
			"90m"),
		refused("DEDUPE_WINDOW", "DEDUPE_WINDOW", "2h", "RTC_MAX_AGE", "1h", "AUTH_SKEW", "30m", "AUTH_MAX_AHEAD",
			"90m0.001s"),
		refused("DEDUPE_WINDOW", "DEDUPE_WINDOW", "2h", "RTC_MAX_AGE", "1h", "AUTH_SKEW", "2h0.001s", "AUTH_MAX_AHEAD", "0s"),
		refused("DEDUPE_WINDOW", "DEDUPE_WINDOW", "2h", "RTC_MAX_AGE", "1h", "AUTH_SKEW", "0s", "AUTH_MAX_AHEAD", "2h0.001s"),
	}
}

// sizes: one body at least fits into the journal.
func sizes() []together {
	return []together{
		fits("JOURNAL_MAX_BYTES", "1MiB", "MAX_BODY", "1MiB"),
		refused("JOURNAL_MAX_BYTES", "JOURNAL_MAX_BYTES", "1048575", "MAX_BODY", "1MiB"),
		refused("JOURNAL_MAX_BYTES", "JOURNAL_MAX_BYTES", "1MiB", "MAX_BODY", "1048577"),
	}
}

// serverTLS: a certificate has a key, and asking for clients' certificates needs both.
func serverTLS(t *testing.T) []together {
	dir := t.TempDir()
	cert, key, another := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "another")
	certify(t, filepath.Join(dir, "x"), another)
	certify(t, cert, key)
	return []together{
		fits("TLS_CERT_FILE", cert, "TLS_KEY_FILE", key),
		fits("TLS_CERT_FILE", cert, "TLS_KEY_FILE", key, "TLS_CLIENT_CA_FILE", cert),
		refused("TLS_CERT_FILE", "TLS_CERT_FILE", cert),
		refused("TLS_CERT_FILE", "TLS_KEY_FILE", key),
		refused("TLS_CERT_FILE", "TLS_CLIENT_CA_FILE", cert),
		refused("TLS_CERT_FILE", "TLS_CERT_FILE", cert, "TLS_CLIENT_CA_FILE", cert),
		refused("TLS_CERT_FILE", "TLS_KEY_FILE", key, "TLS_CLIENT_CA_FILE", cert),
		refused("TLS_CERT_FILE", "TLS_CERT_FILE", cert, "TLS_KEY_FILE", another),
		refused("TLS_CLIENT_CA_FILE", "TLS_CERT_FILE", cert, "TLS_KEY_FILE", key, "TLS_CLIENT_CA_FILE", key),
	}
}

// streams: replicas need a cluster, and events and quarantine names of their own.
func streams() []together {
	return []together{
		fits("NATS_REPLICAS", "1"), refused("NATS_REPLICAS", "NATS_REPLICAS", "2"),
		fits("NATS_REPLICAS", "5", "NATS_URL", "nats://one:4222"),
		refused("NATS_REPLICAS", "NATS_REPLICAS", "6", "NATS_URL", "nats://one:4222"),
		refused("NATS_REPLICAS", "NATS_REPLICAS", "2", "TRANSPORT", "kafka"),
		fits("NATS_PARTITIONS", "1"), fits("NATS_PARTITIONS", "1024"), fits("NATS_PARTITIONS", "0"),
		refused("NATS_PARTITIONS", "NATS_PARTITIONS", "-1"), refused("NATS_PARTITIONS", "NATS_PARTITIONS", "1025"),
		refused("QUARANTINE_TOPIC", "QUARANTINE_TOPIC", "live.events"),
		refused("QUARANTINE_TOPIC", "QUARANTINE_TOPIC", "live.events.q"),
		refused("QUARANTINE_TOPIC", "QUARANTINE_TOPIC", "live"), fits("QUARANTINE_TOPIC", "live.eventsq"),
		fits("QUARANTINE_TOPIC", "live.event"),
		refused("QUARANTINE_TOPIC", "NATS_STREAM", "LIVE_QUARANTINE"),
		fits("NATS_STREAM", "LIVE_QUARANTINE", "QUARANTINE_TOPIC", ""),
		refused("QUARANTINE_TOPIC", "TRANSPORT", "kafka", "QUARANTINE_TOPIC", "live.events"),
		fits("TRANSPORT", "kafka", "QUARANTINE_TOPIC", "live.events.q"), fits("TRANSPORT", "kafka", "QUARANTINE_TOPIC", ""),
	}
}

// transports: a setting of the transport that is not used has no effect, unless it has its default.
func transports() []together {
	return []together{
		fits("KAFKA_BROKERS", "127.0.0.1:9092"), refused("KAFKA_BROKERS", "KAFKA_BROKERS", "127.0.0.1:9093"),
		fits("TRANSPORT", "nats", "KAFKA_CREATE_TOPIC", "true"), refused("KAFKA_CREATE_TOPIC", "KAFKA_CREATE_TOPIC", "false"),
		refused("KAFKA_PASSWORD", "KAFKA_PASSWORD", "secret"), refused("KAFKA_PARTITIONS", "KAFKA_PARTITIONS", "13"),
		fits("TRANSPORT", "kafka", "NATS_STREAM", "LIVE_EVENTS"),
		refused("NATS_STREAM", "TRANSPORT", "kafka", "NATS_STREAM", "OTHER"),
		refused("NATS_URL", "TRANSPORT", "kafka", "NATS_URL", "nats://one:4222"),
		refused("NATS_EMBEDDED_LISTEN", "TRANSPORT", "kafka", "NATS_EMBEDDED_LISTEN", "127.0.0.1:5222"),
	}
}

// brokersTLS: what we show to a broker are two files.
func brokersTLS(t *testing.T) []together {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	certify(t, cert, key)
	return []together{
		fits("NATS_TLS_CERT_FILE", cert, "NATS_TLS_KEY_FILE", key), fits("NATS_TLS_CA_FILE", cert),
		refused("NATS_TLS_KEY_FILE", "NATS_TLS_CERT_FILE", cert), refused("NATS_TLS_CERT_FILE", "NATS_TLS_KEY_FILE", key),
		refused("NATS_TLS_CERT_FILE", "NATS_TLS_CERT_FILE", key, "NATS_TLS_KEY_FILE", cert),
		fits("TRANSPORT", "kafka", "KAFKA_TLS", "true", "KAFKA_TLS_CERT_FILE", cert, "KAFKA_TLS_KEY_FILE", key,
			"KAFKA_TLS_CA_FILE", cert),
		refused("KAFKA_TLS_KEY_FILE", "TRANSPORT", "kafka", "KAFKA_TLS", "true", "KAFKA_TLS_CERT_FILE", cert),
		refused("KAFKA_TLS_CERT_FILE", "TRANSPORT", "kafka", "KAFKA_TLS", "true", "KAFKA_TLS_KEY_FILE", key),
		refused("KAFKA_TLS", "TRANSPORT", "kafka", "KAFKA_TLS_CA_FILE", cert),
		refused("KAFKA_TLS", "TRANSPORT", "kafka", "KAFKA_TLS_CERT_FILE", cert, "KAFKA_TLS_KEY_FILE", key),
		refused("KAFKA_TLS", "TRANSPORT", "kafka", "KAFKA_TLS_KEY_FILE", key),
		refused("KAFKA_TLS", "TRANSPORT", "kafka", "KAFKA_TLS_VERIFY", "ca"),
		refused("KAFKA_TLS", "TRANSPORT", "kafka", "KAFKA_TLS_SERVER_NAME", "kafka.example.com"),
		fits("TRANSPORT", "kafka", "KAFKA_TLS", "true", "KAFKA_TLS_VERIFY", "none", "KAFKA_TLS_SERVER_NAME",
			"kafka.example.com"),
		refused("KAFKA_TLS_VERIFY", "TRANSPORT", "kafka", "KAFKA_TLS", "true", "KAFKA_TLS_VERIFY", "CA"),
		fits("NATS_TLS_VERIFY", "ca", "NATS_TLS_SERVER_NAME", "nats.example.com"),
		refused("NATS_TLS_VERIFY", "NATS_TLS_VERIFY", "off"),
	}
}

// identities: who says who he is has a password.
func identities() []together {
	kafka := func(pairs ...string) []string { return append([]string{"TRANSPORT", "kafka"}, pairs...) }
	return []together{
		fits(kafka("KAFKA_SASL", "plain", "KAFKA_USER", "u", "KAFKA_PASSWORD", "p")...),
		refused("KAFKA_USER", kafka("KAFKA_SASL", "plain", "KAFKA_PASSWORD", "p")...),
		refused("KAFKA_PASSWORD", kafka("KAFKA_SASL", "plain", "KAFKA_USER", "u")...),
		refused("KAFKA_SASL", kafka("KAFKA_USER", "u")...),
		{[]string{"STREAM_KEY", "", "UNSIGNED", "accept"}, ""}, {[]string{"STREAM_KEY", "", "RECORD_KEY", demoKey}, ""},
		{[]string{"STREAM_KEY", "", "UNSIGNED", "refuse"}, "STREAM_KEY"},
	}
}

// TestBounds is both sides of what a number, a duration and a port may be.
func TestBounds(t *testing.T) {
	var cases []together
	for _, f := range (&settings{}).fields() {
		if _, is := f.value.(time.Duration); is {
			cases = append(cases, refused(f.name, f.name, "-1ns"))
		}
	}
	if len(cases) < 10 {
		t.Errorf("%d durations were found", len(cases))
	}
	for _, name := range []string{"MAX_CONNECTIONS", "HELD_PER_LANE", "HELD_MAX", "DEDUPE_MAX", "LANES_CACHED",
		"QUARANTINE_MAX", "DEAD_LETTERS_MAX"} {
		cases = append(cases, fits(name, "1"), refused(name, name, "0"), refused(name, name, "-1"))
	}
	for _, name := range []string{"LISTEN", "ADMIN_LISTEN"} {
		cases = append(cases, fits(name, "127.0.0.1:65535"), fits(name, ":0"), refused(name, name, ":65536"),
			refused(name, name, "x"), refused(name, name, ":-1"))
	}
	cases = append(cases, fits("TRUSTED_PROXIES", "128.0.0.0/1,::/1"),
		refused("TRUSTED_PROXIES", "TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"))
	for _, c := range cases {
		c.check(t)
	}
}

// TestEmbeddedServerOffLoopback: without a token nobody but this machine may reach the embedded server.
func TestEmbeddedServerOffLoopback(t *testing.T) {
	s, err := load(with("NATS_EMBEDDED_LISTEN", "0.0.0.0:0", "DATA_DIR", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := embedded.Start(s.embeddedOptions(), s.natsOptions(zap.NewNop()))
	if err == nil {
		_ = p.Close(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), prefix+"NATS_EMBEDDED_TOKEN") {
		t.Errorf("it starts: %v", err)
	}
}

// TestValueOrFile: every secret comes from the environment or from its file, never from both.
func TestValueOrFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(demoKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := 0
	for _, f := range (&settings{}).fields() {
		if !f.secret {
			continue
		}
		secrets++
		transport := "nats"
		if strings.HasPrefix(f.name, "KAFKA_") {
			transport = "kafka"
		}
		vars := with(f.name+"_FILE", path, "UNSIGNED", "accept", "TRANSPORT", transport)
		delete(vars, prefix+f.name)
		if _, err := load(vars); err != nil {
			t.Errorf("%s_FILE: %v", f.name, err)
		}
		vars[prefix+f.name] = demoKey
		if _, err := load(vars); err == nil || !strings.Contains(err.Error(), prefix+f.name+": is set") {
			t.Errorf("%s and its file: %v", f.name, err)
		}
		if keys := keySettings(); keys[f.name] == 0 {
			empty := with(f.name+"_FILE", os.DevNull, "UNSIGNED", "accept", "TRANSPORT", transport)
			delete(empty, prefix+f.name)
			if _, err := load(empty); err == nil || !strings.Contains(err.Error(), prefix+f.name+"_FILE: ") {
				t.Errorf("%s_FILE is empty: %v", f.name, err)
			}
		}
	}
	if secrets < 8 {
		t.Errorf("%d secrets were found", secrets)
	}
}

// TestEveryWorldReadableFile: each file that holds a secret is warned of by itself. The keyring warns of those of keys,
// and certificates are no secret.
func TestEveryWorldReadableFile(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	public := []string{"KEYS_FILE", "TLS_CERT_FILE", "TLS_CLIENT_CA_FILE", "NATS_TLS_CA_FILE", "NATS_TLS_CERT_FILE",
		"KAFKA_TLS_CA_FILE", "KAFKA_TLS_CERT_FILE"}
	vars := make(map[string]string)
	for _, f := range (&settings{}).fields() {
		name := f.name
		if f.secret {
			name += "_FILE"
		}
		if !strings.HasSuffix(name, "_FILE") {
			continue
		}
		vars[prefix+name] = open
		var want []string
		if keys := keySettings(); !slices.Contains(public, name) && keys[f.name] == 0 {
			want = []string{prefix + name}
		}
		if got := worldReadable(map[string]string{prefix + name: open}); !slices.Equal(got, want) {
			t.Errorf("%s: the errors are %q, want %q", name, got, want)
		}
	}
	if all := worldReadable(vars); len(all) != len(vars)-len(public)-len(keySettings()) {
		t.Errorf("all at once: the errors are %q", all)
	}
}
