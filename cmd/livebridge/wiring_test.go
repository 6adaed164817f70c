package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/certificate"
	"livebridge/bridge/ingress"
	"livebridge/bridge/journal"
	"livebridge/bridge/keyring"
	"livebridge/bridge/provider"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/signature"
	"livebridge/transports/kafka"
	"livebridge/transports/nats"
	"livebridge/transports/nats/embedded"
)

// values are the texts of all settings, and which of them a test has asked for.
type values struct {
	t     *testing.T
	texts map[string]string
	asked map[string]bool
}

// ownValues gives every setting a value that no other has, and that is not its default.
func ownValues(t *testing.T) *values {
	choices := map[string]string{"TRANSPORT": "kafka", "EVENT_MODE": "binary", "UNSIGNED": "accept",
		"SIGNATURE_REUSE":  "accept",
		"RECORD_SIGN_TYPE": "MD5", "LOG_LEVEL": "debug", "LOG_FORMAT": "console", "USER_ARGS": "drop", "CLIENT_IP": "redact",
		"PUBLISH_TYPES":      "*.stream.publish,*.file_complete",
		"KAFKA_CREATE_TOPIC": "false", "INTAKE": "broker", "INTAKE_FALLBACK": "refuse", "RECONCILE_EVENTS": "true",
		"KAFKA_TLS": "true", "SESSION_EVENTS": "true"}
	v := &values{t, make(map[string]string), make(map[string]bool)}
	for i, f := range (&settings{}).fields() {
		text := choices[f.name]
		switch f.value.(type) {
		case string:
			text = cmp.Or(text, "own-"+f.name)
		case int, size:
			text = strconv.Itoa(100 + i)
		case time.Duration:
			text = fmt.Sprintf("%ds", 100+i)
		case []network:
			text = fmt.Sprintf("10.%d.0.0/16,192.0.2.%d", i, i)
		case []string:
			text = cmp.Or(text, fmt.Sprintf("one-%d.example.com,two-%d.example.com", i, i))
		}
		if text == "" {
			t.Errorf("%s has a type that this test knows no value of: %T", f.name, f.value)
		}
		v.texts[f.name] = text
	}
	return v
}

// defaultValues are what the settings are when nobody sets them.
func defaultValues(t *testing.T) *values {
	v := &values{t, make(map[string]string), make(map[string]bool)}
	for field := range reflect.TypeFor[settings]().Fields() {
		if name := field.Tag.Get("env"); name != "" {
			v.texts[name] = field.Tag.Get("envDefault")
		}
	}
	return v
}

func (v *values) text(name string) string {
	text, found := v.texts[name]
	if !found {
		v.t.Fatalf("there is no setting %s", name)
	}
	v.asked[name] = true
	return text
}

func (v *values) is(name, value string) bool { return v.text(name) == value }

func (v *values) number(name string) int {
	n, err := strconv.Atoi(v.text(name))
	if err != nil {
		v.t.Fatal(err)
	}
	return n
}

// types are those that "*.stream.publish,*.file_complete" selects.
func (v *values) types(name string) bridge.TypeSet {
	if v.text(name) == "" {
		return nil
	}
	return bridge.TypeSet{"com.huaweicloud.live.stream.publish": true, "com.huaweicloud.live.record.file_complete": true,
		"com.huaweicloud.rtc.record.file_complete": true, bridge.TypeQuarantined: true}
}

func (v *values) bytes(name string) int64 {
	var s size
	if err := s.UnmarshalText([]byte(v.text(name))); err != nil {
		v.t.Fatal(err)
	}
	return int64(s)
}

func (v *values) span(name string) time.Duration {
	d, err := time.ParseDuration(v.text(name))
	if err != nil {
		v.t.Fatal(err)
	}
	return d
}

func (v *values) list(name string) []string {
	if v.text(name) == "" {
		return nil
	}
	return strings.Split(v.text(name), ",")
}

func (v *values) networks(name string) (out []netip.Prefix) {
	for _, text := range v.list(name) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			p = netip.PrefixFrom(netip.MustParseAddr(text), 32)
		}
		out = append(out, p)
	}
	return out
}

func (v *values) disposal(name string) callback.Redaction {
	return map[string]callback.Redaction{"keep": callback.Keep, "redact": callback.Redact,
		"drop": callback.Drop}[v.text(name)]
}

// settings parses the values, each by itself: all at once would not fit together.
func (v *values) settings() *settings {
	vars := make(map[string]string)
	for name, text := range v.texts {
		vars[prefix+name] = text
	}
	s := &settings{}
	for _, err := range parse(s, vars) {
		if err != nil {
			v.t.Fatal(err)
		}
	}
	s.keyFiles = keyFiles(vars)
	return s
}

// elsewhere are the settings that end up in no options, with the test that sees what they do.
func elsewhere() map[string]string {
	return map[string]string{
		"TRANSPORT": "TestChosenBroker", "LISTEN": "TestListenAddresses", "ADMIN_LISTEN": "TestListenAddresses",
		"SHUTDOWN_DELAY": "TestShutdownDelay", "SHUTDOWN_GRACE": "TestStopsWithoutABroker", "LOG_LEVEL": "TestLog",
		"LOG_FORMAT": "TestLog", "INTAKE": "TestIntake", "INTAKE_FALLBACK": "TestIntake", "INTAKE_BUDGET": "TestIntake",
		"INTAKE_GROUP": "TestReplicas",
	}
}

// TestEverySettingArrives gives every setting a value of its own and compares whole what it becomes: a setting that is
// wired to another's option fails, and so does a new one that has no line here.
func TestEverySettingArrives(t *testing.T) {
	for name, v := range map[string]*values{"own values": ownValues(t), "defaults": defaultValues(t)} {
		t.Run(name, func(t *testing.T) {
			s := v.settings()
			same(t, s.natsOptions(zap.NewNop()), natsWanted(v))
			same(t, s.embeddedOptions(), embedded.Options{StoreDir: filepath.Join(v.text("DATA_DIR"), "nats"),
				Listen: v.text("NATS_EMBEDDED_LISTEN"), Token: v.text("NATS_EMBEDDED_TOKEN")})
			same(t, s.kafkaOptions(zap.NewNop()), kafkaWanted(v))
			same(t, s.journalOptions(), journalWanted(v))
			same(t, s.ingressConfig(), ingressWanted(v))
			same(t, s.signatures(), signaturesWanted(v))
			same(t, s.reconcileOptions(), reconcileWanted(v))
			same(t, s.providerConfig(), provider.Config{Region: v.text("PROVIDER_REGION"), Project: v.text("PROVIDER_PROJECT"),
				Endpoint: v.text("PROVIDER_ENDPOINT"), Limit: s.providerConfig().Limit})
			same(t, s.certificate(), certificate.Options{CertFile: v.text("TLS_CERT_FILE"), KeyFile: v.text("TLS_KEY_FILE"),
				ClientCAFile: v.text("TLS_CLIENT_CA_FILE")})
			var files []keyring.File
			if path := v.text("KEYS_FILE"); path != "" {
				files = append(files, keyring.File{Setting: prefix + "KEYS_FILE", Path: path})
			}
			if !slices.Equal(s.keyFiles, files) {
				t.Errorf("the files of keys are %+v, not %+v", s.keyFiles, files)
			}
			for _, f := range s.fields() {
				if test := elsewhere()[f.name]; !v.asked[f.name] && (test == "" || !hasTest(t, "cmd/livebridge", test)) {
					t.Errorf("%s: no options are compared with it; give it a line here, or in elsewhere a test that is there", f.name)
				}
			}
		})
	}
}

func natsWanted(v *values) nats.Options {
	return nats.Options{
		URL: v.text("NATS_URL"), Stream: v.text("NATS_STREAM"), SubjectPrefix: v.text("NATS_SUBJECT_PREFIX"),
		Quarantine: v.text("QUARANTINE_TOPIC"), Replicas: v.number("NATS_REPLICAS"), Partitions: v.number("NATS_PARTITIONS"),
		SessionEvents: v.is("RECONCILE_EVENTS", "true") || v.is("SESSION_EVENTS", "true"),
		MaxAge:        v.span("NATS_MAX_AGE"),
		MaxBytes:      v.bytes("NATS_MAX_BYTES"), QuarantineMaxBytes: v.bytes("QUARANTINE_MAX_BYTES"),
		Dedupe: v.span("DEDUPE_WINDOW"), InboxPrefix: v.text("NATS_INBOX_PREFIX"), Binary: v.is("EVENT_MODE", "binary"),
		CredsFile: v.text("NATS_CREDS_FILE"), NKeyFile: v.text("NATS_NKEY_FILE"), User: v.text("NATS_USER"),
		Password: v.text("NATS_PASSWORD"), Token: v.text("NATS_TOKEN"), CAFile: v.text("NATS_TLS_CA_FILE"),
		CertFile: v.text("NATS_TLS_CERT_FILE"), KeyFile: v.text("NATS_TLS_KEY_FILE"),
		TLSVerify: v.text("NATS_TLS_VERIFY"), TLSServerName: v.text("NATS_TLS_SERVER_NAME"), AckTimeout: 5 * time.Second,
	}
}

func kafkaWanted(v *values) kafka.Options {
	return kafka.Options{
		Brokers: v.text("KAFKA_BROKERS"), Topic: v.text("KAFKA_TOPIC"), Quarantine: v.text("QUARANTINE_TOPIC"),
		Create: v.is("KAFKA_CREATE_TOPIC", "true"), Partitions: v.number("KAFKA_PARTITIONS"),
		Replication: v.number("KAFKA_REPLICATION"), Dedupe: v.span("DEDUPE_WINDOW"), Binary: v.is("EVENT_MODE", "binary"),
		Compression: v.text("KAFKA_COMPRESSION"), SASL: v.text("KAFKA_SASL"), User: v.text("KAFKA_USER"),
		Password: v.text("KAFKA_PASSWORD"), TLS: v.is("KAFKA_TLS", "true"), CAFile: v.text("KAFKA_TLS_CA_FILE"),
		CertFile: v.text("KAFKA_TLS_CERT_FILE"), KeyFile: v.text("KAFKA_TLS_KEY_FILE"),
		TLSVerify: v.text("KAFKA_TLS_VERIFY"), TLSServerName: v.text("KAFKA_TLS_SERVER_NAME"), AckTimeout: 5 * time.Second,
	}
}

func journalWanted(v *values) journal.Options {
	return journal.Options{
		Dir: v.text("DATA_DIR"),
		Limits: sequencer.Limits{HoldDone: v.span("HOLD_DONE"), HoldNext: v.span("HOLD_NEXT"),
			PerLane: v.number("HELD_PER_LANE")},
		HeldMax: v.number("HELD_MAX"), DedupeWindow: v.span("DEDUPE_WINDOW"), DedupeMax: uint64(v.number("DEDUPE_MAX")),
		LanesCached: v.number("LANES_CACHED"), SignatureReuse: v.is("SIGNATURE_REUSE", "accept"),
		MaxBytes: uint64(v.bytes("JOURNAL_MAX_BYTES")), MinFreeBytes: uint64(v.bytes("MIN_FREE_BYTES")),
		QuarantineMax: v.number("QUARANTINE_MAX"), DeadLettersMax: v.number("DEAD_LETTERS_MAX"), OutboxMemory: 65_536,
		OpenFiles: 1000, Keep: v.span("JOURNAL_KEEP"), KeepBytes: uint64(v.bytes("JOURNAL_KEEP_BYTES")),
		QuarantineMaxAge: v.span("QUARANTINE_MAX_AGE"), PublishQuarantine: v.text("QUARANTINE_TOPIC") != "",
		Types: v.types("PUBLISH_TYPES"), SessionEvents: v.is("SESSION_EVENTS", "true"),
		SessionStaleAfter: v.span("SESSION_STALE_AFTER"),
	}
}

func ingressWanted(v *values) ingress.Config {
	c := ingress.Config{
		PathPrefix: v.text("PATH_PREFIX"),
		Rules: ingress.Rules{
			MaxBody: v.bytes("MAX_BODY"), SnapshotToken: v.text("SNAPSHOT_TOKEN"), DomainsListed: v.text("DOMAINS") != "",
			Policy: callback.Policy{UserArgs: v.disposal("USER_ARGS"), ClientIP: v.disposal("CLIENT_IP")},
		},
		TrustedProxies: v.networks("TRUSTED_PROXIES"), AllowSources: v.networks("ALLOW_SOURCES"),
		MaxConnections: v.number("MAX_CONNECTIONS"), MaxHeader: 16 << 10,
		HeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 75 * time.Second,
		RetryAfter:  5 * time.Second,
	}
	if pattern := v.text("IGNORE_STREAMS"); pattern != "" {
		c.IgnoreStreams = regexp.MustCompile(pattern)
	}
	return c
}

func signaturesWanted(v *values) signature.Config {
	return signature.Config{
		Stream: v.list("STREAM_KEY"), Record: v.list("RECORD_KEY"), RTC: v.list("RTC_KEY"),
		RecordScheme: map[string]bridge.Scheme{"MD5": bridge.SchemeMD5,
			"HMACSHA256": bridge.SchemeHMAC}[v.text("RECORD_SIGN_TYPE")],
		AcceptUnsigned: v.is("UNSIGNED", "accept"), Domains: v.list("DOMAINS"),
		Skew: v.span("AUTH_SKEW"), MaxAhead: v.span("AUTH_MAX_AHEAD"), RTCMaxAge: v.span("RTC_MAX_AGE"),
	}
}

// same compares what can be set from outside of two options, but for functions and what the program gives every part of
// itself: its log, its metrics and its disk.
func same[Options any](t *testing.T, got, want Options) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		field := g.Type().Field(i)
		if !field.IsExported() || field.Type.Kind() == reflect.Func ||
			slices.Contains([]string{"Log", "Registerer", "FS"}, field.Name) {
			continue
		}
		if a, b := g.Field(i).Interface(), w.Field(i).Interface(); !reflect.DeepEqual(a, b) {
			t.Errorf("%T.%s is %v, not %v", got, field.Name, a, b)
		}
	}
}
