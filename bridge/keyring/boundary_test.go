package keyring_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
	"livebridge/bridge/signature/diagnose"
)

// TestFirstUseIsLoggedAtOnce: not when the key comes back, and a key that was not used has no last use.
func TestFirstUseIsLoggedAtOnce(t *testing.T) {
	bubble(t, func(s *harness) {
		s.write("keys", keyOf("a"))
		s.watch(signature.Config{Skew: time.Minute, MaxAhead: time.Hour}, streamFile("keys"))
		c := signature.Claim{Kind: bridge.KindStream, Event: "PUBLISH", Domain: "a.example.com", App: "live", Stream: "x",
			Timestamp: "0946684800"}
		c.Sign = signature.Sign(bridge.SchemeHMAC, keyOf("a"), c)
		_, _, err := s.Ring().Verify(c, time.Now())
		s.must(err)
		time.Sleep(reloadTime)
		if logged := s.log.FilterMessage("key used for the first time").All(); len(logged) != 1 ||
			logged[0].ContextMap()["uses"] != uint64(1) {
			t.Errorf("told of %v", logged)
		}
		if active := s.log.FilterMessage("key added").All()[0].ContextMap(); active["uses"] != nil ||
			active["last_use"] != nil {
			t.Errorf("a key that was not used is logged as %v", active)
		}
	})
}

// TestEveryFileIsWarnedOf: each of several world-readable files is logged.
func TestEveryFileIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	all := []keyring.File{{Setting: "STREAM_KEY_FILE", Kind: bridge.KindStream},
		{Setting: "RECORD_KEY_FILE", Kind: bridge.KindRecord},
		{Setting: "RTC_KEY_FILE", Kind: bridge.KindRTCRecord}, {Setting: "KEYS_FILE"}}
	for i := range all {
		all[i].Path = filepath.Join(dir, all[i].Setting)
		text := keyOf("a")
		if all[i].Kind == 0 {
			text = "rules: [{domain: a.example.com, app: live, kind: stream, keys: [" + text + "]}]"
		}
		if err := os.WriteFile(all[i].Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for open := range 1 << len(all) {
		var want []string
		for i, f := range all {
			mode := os.FileMode(0o600)
			if open&(1<<i) != 0 {
				mode, want = 0o604, append(want, f.Setting+" "+f.Path)
			}
			if err := os.Chmod(f.Path, mode); err != nil {
				t.Fatal(err)
			}
		}
		core, logs := observer.New(zapcore.WarnLevel)
		if _, err := keyring.Open(keyring.Options{Files: all, Log: zap.New(core)}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range logs.FilterMessageSnippet("world-readable").All() {
			got = append(got, line.ContextMap()["setting"].(string)+" "+line.ContextMap()["path"].(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("warned of %q, want %q", got, want)
		}
	}
}

// TestLargestFile: a file of 1 MiB is read, and one with a byte more is not.
func TestLargestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	for more, want := range []string{"", "more than 1048576 bytes"} {
		text := keyOf("a") + "\n" + strings.Repeat("\n", 1<<20-41+more)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := keyring.Open(keyring.Options{Files: []keyring.File{
			{Setting: "STREAM_KEY_FILE", Path: path, Kind: bridge.KindStream}}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

// TestWarningBoundaries: a rule for snapshots without keys is not warned of; names that a letter of an event name
// makes ambiguous are, once domains are listed.
func TestWarningBoundaries(t *testing.T) {
	keys := "keys: [" + keyOf("a") + "]"
	for _, tt := range []struct {
		rules   string
		domains []string
		want    int
	}{
		{"  - {domain: a.example.com, app: live, kind: snapshot}\n", nil, 0},
		{"  - {domain: xa.example.com, app: live, kind: stream, " + keys +
			"}\n  - {domain: a.example.com, app: live, kind: stream, " + keys + "}\n", nil, 0},
		{"  - {domain: xa.example.com, app: live, kind: stream, " + keys +
			"}\n  - {domain: a.example.com, app: live, kind: stream, " + keys + "}\n",
			[]string{"a.example.com", "xa.example.com"}, 1},
	} {
		path := filepath.Join(t.TempDir(), "rules")
		if err := os.WriteFile(path, []byte("rules:\n"+tt.rules), 0o600); err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zapcore.WarnLevel)
		_, err := keyring.Open(keyring.Options{Config: signature.Config{Domains: tt.domains},
			Files: []keyring.File{{Setting: "KEYS_FILE", Path: path}}, Log: zap.New(core)})
		if err != nil || logs.Len() != tt.want {
			t.Errorf("%q, domains %q: %v, warned of %v", tt.rules, tt.domains, err, logs.All())
		}
	}
}

// TestLinesOfBrokenYAML are named where the library names them.
func TestLinesOfBrokenYAML(t *testing.T) {
	for file, want := range map[string]string{"rules:\n  - {domain: [\n": "near line 2: invalid YAML",
		"%" + secret: "invalid YAML"} {
		if _, err := keyring.ParseRules([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
}

// TestMetricsTwice: one registry has one keyring.
func TestMetricsTwice(t *testing.T) {
	o := keyring.Options{Config: signature.Config{Stream: []string{keyOf("a")}}, Registerer: prometheus.NewRegistry()}
	if _, err := keyring.Open(o); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("metrics were registered twice")
		}
	}()
	_, _ = keyring.Open(o)
}

// TestDoubtsNameTheSetting: a key that looks wrong is told with the setting that it comes from, a file's or its own.
func TestDoubtsNameTheSetting(t *testing.T) {
	quoted := func(letter string) string { return `"` + keyOf(letter) + `"` }
	path := filepath.Join(t.TempDir(), "stream")
	if err := os.WriteFile(path, []byte(quoted("a")), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := keyring.Open(keyring.Options{
		Config: signature.Config{RTC: []string{keyOf("b"), quoted("c")}},
		Files:  []keyring.File{{Setting: "STREAM_KEY_FILE", Path: path, Kind: bridge.KindStream}},
		Log:    zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	problem := diagnose.KeyProblem(quoted("a"))
	want := []keyring.SuspectKey{
		{Setting: "STREAM_KEY_FILE", Key: signature.KeyID(quoted("a")), Problem: problem},
		{Setting: "RTC_KEY", Key: signature.KeyID(quoted("c")), Problem: problem},
	}
	if got := k.SuspectKeys(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
