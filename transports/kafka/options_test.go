package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/transports/transporttest"
)

// TestMistakesAreNamed: each error says which setting, and none shows the password.
func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	garbage := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const password = "open sesame"
	for want, change := range map[string]func(o *Options){
		"KAFKA_BROKERS: is empty":                         func(o *Options) { o.Brokers = " , " },
		"KAFKA_BROKERS: invalid address \"localhost\"":    func(o *Options) { o.Brokers = "127.0.0.1:9092,localhost" },
		"KAFKA_TOPIC: is empty":                           func(o *Options) { o.Topic = "" },
		"KAFKA_TOPIC: invalid topic name \"live/events\"": func(o *Options) { o.Topic = "live/events" },
		"KAFKA_TOPIC: invalid topic name \"live.{room}\"": func(o *Options) { o.Topic = "live.{room}" },
		"KAFKA_TOPIC: topic name has 250":                 func(o *Options) { o.Topic = strings.Repeat("x", 250) },
		"KAFKA_TOPIC: invalid topic name \"..\"":          func(o *Options) { o.Topic = ".." },
		"QUARANTINE_TOPIC: invalid topic name \"a b\"":    func(o *Options) { o.Quarantine = "a b" },
		"QUARANTINE_TOPIC: \"live.ev":                     func(o *Options) { o.Quarantine = o.Topic },
		"KAFKA_PARTITIONS: 0":                             func(o *Options) { o.Partitions = 0 },
		"KAFKA_REPLICATION: 0":                            func(o *Options) { o.Replication = 0 },
		"KAFKA_COMPRESSION: \"lzma\"":                     func(o *Options) { o.Compression = "lzma" },
		"KAFKA_SASL: \"gssapi\"":                          func(o *Options) { o.SASL = "gssapi" },
		"KAFKA_USER: is empty":                            func(o *Options) { o.SASL = "plain" },
		"KAFKA_PASSWORD: is empty":                        func(o *Options) { o.SASL, o.User = "scram-sha-256", "me" },
		"KAFKA_PASSWORD: is not valid": func(o *Options) {
			o.SASL, o.User, o.Password = "scram-sha-512",
				"me", password+"\x00"
		},
		"KAFKA_SASL: is none":           func(o *Options) { o.User, o.Password = "me", password },
		"KAFKA_TLS: is false":           func(o *Options) { o.CAFile = garbage },
		"KAFKA_TLS_CA_FILE: " + garbage: func(o *Options) { o.TLS, o.CAFile = true, garbage },
		"KAFKA_TLS_CA_FILE: open":       func(o *Options) { o.TLS, o.CAFile = true, garbage+"x" },
		"KAFKA_TLS_CERT_FILE: is empty": func(o *Options) { o.TLS, o.KeyFile = true, garbage },
		"KAFKA_TLS_KEY_FILE: is empty":  func(o *Options) { o.TLS, o.CertFile = true, garbage },
		"KAFKA_TLS_CERT_FILE: cannot be used": func(o *Options) {
			o.TLS, o.CertFile, o.KeyFile = true, garbage,
				garbage
		},
	} {
		o := DefaultOptions()
		change(&o)
		p, err := Dial(o)
		if err == nil {
			transporttest.CloseSoon(p)
			t.Errorf("%q was not refused", want)
		} else if !strings.Contains(err.Error(), "LIVEBRIDGE_"+want) || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
