package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/bridge/signature"
)

// TestKeysInQuotes: a key in quotes is named by verify, which finds out that without them it would fit, wherever it
// comes from.
func TestKeysInQuotes(t *testing.T) {
	const key = "Quoted0123456789Quoted0123456789ABC"
	push := signature.Claim{Event: "PUBLISH", Domain: "push.example.com", App: "live", Stream: "room1",
		Timestamp: "1587954140"}
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		setting, value string
		want           []string
	}{
		"value": {"STREAM_KEY", `"` + key + `"`, []string{"of STREAM_KEY is in quotes", "without quotes"}},
		"file": {"STREAM_KEY_FILE", file("'" + key + "'\r\n"),
			[]string{"STREAM_KEY_FILE is in quotes", "without quotes"}},
		"env file": {"STREAM_KEY_FILE", file("export STREAM_KEY=\"" + key + "\"\n"),
			[]string{"STREAM_KEY_FILE ends with a quote", "without quotes"}},
		"name": {"STREAM_KEY_FILE", file("\ufeffSTREAM_KEY=" + key + "\n"),
			[]string{"STREAM_KEY_FILE begins with a variable name", "or a variable name"}},
		"keys file": {"KEYS_FILE", file("rules:\n  - {domain: push.example.com, app: live, kind: stream, keys: ['\"" + key +
			"\"']}\n"), []string{"KEYS_FILE, line 2 is in quotes", "without quotes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(prefix+c.setting, c.value)
			output, code := verified(t, streamMessage(key, push, ""), "--kind", "stream", "--at", "1587954100")
			if code != exitFailed || strings.Contains(output, key) {
				t.Errorf("exit code %d\n%s", code, output)
			}
			for _, want := range c.want {
				if !strings.Contains(output, want) {
					t.Errorf("%q is not in\n%s", want, output)
				}
			}
		})
	}
}

// TestStartWarnings: the start warns of keys and secrets in quotes, and of a DATA_DIR that others can access; not of
// others.
func TestStartWarnings(t *testing.T) {
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		dir      string
		env      []string
		want     []string
		unwanted []string
	}{
		{open, []string{prefix + `STREAM_KEY="` + demoKey + `"`, prefix + `NATS_EMBEDDED_TOKEN="token"`},
			[]string{"DATA_DIR is accessible to other users", "is in quotes", "NATS_EMBEDDED_TOKEN"}, []string{demoKey}},
		{private, nil, nil, []string{"accessible to other users", "quotes"}},
	} {
		service := launch(t, c.dir, c.env...)
		service.terminate(t)
		log := service.log.String()
		for _, want := range c.want {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in the log\n%s", c.dir, want, log)
			}
		}
		for _, unwanted := range c.unwanted {
			if strings.Contains(log, unwanted) {
				t.Errorf("%s: %q is in the log\n%s", c.dir, unwanted, log)
			}
		}
	}
}
