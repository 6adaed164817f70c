package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runCommand runs a command line and returns what it prints and its exit code.
func runCommand(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code = run(ctx, args, processEnvironment(), &o, &e)
	return o.String(), e.String(), code
}

// unset removes a variable until the test ends.
func unset(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConfigPrintsInvalidSettings: whoever mistypes one value sees it beside all others, and then every mistake.
func TestConfigPrintsInvalidSettings(t *testing.T) {
	t.Setenv(prefix+"MAX_BODY", "64 kilos")
	t.Setenv(prefix+"TRANSPORT", "rabbit")
	t.Setenv(prefix+"HOLD_DONE", "4s")
	t.Setenv(prefix+"RTC_KEY", "tooshort")
	t.Setenv(prefix+"DOMAIN", "push.example.com")
	t.Setenv(prefix+"ALLOW_SOURCES", "192.0.2.7,2001:db8::/32")
	out, errOut, code := runCommand(t, "config")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		prefix + "MAX_BODY=64 kilos # environment, default 64KiB",
		prefix + "TRANSPORT=rabbit # environment, default nats",
		prefix + "HOLD_DONE=4s # environment, default 10s",
		prefix + "RTC_KEY=(set, not shown) # environment",
		prefix + "HOLD_NEXT=3s # default",
		prefix + "TRUSTED_PROXIES= # default",
		prefix + "ALLOW_SOURCES=192.0.2.7/32,2001:db8::/32 # environment",
		"# Address of the port for callbacks.\n" + prefix + "LISTEN=:8080 # default",
		"# " + prefix + "DOMAIN is no setting and is ignored",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for _, want := range []string{prefix + "MAX_BODY: invalid size", prefix + "TRANSPORT: invalid", prefix + "RTC_KEY: "} {
		if !strings.Contains(errOut, want) || strings.Contains(out, want) {
			t.Errorf("%q is not on standard error alone:\n%s", want, errOut)
		}
	}
	if strings.Contains(out+errOut, "tooshort") {
		t.Error("a key is shown")
	}
}

// TestConfigAsJSONIsEmpty: a list of nothing is a list.
func TestConfigAsJSONIsEmpty(t *testing.T) {
	t.Setenv(prefix+"STREAM_KEY", demoKey)
	if out, errOut, code := runCommand(t, "config", "--output", "json"); !strings.Contains(out, `"unknown":[]`) {
		t.Errorf("exit code %d, %s: %s", code, errOut, out)
	}
}

// TestConfigAsJSON: every setting has a description, and its source is told.
func TestConfigAsJSON(t *testing.T) {
	t.Setenv(prefix+"STREAM_KEY", demoKey)
	t.Setenv(prefix+"SHARD", "x")
	out, errOut, code := runCommand(t, "config", "--output", "json")
	var got shownConfig
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v: %s", code, err, errOut)
	}
	if len(got.Settings) != len((&settings{}).fields()) || len(got.Unknown) != 1 || got.Unknown[0] != prefix+"SHARD" {
		t.Errorf("%d settings, unknown %q", len(got.Settings), got.Unknown)
	}
	for _, s := range got.Settings {
		if s.Description == "" || len(s.Description) > summaryWidth {
			t.Errorf("%s is described as %q", s.Name, s.Description)
		}
		if s.Source == "environment" != (s.Name == prefix+"STREAM_KEY") {
			t.Errorf("%s is from %s", s.Name, s.Source)
		}
	}
	if _, _, code := runCommand(t, "config", "--output", "yaml"); code != exitUsage {
		t.Errorf("an unknown format exits with %d", code)
	}
}

// TestEnvFile: every command reads it, and the environment takes precedence.
func TestEnvFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "livebridge.env")
	text := "# keys\nexport " + prefix + "STREAM_KEY='" + demoKey + "'\n" + prefix + "LISTEN=\":1\"\n" + prefix +
		"HOLD_DONE=7s\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	unset(t, prefix+"STREAM_KEY", prefix+"LISTEN")
	t.Setenv(prefix+"HOLD_DONE", "8s")
	out, errOut, code := runCommand(t, "config", "--env-file", path)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{
		prefix + "LISTEN=:1 # env file " + path + ", default :8080",
		prefix + "STREAM_KEY=(set, not shown) # env file " + path,
		prefix + "HOLD_DONE=8s # environment, default 10s",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	unset(t, prefix+"STREAM_KEY", prefix+"LISTEN")
	if _, errOut, code = runCommand(t, "--env-file", path, "verify", "--kind", "stream", os.DevNull); code != exitFailed {
		t.Errorf("verify exits with %d: %s", code, errOut)
	}
}

// TestBadEnvFile: it is wrong usage, and no error repeats the file.
func TestBadEnvFile(t *testing.T) {
	malformed := filepath.Join(t.TempDir(), "malformed")
	if err := os.WriteFile(malformed, []byte(prefix+"STREAM_KEY="+demoKey+"\nsecret of a line without a name\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{malformed, malformed + ".missing"} {
		out, errOut, code := runCommand(t, "config", "--env-file", path)
		if code != exitUsage || !strings.Contains(errOut, "--env-file") || !strings.Contains(errOut, path) {
			t.Errorf("%s: exit code %d, %s", path, code, errOut)
		}
		if strings.Contains(out+errOut, demoKey) || strings.Contains(out+errOut, "secret of") {
			t.Errorf("the file is repeated: %s%s", out, errOut)
		}
	}
}
