package keyring_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// The three ways in which a file gets a new content.
func TestFilesChange(t *testing.T) {
	bubble(t, func(s *harness) {
		s.write("in-place", keyOf("a"))
		s.write("renamed", keyOf("b"))
		s.must(os.Mkdir(s.path("..1"), 0o700))
		s.write("..1/linked", "rules: [{domain: '*', app: '*', kind: stream, keys: ["+keyOf("c")+"]}]")
		s.must(os.Symlink("..1", s.path("..data")))
		s.must(os.Symlink("..data/linked", s.path("linked")))
		s.watch(signature.Config{}, streamFile("in-place"),
			keyring.File{Setting: "RTC_KEY_FILE", Path: "renamed", Kind: bridge.KindRTCRecord},
			keyring.File{Setting: "KEYS_FILE", Path: "linked"})
		s.expect("at first", "abc")

		s.write("in-place", keyOf("a")+"\n"+keyOf("d")+"\n")
		s.expect("rewritten in place", "adbc")

		s.write("new", keyOf("e"))
		s.must(os.Rename(s.path("new"), s.path("renamed")))
		s.expect("replaced by a rename", "adec")

		s.must(os.Mkdir(s.path("..2"), 0o700))
		s.write("..2/linked", "rules: [{domain: '*', app: '*', kind: stream, keys: ["+keyOf("f")+"]}]")
		s.must(os.Symlink("..2", s.path("..data_tmp")))
		s.must(os.Rename(s.path("..data_tmp"), s.path("..data")))
		s.must(os.RemoveAll(s.path("..1")))
		s.expect("the link swapped", "adef")

		if n := len(s.applied()); n != 3 {
			t.Errorf("%d rings were applied", n)
		}
		for _, setting := range []string{"STREAM_KEY_FILE", "RTC_KEY_FILE", "KEYS_FILE"} {
			if n := s.metric("livebridge_key_file_reloads_total", "success", setting); n != 1 {
				t.Errorf("%s: %v reloads", setting, n)
			}
		}
	})
}

// Whatever cannot be used leaves the keys as they are and raises the alarm, once; the next good content ends it.
func TestBadFilesKeepTheKeys(t *testing.T) {
	for name, spoil := range map[string]func(*harness){
		"emptied":     func(s *harness) { s.write("keys", "") },
		"blank":       func(s *harness) { s.write("keys", "\n \r\n") },
		"removed":     func(s *harness) { s.must(os.Remove(s.path("keys"))) },
		"a directory": func(s *harness) { s.must(os.Remove(s.path("keys"))); s.must(os.Mkdir(s.path("keys"), 0o700)) },
		"a broken link": func(s *harness) {
			s.must(os.Remove(s.path("keys")))
			s.must(
				os.Symlink("nowhere", s.path("keys")))
		},
		"a short key": func(s *harness) { s.write("keys", keyOf("b")+"\nshort") },
		"a long file": func(s *harness) { s.write("keys", strings.Repeat(keyOf("b")+"\n", 30_000)) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *harness) {
				s.write("keys", keyOf("a"))
				s.watch(signature.Config{}, streamFile("keys"))
				s.expect("at first", "a")
				if successful := s.metric("livebridge_key_file_last_reload_successful", "STREAM_KEY_FILE"); successful != 1 {
					t.Errorf("the load at the start: %v", successful)
				}
				spoil(s)
				s.expect("spoilt", "a")
				s.expect("still spoilt", "a")
				if successful := s.metric("livebridge_key_file_last_reload_successful", "STREAM_KEY_FILE"); successful != 0 {
					t.Errorf("the last reload: %v", successful)
				}
				if n := s.metric("livebridge_key_file_reloads_total", "failure", "STREAM_KEY_FILE"); n != 1 {
					t.Errorf("%v failed reloads", n)
				}
				alarms := s.log.FilterLevelExact(zapcore.ErrorLevel).All()
				if len(alarms) != 1 || !strings.Contains(alarms[0].ContextMap()["error"].(string), "STREAM_KEY_FILE") {
					t.Errorf("the alarms are %+v", alarms)
				}
				s.must(os.RemoveAll(s.path("keys")))
				s.write("keys", keyOf("a"))
				s.expect("as before", "a")
				successful := s.metric("livebridge_key_file_last_reload_successful", "STREAM_KEY_FILE")
				if successful != 1 || len(s.applied()) != 0 {
					t.Errorf("the last reload: %v, %d rings applied", successful, len(s.applied()))
				}
				s.write("keys", keyOf("b"))
				s.expect("good again", "b")
			})
		})
	}
}

// A file that is written in several steps counts only when it has come to rest: here each step would be a good file.
func TestHalfWrittenFile(t *testing.T) {
	bubble(t, func(s *harness) {
		s.write("keys", keyOf("a"))
		s.watch(signature.Config{}, streamFile("keys"))
		time.Sleep(100 * time.Millisecond)
		text := ""
		for _, letter := range []string{"b", "c", "d", "e", "f", "g"} {
			text += keyOf(letter) + "\n"
			s.write("keys", text)
			time.Sleep(400 * time.Millisecond)
			synctest.Wait()
			if len(s.applied()) > 0 {
				t.Fatalf("half a file is active at %s", letter)
			}
		}
		s.expect("at rest", "bcdefg")
		if len(s.applied()) != 1 {
			t.Errorf("%d rings were applied", len(s.applied()))
		}
	})
}

// One bad file does not keep another from changing.
func TestFilesChangeByThemselves(t *testing.T) {
	bubble(t, func(s *harness) {
		s.write("keys", keyOf("a"))
		s.write("rules", "rules: [{domain: '*', app: '*', kind: stream, keys: ["+keyOf("b")+"]}]")
		s.watch(signature.Config{}, streamFile("keys"), keyring.File{Setting: "KEYS_FILE", Path: "rules"})
		s.write("rules", "rules: ["+keyOf("x"))
		s.expect("one is spoilt", "ab")
		s.write("keys", keyOf("c"))
		s.expect("one of two", "cb")
		s.write("rules", "rules: [{domain: '*', app: '*', kind: stream, keys: ["+keyOf("d")+"]}]")
		s.expect("the other", "cd")
		for _, line := range s.log.All() {
			for _, value := range line.ContextMap() {
				if text, ok := value.(string); ok && strings.Contains(text, "xxxx") {
					t.Errorf("the log shows a key: %v", line)
				}
			}
		}
	})
}

// The usage of a key is in logs and metrics, and goes on when the ring changes.
func TestUseOfKeys(t *testing.T) {
	bubble(t, func(s *harness) {
		s.write("keys", keyOf("a")+"\n"+keyOf("b"))
		s.watch(signature.Config{Skew: time.Minute, MaxAhead: time.Hour}, streamFile("keys"))
		c := signature.Claim{Kind: bridge.KindStream, Event: "PUBLISH", Domain: "a.example.com", App: "live", Stream: "x",
			Timestamp: "0946684800"}
		use := func(letter string) {
			t.Helper()
			c.Sign = signature.Sign(bridge.SchemeHMAC, keyOf(letter), c)
			_, _, err := s.Ring().Verify(c, time.Now())
			s.must(err)
		}
		use("a")
		s.write("keys", keyOf("c")+"\n"+keyOf("a"))
		s.expect("b has gone", "ca")
		use("a")
		last := float64(bridge.MillisOf(time.Now())) / 1000
		if n, at := s.metric("livebridge_key_uses_total", ids("a"),
			"stream"), s.metric("livebridge_key_last_use_timestamp_seconds", ids("a"), "stream"); n != 2 || at != last {
			t.Errorf("%v uses, the last at %v, want 2, %v", n, at, last)
		}
		if n := s.metric("livebridge_key_last_use_timestamp_seconds", ids("c"), "stream"); n != 0 {
			t.Errorf("a key that was not used was used at %v", n)
		}
		s.write("keys", keyOf("c"))
		s.expect("a has gone", "c")
		s.write("keys", keyOf("c")+"\n"+keyOf("a"))
		s.expect("a is back, and its first use was told", "ca")
		for message, want := range map[string]string{"key added": "abca", "key removed": "ba",
			"key used for the first time": "a"} {
			var got []string
			for _, line := range s.log.FilterMessage(message).All() {
				got = append(got, line.ContextMap()["key"].(string))
			}
			if strings.Join(got, " ") != ids(want) {
				t.Errorf("%s: %q, want %q", message, got, ids(want))
			}
		}
		gone := s.log.FilterMessage("key removed").All()[1].ContextMap()
		if gone["uses"] != uint64(2) || gone["last_use"] != "2000-01-01T00:00:02.000Z" {
			t.Errorf("the last word on a key is %v", gone)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct{ content, want string }{
		"missing":  {"", "no such file"},
		"empty":    {"\n", "is empty"},
		"short":    {"short", "stream key 1 has 5 characters"},
		"line end": {keyOf("a") + "\x00", "control character"},
	} {
		path := filepath.Join(dir, name)
		if tt.content != "" {
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := keyring.Open(keyring.Options{Files: []keyring.File{
			{Setting: "STREAM_KEY_FILE", Path: path, Kind: bridge.KindStream}}})
		if err == nil || !strings.HasPrefix(err.Error(), "LIVEBRIDGE_STREAM_KEY_FILE: ") ||
			!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// warningCase is a configuration and what is warned of.
type warningCase struct {
	cfg   signature.Config
	rules string
	mode  os.FileMode
	want  string // a part of the warning; empty: none
	field string // a part of a field of it
}

// What is weak is logged at the start.
func TestWarnings(t *testing.T) {
	rule := func(app, rest string) string { return "  - {domain: a.example.com, app: " + app + ", " + rest + "}\n" }
	hmacKey := "keys: [" + keyOf("a") + "]"
	for name, tt := range map[string]warningCase{
		"nothing": {signature.Config{}, rule("live", "kind: record, "+hmacKey), 0o600, "", ""},
		"MD5": {signature.Config{Record: []string{keyOf("b")}, RecordScheme: bridge.SchemeMD5}, "", 0o600,
			"weak signature scheme", "RECORD_SIGN_TYPE"},
		"MD5 without keys": {signature.Config{RecordScheme: bridge.SchemeMD5}, "", 0o600, "", ""},
		"legacy rule": {signature.Config{}, rule("live", "kind: record, sign_type: HMACSHA256-LEGACY, "+hmacKey), 0o600,
			"weak signature scheme", "line 2"},
		"inherited": {signature.Config{RecordScheme: bridge.SchemeMD5}, rule("live", "kind: record, "+hmacKey), 0o600,
			"weak signature scheme", "line 2"},
		"strong in weak": {signature.Config{RecordScheme: bridge.SchemeMD5},
			rule("live", "kind: record, sign_type: HMACSHA256, "+hmacKey), 0o600, "", ""},
		"snapshot": {signature.Config{}, rule("live", "kind: snapshot, "+hmacKey), 0o600,
			"snapshot keys are not used", "line 2"},
		"alike": {signature.Config{}, rule("live", "kind: stream, "+hmacKey) +
			rule("live2", "kind: stream, "+hmacKey), 0o600, "are ambiguous", "line 3"},
		"for all to read": {signature.Config{}, rule("live", "kind: stream, "+hmacKey), 0o644, "world-readable",
			"KEYS_FILE"},
		"in quotes": {signature.Config{Stream: []string{`"` + keyOf("q") + `"`}}, "", 0o600, "probably malformed",
			"is in quotes"},
		"a name before it": {signature.Config{Stream: []string{"LIVEBRIDGE_STREAM_KEY=" + keyOf("n")}}, "", 0o600,
			"probably malformed", "variable name"},
		"quoted in a rule": {signature.Config{}, rule("live", `kind: stream, keys: ['"`+keyOf("a")+`"']`), 0o600,
			"probably malformed", "KEYS_FILE, line 2"},
		"for a group": {signature.Config{}, rule("live", "kind: stream, "+hmacKey), 0o640, "", ""},
	} {
		t.Run(name, func(t *testing.T) { tt.run(t) })
	}
}

func (tt warningCase) run(t *testing.T) {
	t.Helper()
	var files []keyring.File
	if path := filepath.Join(t.TempDir(), "rules"); tt.rules != "" {
		if err := errors.Join(os.WriteFile(path, []byte("rules:\n"+tt.rules), 0o600), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		files = []keyring.File{{Setting: "KEYS_FILE", Path: path}}
	}
	core, logs := observer.New(zapcore.WarnLevel)
	if _, err := keyring.Open(keyring.Options{Config: tt.cfg, Files: files, Log: zap.New(core)}); err != nil {
		t.Fatal(err)
	}
	all := logs.All()
	if tt.want == "" {
		if len(all) > 0 {
			t.Errorf("warned: %v", all)
		}
		return
	}
	if len(all) != 1 || !strings.Contains(all[0].Message, tt.want) {
		t.Fatalf("warned: %v", all)
	}
	var values []string
	for _, v := range all[0].ContextMap() {
		values = append(values, v.(string))
	}
	if !strings.Contains(strings.Join(values, "\n"), tt.field) {
		t.Errorf("said %q", values)
	}
}
