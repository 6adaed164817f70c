package main

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats/natstest"
)

// checksOf runs config --check with variables and returns the checks and the exit code.
func checksOf(t *testing.T, vars map[string]string) (all []checkResult, code int) {
	t.Helper()
	for name, value := range vars {
		t.Setenv(name, value)
	}
	out, errOut, code := runCommand(t, "config", "--check", "--output", "json")
	var got shownConfig
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, errOut)
	}
	return got.Checks, code
}

// checkNamed returns the last check of a name.
func checkNamed(t *testing.T, all []checkResult, name string) (last checkResult) {
	t.Helper()
	for _, r := range all {
		if r.Name == name {
			last = r
		}
	}
	if last.Name == "" {
		t.Errorf("nothing is said of %s in %v", name, all)
	}
	return last
}

// TestConfigCheck: everything is tried, and nothing is left behind.
func TestConfigCheck(t *testing.T) {
	above := t.TempDir()
	b := broker(t, natstest.StoreDir(t), server.RANDOM_PORT)
	vars := with("NATS_URL", b.ClientURL(), "DATA_DIR", filepath.Join(above, "new", "data"), "MIN_FREE_BYTES", "1MiB")
	all, code := checksOf(t, vars)
	if code != exitDone {
		t.Errorf("exit code %d: %v", code, all)
	}
	for _, name := range []string{"keys", "disk", "space", "clock", "broker"} {
		if r := checkNamed(t, all, name); r.Status == checkFailed {
			t.Errorf("%+v", r)
		}
	}
	if left, err := os.ReadDir(above); err != nil || len(left) != 0 {
		t.Errorf("%v, left behind: %v", err, left)
	}
	b.Shutdown()
	b.WaitForShutdown()
	if all, code = checksOf(t, vars); code != exitFailed || checkNamed(t, all, "broker").Status != checkFailed {
		t.Errorf("without a broker: exit code %d, %v", code, all)
	}
}

// TestChecksThatFail names what is wrong with the disk, the space and the keys.
func TestChecksThatFail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(demoKey), 0o604); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ setting, value, check, status string }{
		{"DATA_DIR", filepath.Join(file, "data"), "disk", checkFailed},
		{"MIN_FREE_BYTES", "4000TiB", "space", checkFailed},
		{"JOURNAL_MAX_BYTES", "4000TiB", "space", checkWarning},
		{"RTC_KEY", `"` + demoKey + `"`, "keys", checkWarning},
		{"NATS_EMBEDDED_TOKEN_FILE", file, "secrets", checkWarning},
		{"NATS_EMBEDDED_LISTEN", "192.0.2.1:4222", "broker", checkFailed},
	} {
		t.Run(c.setting, func(t *testing.T) {
			vars := with("DATA_DIR", t.TempDir(), "MIN_FREE_BYTES", "1MiB", "NATS_EMBEDDED_LISTEN", "127.0.0.1:0",
				"NATS_EMBEDDED_TOKEN", "token")
			if c.setting == "NATS_EMBEDDED_TOKEN_FILE" {
				delete(vars, prefix+"NATS_EMBEDDED_TOKEN")
			}
			vars[prefix+c.setting] = c.value
			all, code := checksOf(t, vars)
			if r := checkNamed(t, all, c.check); r.Status != c.status || (code == exitFailed) != (c.status == checkFailed) {
				t.Errorf("exit code %d, %+v", code, all)
			}
		})
	}
}

// TestCertificateAndSyncAreJudged at their limits.
func TestCertificateAndSyncAreJudged(t *testing.T) {
	now := time.Now()
	for status, c := range map[string]x509.Certificate{
		checkOK:      {NotBefore: now, NotAfter: now.Add(certificateNotice)},
		checkWarning: {NotBefore: now, NotAfter: now.Add(certificateNotice - 1)},
		checkFailed:  {NotBefore: now, NotAfter: now.Add(-1)},
	} {
		if r := judgeCertificate(&c, now); r.Status != status {
			t.Errorf("%+v, want %s", r, status)
		}
	}
	for _, c := range []struct {
		median time.Duration
		status string
		text   string
	}{
		{time.Millisecond, checkOK, ""}, {slowSync, checkOK, ""}, {slowSync + 1, checkWarning, "faster storage"},
		{impossibleSync, checkOK, ""}, {impossibleSync - 1, checkWarning, "honour fsync"},
	} {
		if r := judgeSync("dir", c.median, c.median); r.Status != c.status || !strings.Contains(r.Detail, c.text) {
			t.Errorf("%v: %+v", c.median, r)
		}
	}
}

// TestSpaceAndClockAreJudged at their limits.
func TestSpaceAndClockAreJudged(t *testing.T) {
	s := &settings{MinFreeBytes: 1 << 30, JournalMaxBytes: 8 << 30}
	for _, c := range []struct {
		free         uint64
		status, text string
	}{
		{9 << 30, checkOK, "9.0 GiB are free"}, {9<<30 - 1, checkWarning, "JOURNAL_MAX_BYTES"},
		{1 << 30, checkWarning, "JOURNAL_MAX_BYTES"}, {1<<30 - 1, checkFailed,
			"LIVEBRIDGE_MIN_FREE_BYTES: 1GiB must stay free"},
		{0, checkFailed, "free space or lower it"},
	} {
		if r := s.judgeFreeSpace(c.free); r.Status != c.status || !strings.Contains(r.Detail, c.text) {
			t.Errorf("%d free: %+v", c.free, r)
		}
	}
	at := time.Unix(1_587_954_140, 0)
	for _, c := range []struct {
		synchronized, known bool
		status, text        string
	}{
		{true, true, checkOK, "2020-04-27T02:22:20Z, synchronized"}, {false, true, checkWarning, "run an NTP client"},
		{false, false, checkWarning, "unknown on this system"}, {true, false, checkWarning, "unknown on this system"},
	} {
		if r := judgeClock(at, c.synchronized, c.known); r.Status != c.status || !strings.Contains(r.Detail, c.text) {
			t.Errorf("synchronized %t, known %t: %+v", c.synchronized, c.known, r)
		}
	}
}
