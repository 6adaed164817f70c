package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge"
)

// mistake is a wrong value of a setting, and how its error begins or a part of that.
type mistake struct{ name, value, want string }

// mistakes are given a file that there is not, and one with keys.
func mistakes(missing, leaky string) []mistake {
	return []mistake{
		{"MAX_BODY", "64 kilos", "LIVEBRIDGE_MAX_BODY: invalid size \"64 kilos\""},
		{"MAX_BODY", "0", "LIVEBRIDGE_MAX_BODY"},
		{"HOLD_DONE", "10", "LIVEBRIDGE_HOLD_DONE: invalid duration \"10\""},
		{"HOLD_NEXT", "-1s", "LIVEBRIDGE_HOLD_NEXT"},
		{"MAX_CONNECTIONS", "many", "LIVEBRIDGE_MAX_CONNECTIONS: invalid integer \"many\""},
		{"HELD_MAX", "0", "LIVEBRIDGE_HELD_MAX"},
		{"TRANSPORT", "rabbit", "LIVEBRIDGE_TRANSPORT"},
		{"KAFKA_PARTITIONS", "few", "LIVEBRIDGE_KAFKA_PARTITIONS"},
		{"EVENT_MODE", "xml", "LIVEBRIDGE_EVENT_MODE"},
		{"USER_ARGS", "hide", "LIVEBRIDGE_USER_ARGS"},
		{"UNSIGNED", "yes", "LIVEBRIDGE_UNSIGNED"},
		{"LOG_LEVEL", "loud", "LIVEBRIDGE_LOG_LEVEL"},
		{"IGNORE_STREAMS", "(", "LIVEBRIDGE_IGNORE_STREAMS"},
		{"PUBLISH_TYPES", "*.publish,[", "LIVEBRIDGE_PUBLISH_TYPES: invalid glob \"[\""},
		{"PUBLISH_TYPES", "*.stream.published", "LIVEBRIDGE_PUBLISH_TYPES: \"*.stream.published\" matches no event type"},
		{"PUBLISH_TYPES", "livebridge.*", "QUARANTINE_TOPIC"},
		{"PUBLISH_TYPES", ",", "LIVEBRIDGE_PUBLISH_TYPES: \"\" matches no event type"},
		{"SESSION_STALE_AFTER", "1h", "LIVEBRIDGE_SESSION_STALE_AFTER: without SESSION_EVENTS"},
		{"SESSION_EVENTS", "on", "LIVEBRIDGE_SESSION_EVENTS"},
		{"RECORD_SIGN_TYPE", "SHA1", "LIVEBRIDGE_RECORD_SIGN_TYPE"},
		{"DEDUPE_WINDOW", "1h", "LIVEBRIDGE_DEDUPE_WINDOW"},
		{"RTC_KEY", "tooshort", "LIVEBRIDGE_RTC_KEY: rtc-record key 1"},
		{"SNAPSHOT_TOKEN", "tooshort/x", "LIVEBRIDGE_SNAPSHOT_TOKEN: contains"},
		{"PATH_PREFIX", "/:tenant", "LIVEBRIDGE_PATH_PREFIX: \"/:tenant\""},
		{"STREAM_KEY", "", "LIVEBRIDGE_STREAM_KEY"},
		{"DOMAINS", "not a domain", "LIVEBRIDGE_DOMAINS: domain 1"},
		{"LISTEN", "8080", "LIVEBRIDGE_LISTEN"},
		{"ADMIN_LISTEN", "127.0.0.1:99999", "LIVEBRIDGE_ADMIN_LISTEN"},
		{"TLS_CERT_FILE", missing, "LIVEBRIDGE_TLS_CERT_FILE"},
		{"TLS_KEY_FILE", missing, "TLS_KEY_FILE"},
		{"TLS_CLIENT_CA_FILE", missing, "TLS_CLIENT_CA_FILE"},
		{"TRUSTED_PROXIES", "10.0.0.0/8,::/0", "LIVEBRIDGE_TRUSTED_PROXIES"},
		{"ALLOW_SOURCES", "192.0.2.0/24,example.com", "LIVEBRIDGE_ALLOW_SOURCES"},
		{"ALLOW_SOURCES", "192.0.2.7/24", "LIVEBRIDGE_ALLOW_SOURCES: invalid CIDR or IP address \"192.0.2.7/24\""},
		{"JOURNAL_MAX_BYTES", "1KiB", "LIVEBRIDGE_JOURNAL_MAX_BYTES"},
		{"NATS_URL", "nats://user:tooshort@host:x", "LIVEBRIDGE_NATS_URL"},
		{"NATS_URL", "nats://host:4222,http://tooshort@host", "LIVEBRIDGE_NATS_URL: server 2"},
		{"NATS_STREAM", "a b", "LIVEBRIDGE_NATS_STREAM"},
		{"NATS_SUBJECT_PREFIX", "a..b", "LIVEBRIDGE_NATS_SUBJECT_PREFIX"},
		{"QUARANTINE_TOPIC", "live.events.quarantine", "LIVEBRIDGE_QUARANTINE_TOPIC"},
		{"NATS_REPLICAS", "0", "LIVEBRIDGE_NATS_REPLICAS"},
		{"NATS_REPLICAS", "6", "LIVEBRIDGE_NATS_REPLICAS"},
		{"NATS_REPLICAS", "3", "LIVEBRIDGE_NATS_REPLICAS: 3 replicas need a cluster"},
		{"QUARANTINE_MAX_BYTES", "0", "LIVEBRIDGE_QUARANTINE_MAX_BYTES"},
		{"NATS_INBOX_PREFIX", "_INBOX.>", "LIVEBRIDGE_NATS_INBOX_PREFIX"},
		{"NATS_INBOX_PREFIX", "_INBOX.", "LIVEBRIDGE_NATS_INBOX_PREFIX"},
		{"NATS_INBOX_PREFIX", "$JS.inbox", "LIVEBRIDGE_NATS_INBOX_PREFIX"},
		{"NATS_INBOX_PREFIX", "live.events.inbox", "LIVEBRIDGE_NATS_INBOX_PREFIX"},
		{"NATS_INBOX_PREFIX", "live", "LIVEBRIDGE_NATS_INBOX_PREFIX"},
		{"NATS_CREDS_FILE", missing, "LIVEBRIDGE_NATS_CREDS_FILE"},
		{"NATS_NKEY_FILE", missing, "LIVEBRIDGE_NATS_NKEY_FILE"},
		{"NATS_TLS_CA_FILE", missing, "LIVEBRIDGE_NATS_TLS_CA_FILE"},
		{"NATS_TLS_CA_FILE", os.Args[0], "LIVEBRIDGE_NATS_TLS_CA_FILE"},
		{"NATS_TLS_CERT_FILE", missing, "LIVEBRIDGE_NATS_TLS_KEY_FILE: is empty"},
		{"NATS_TLS_KEY_FILE", missing, "LIVEBRIDGE_NATS_TLS_CERT_FILE: is empty"},
		{"STREAM_KEY_FILE", missing, "LIVEBRIDGE_STREAM_KEY"},
		{"RECORD_KEY_FILE", missing, "LIVEBRIDGE_RECORD_KEY_FILE"},
		{"KEYS_FILE", missing, "LIVEBRIDGE_KEYS_FILE"},
		{"KEYS_FILE", leaky, "LIVEBRIDGE_KEYS_FILE: " + leaky + ": line 2"},
	}
}

// TestMistakesAreNamed: every error says which setting, and none shows a key.
func TestMistakesAreNamed(t *testing.T) {
	missing, leaky := filepath.Join(t.TempDir(), "missing"), filepath.Join(t.TempDir(), "leaky")
	if err := os.WriteFile(leaky, []byte("rules:\n  - {domain: a.example.com, app: live, kind: stream, keys: ["+demoKey+
		", tooshort]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range mistakes(missing, leaky) {
		_, err := load(with(c.name, c.value))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
			continue
		}
		if strings.Contains(err.Error(), demoKey) || strings.Contains(err.Error(), "tooshort") {
			t.Errorf("%s=%q: the error shows a key: %v", c.name, c.value, err)
		}
		checkNamesSetting(t, err)
	}
}

// checkNamesSetting rejects errors of settings that are not each a *bridge.SettingError of one setting.
func checkNamesSetting(t *testing.T, err error) {
	t.Helper()
	if joined, many := err.(interface{ Unwrap() []error }); many {
		for _, one := range joined.Unwrap() {
			checkNamesSetting(t, one)
		}
		return
	}
	var usage *usageError
	if errors.As(err, &usage) && usage == err {
		checkNamesSetting(t, usage.err)
		return
	}
	setting, ok := err.(*bridge.SettingError)
	if !ok {
		t.Errorf("%T is no error of a setting: %v", err, err)
		return
	}
	name := strings.TrimSuffix(setting.Setting, "_FILE")
	if !slices.ContainsFunc((&settings{}).fields(),
		func(f field) bool { return f.name == name || f.name == setting.Setting }) {
		t.Errorf("%s is no setting: %v", setting.Setting, err)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := load(with("TRANSPORT", "x", "EVENT_MODE", "x", "DEDUPE_WINDOW", "1s", "HOLD_DONE", "5", "MAX_BODY", "x",
		"NATS_STREAM", "a b", "NATS_NKEY_FILE", "/missing"))
	for _, name := range []string{"TRANSPORT", "EVENT_MODE", "DEDUPE_WINDOW", "HOLD_DONE", "MAX_BODY", "NATS_STREAM",
		"NATS_NKEY_FILE"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not in %v", name, err)
		}
	}
}

// TestAllBadKeysAtOnce: so that nobody starts once for each.
func TestAllBadKeysAtOnce(t *testing.T) {
	rules, list := filepath.Join(t.TempDir(), "rules"), filepath.Join(t.TempDir(), "list")
	for path, text := range map[string]string{
		rules: "rules:\n- {domain: a.example.com, app: live, kind: stream, keys: [tooshort, tooshort]}\n" +
			"- {domain: a.example.com, app: live, kind: stream, keys: [tooshort]}\n- {domain: b, app: live, kind: record, " +
			"keys: [tooshort]}\n",
		list: "tooshort\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := load(with("STREAM_KEY", "tooshort,"+demoKey+",tooshort", "RTC_KEY", "tooshort", "RECORD_KEY_FILE", list,
		"KEYS_FILE", rules,
		"DOMAINS", "a b,a.example.com,c d", "SNAPSHOT_TOKEN", "a/b", "PATH_PREFIX", "a b"))
	if err == nil {
		t.Fatal("the settings were accepted")
	}
	for _, want := range []string{
		"STREAM_KEY: stream key 1", "STREAM_KEY: stream key 3", "RTC_KEY: rtc-record key 1",
		"RECORD_KEY_FILE: " + list + ": record key 1",
		"KEYS_FILE: " + rules + ": line 2: stream key 1", "KEYS_FILE: " + rules + ": line 2: stream key 2",
		"KEYS_FILE: " + rules + ": line 3: stream key 1",
		"KEYS_FILE: " + rules + ": line 3: same kind, domain and app as line 2",
		"KEYS_FILE: " + rules + ": line 4: record key 1",
		"DOMAINS: domain 1", "DOMAINS: domain 3", "SNAPSHOT_TOKEN: contains", "PATH_PREFIX: \"a b\"",
	} {
		if !strings.Contains("\n"+err.Error(), "\n"+prefix+want) {
			t.Errorf("%q begins no line of:\n%v", want, err)
		}
	}
	checkNamesSetting(t, err)
}

// TestBadCertificates: bad certificates are reported with the other mistakes.
func TestBadCertificates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".missing"} {
		_, err := load(with("TLS_CERT_FILE", file, "TLS_KEY_FILE", file, "TRANSPORT", "x"))
		if err == nil || !strings.Contains(err.Error(), "LIVEBRIDGE_TLS_CERT_FILE") || !strings.Contains(err.Error(), file) ||
			!strings.Contains(err.Error(), "LIVEBRIDGE_TRANSPORT") {
			t.Errorf("%s: %v", file, err)
		}
		checkNamesSetting(t, err)
	}
}
