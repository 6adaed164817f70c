package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// with returns the variables of a service with a key and what is given besides.
func with(pairs ...string) map[string]string {
	vars := map[string]string{prefix + "STREAM_KEY": demoKey}
	for i := 0; i+1 < len(pairs); i += 2 {
		vars[prefix+pairs[i]] = pairs[i+1]
	}
	return vars
}

func TestDefaults(t *testing.T) {
	s, err := load(with())
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != ":8080" || s.MaxBody != 64<<10 || s.HoldDone != 10*time.Second || s.NATSMaxBytes != 8<<30 ||
		s.QuarantineBytes != 256<<20 || s.DedupeMax != 20_000_000 {
		t.Errorf("%+v", s)
	}
}

func TestWhatStartsWithoutAKey(t *testing.T) {
	for _, vars := range []map[string]string{
		{prefix + "UNSIGNED": "accept"}, {prefix + "SNAPSHOT_TOKEN": "x"}, {prefix + "RTC_KEY": demoKey},
	} {
		if _, err := load(vars); err != nil {
			t.Errorf("%v: %v", vars, err)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("\n"+demoKey+"\r\n\n"+strings.ToUpper(demoKey)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{prefix + "STREAM_KEY_FILE": path}
	s, err := load(vars)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Open(keyring.Options{Config: s.signatures(), Files: s.keyFiles})
	if err != nil {
		t.Fatal(err)
	}
	if got := keys.Ring().Keys(); len(got) != 2 || got[0].ID != signature.KeyID(demoKey) ||
		got[1].ID != signature.KeyID(strings.ToUpper(demoKey)) {
		t.Errorf("the keys are %+v", got)
	}
	var out bytes.Buffer
	if err := configOf(s, &environment{vars: vars}).print(&out, "text"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), demoKey) || !strings.Contains(out.String(),
		"LIVEBRIDGE_STREAM_KEY=(set, not shown) # file "+path) {
		t.Errorf("printed as %s", &out)
	}
}

// TestConfigHidesServersSecrets: NATS_URL may hold a password or a token.
func TestConfigHidesServersSecrets(t *testing.T) {
	vars := with("NATS_URL", "nats://user:hunter2@one:4222, hunter2@two", "DOMAINS", "a.example,b.example")
	s, err := load(vars)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := configOf(s, &environment{vars: vars}).print(&out, "text"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"LIVEBRIDGE_NATS_URL=nats://xxxxx@one:4222,nats://xxxxx@two # environment",
		"LIVEBRIDGE_DOMAINS=a.example,b.example # environment"} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("%q is not in %s", want, &out)
		}
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("printed as %s", &out)
	}
}

// TestDataDirThatCannotBe is wrong settings, not a failure.
func TestDataDirThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range with("DATA_DIR", filepath.Join(file, "data"), "LISTEN", "127.0.0.1:0", "ADMIN_LISTEN",
		"127.0.0.1:0") {
		t.Setenv(name, value)
	}
	var output bytes.Buffer
	if code := run(t.Context(), []string{"serve"}, processEnvironment(), &output, &output); code != exitUsage ||
		!strings.Contains(output.String(), "LIVEBRIDGE_DATA_DIR") {
		t.Errorf("exit code %d: %s", code, &output)
	}
}

// TestMisspelledSetting: what is missing because its name is misspelled is reported with that name.
func TestMisspelledSetting(t *testing.T) {
	_, err := load(map[string]string{prefix + "STREAM_KEI": "development-key-0123456789abcdef"})
	if want := "LIVEBRIDGE_STREAM_KEI: is no setting"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not contain %q", err, want)
	}
}

func TestUnknownSettings(t *testing.T) {
	got := unknownSettings(map[string]string{prefix + "DOMAIN": "x", prefix + "DOMAINS": "x",
		prefix + "STREAM_KEY_FILE": "x", prefix + "LISTEN_FILE": "x", "PATH": "x"})
	if strings.Join(got, " ") != prefix+"DOMAIN "+prefix+"LISTEN_FILE" {
		t.Errorf("got %q", got)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]size{"1": 1, "64KiB": 64 << 10, "8GiB": 8 << 30, "3 MiB": 3 << 20, "10B": 10,
		"1.5GiB": 3 << 29, "1GB": 1e9} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q is %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "-1", "0", "GiB", "64 kilos", "9000000TiB"} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was parsed as %d", text, s)
		}
	}
	if got := size(512 << 20).String(); got != "512MiB" {
		t.Errorf("512MiB is written %s", got)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, exitDone}, {[]string{"serve", "--help"}, exitDone},
		{[]string{"serve", "--nonsense"}, exitUsage}, {[]string{"nonsense"}, exitUsage}, {[]string{"serve", "x"}, exitUsage},
		{[]string{"tail", "--from", "yesterday"}, exitUsage}, {[]string{"check"}, exitUsage},
		{[]string{"check", "--sent", "/missing", "--events", "/missing"}, exitUsage},
		{[]string{"simulate", "--rate", "fast"}, exitUsage},
		{[]string{"simulate"}, exitUsage}, {[]string{"config"}, exitUsage},
		{[]string{"tail", "--url", "nats://127.0.0.1:1"}, exitFailed},
	} {
		var out, errOut bytes.Buffer
		if got := run(context.Background(), c.args, processEnvironment(), &out, &errOut); got != c.want {
			t.Errorf("%v exits with %d: %s", c.args, got, &errOut)
		}
	}
}

func TestHelpShowsAnExample(t *testing.T) {
	for _, c := range newRoot(processEnvironment()).Commands() {
		if c.Name() != "help" && c.Name() != "completion" && c.Example == "" {
			t.Errorf("%s has no example", c.Name())
		}
	}
}
