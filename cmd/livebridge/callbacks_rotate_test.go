package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
	"livebridge/bridge/signature"
)

// rotated is two instances that read one key file, of which the first serves the public URL.
type rotated struct {
	*account
	first, second *program
	keys          string // the file
	pushes        int
}

func newRotated(t *testing.T) *rotated {
	t.Helper()
	r := &rotated{account: newAccount(t), keys: filepath.Join(t.TempDir(), "stream.keys")}
	if err := os.WriteFile(r.keys, []byte(emulatedKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := []string{prefix + "STREAM_KEY=", prefix + "STREAM_KEY_FILE=" + r.keys}
	r.first, r.second = launch(t, t.TempDir(), settings...), launch(t, t.TempDir(), settings...)
	r.must(t, "stream set "+emulatedDomain+" --key-env CALLBACK_KEY --url http://"+r.first.listen+"/live/stream")
	return r
}

// push plays a push of a stream of its own; every callback must be accepted.
func (r *rotated) push(t *testing.T) {
	t.Helper()
	r.pushes++
	done := r.Start(t.Context(), providertest.Push{Domain: emulatedDomain, App: "live",
		Stream: "room" + strings.Repeat("x", r.pushes)})
	if len(done) != 1 || done[0].Status != 200 || done[0].Err != nil {
		t.Fatalf("%+v", done)
	}
}

// rotate runs a phase of the rotation with both instances and returns what it tells.
func (r *rotated) rotate(t *testing.T, code int, line string) string {
	t.Helper()
	out, errOut, got := r.callbacks(t, append([]string{"rotate"}, strings.Fields(line+
		" --instance http://"+r.first.admin+",http://"+r.second.admin)...)...)
	if got != code || out != "" {
		t.Fatalf("%s: exit code %d, want %d: %s%s", line, got, code, out, errOut)
	}
	return errOut
}

// registeredKey is the key at the provider.
func (r *rotated) registeredKey() provider.Key { return r.Registered()[0].Key }

// TestRotate changes the key of a callback in three phases, each of them twice, while callbacks come: none is rejected,
// and the old key is gone in the end.
func TestRotate(t *testing.T) {
	t.Parallel()
	r := newRotated(t)
	file := filepath.Join(t.TempDir(), "new.key")
	r.push(t)
	for range 2 {
		told := r.rotate(t, exitDone, "begin stream --key-file "+file+" --add-to "+r.keys)
		if !strings.Contains(told, "is in force at every instance") {
			t.Errorf("begin: %s", told)
		}
		r.push(t)
	}
	key, err := processEnvironment().keyFrom(provider.KeyReference{File: file})
	if err != nil || key == emulatedKey || r.registeredKey() != emulatedKey {
		t.Fatalf("%v %v", key, err)
	}
	for _, want := range []string{"is registered, it was id:" + signature.KeyID(emulatedKey), "is registered already"} {
		if told := r.rotate(t, exitDone, "switch stream "+emulatedDomain+" --key-file "+file); !strings.Contains(told, want) {
			t.Errorf("switch: %s", told)
		}
	}
	if r.registeredKey() != key {
		t.Errorf("registered: %v", r.registeredKey())
	}
	end := "end stream --old " + signature.KeyID(emulatedKey) + " --idle 1ms"
	if told := r.rotate(t, exitFailed, end+" --wait 1ms"); !strings.Contains(told,
		"no callback has come signed with another") {
		t.Errorf("end: %s", told)
	}
	r.push(t)
	if told := r.rotate(t, exitDone, end); !strings.Contains(told, "is no longer used") {
		t.Errorf("end: %s", told)
	}
	for range 2 {
		if told := r.rotate(t, exitDone, end+" --remove-from "+r.keys); !strings.Contains(told, "the rotation is complete") {
			t.Errorf("end: %s", told)
		}
	}
	r.push(t)
	if text, err := os.ReadFile(r.keys); err != nil || string(text) != key.Reveal()+"\n" {
		t.Errorf("the file of keys has %d bytes, %v", len(text), err)
	}
}

// TestRotateChecksFirst: nothing is switched while an instance has not the key, or the public URL does not prove it.
func TestRotateChecksFirst(t *testing.T) {
	r := newRotated(t)
	t.Setenv("NEW_KEY", rotatedKey)
	told := r.rotate(t, exitFailed, "switch stream "+emulatedDomain+" --key-env NEW_KEY --wait 1ms")
	if !strings.Contains(told, "is not in force at http://"+r.first.admin) || !strings.Contains(told, "rotate begin") {
		t.Errorf("%s", told)
	}
	_, errOut, code := r.callbacks(t, "rotate", "switch", "stream", emulatedDomain, "--key-env", "NEW_KEY")
	if code != exitFailed || !strings.Contains(errOut, "nothing is switched") ||
		!strings.Contains(errOut, "a probe with the key "+signature.KeyID(rotatedKey)) {
		t.Errorf("%d %s", code, errOut)
	}
	told = r.rotate(t, exitFailed, "begin stream --key-env NEW_KEY --wait 1ms")
	if !strings.Contains(told, "is not in force at http://"+r.first.admin+", http://"+r.second.admin) {
		t.Errorf("%s", told)
	}
	if r.registeredKey() != emulatedKey {
		t.Errorf("registered: %v", r.registeredKey())
	}
}

// TestRotatePrintsAKey: without a file the new key is the only output, so that it can be piped into a secret.
func TestRotatePrintsAKey(t *testing.T) {
	out, told, code := runCommand(t, "callbacks", "rotate", "begin", "record")
	key := strings.TrimSuffix(out, "\n")
	if _, err := signature.NewRing(signature.Config{Record: []string{key}, RTC: []string{key},
		Stream: []string{key}}); err != nil {
		t.Error("not a key for every kind")
	}
	if code != exitDone || strings.Contains(told, key) || !strings.Contains(told, signature.KeyID(key)) {
		t.Errorf("%d %s", code, told)
	}
}

// TestRotateUsage: wrong usage names the flag, and the provider's failures are in its words.
func TestRotateUsage(t *testing.T) {
	r := newAccount(t)
	t.Setenv("SHORT_KEY", "short")
	for line, want := range map[string]string{
		"begin snapshot": "only those are signed with a key", "begin": "needs a KIND",
		"switch stream":                   "needs a KIND and one PLACE",
		"switch stream " + emulatedDomain: "set --key-file or --key-env",
		"switch stream " + emulatedDomain + " --key-env CALLBACK_KEY --no-probe": "set --instance",
		"begin stream --key-env SHORT_KEY":                                       "has 5 characters",
		"begin stream --key-env NO_SUCH": "environment variable NO_SUCH: " +
			"is empty",
		"begin stream --key-env CALLBACK_KEY --key-file x":                             "use one of",
		"end stream --old " + emulatedKey + " --instance http://127.0.0.1:1":           "8 hex digits",
		"end stream --old 0011aaff":                                                    "set --instance",
		"begin stream --key-env CALLBACK_KEY --wait 1ms --instance http://127.0.0.1:1": "does not answer",
		"switch stream " + emulatedDomain + " --key-env CALLBACK_KEY":                  "is not registered",
		"switch stream foreign.example.com --key-env CALLBACK_KEY":                     "Invalid request parameter",
		"switch rtc-record app1 --key-env CALLBACK_KEY":                                "is not registered",
		"begin stream --key-env CALLBACK_KEY --add-to /no/such/file":                   "--add-to /no/such/file",
	} {
		_, told, code := r.callbacks(t, append([]string{"rotate"}, strings.Fields(line)...)...)
		if code == exitDone || !strings.Contains(told, want) {
			t.Errorf("%s: %d %s", line, code, told)
		}
	}
	r.Fail(providertest.Throttled())
	if _, told, code := r.callbacks(t, "rotate", "switch", "stream", emulatedDomain, "--key-env",
		"CALLBACK_KEY"); code != exitFailed ||
		!strings.Contains(told, "status 429") {
		t.Errorf("%d %s", code, told)
	}
}
