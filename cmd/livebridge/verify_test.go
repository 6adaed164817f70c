package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// TestVerifyJudgesAsTheServer: what the service would do for other reasons than the signature is part of the verdict.
func TestVerifyJudgesAsTheServer(t *testing.T) {
	const key = verifyKey
	for name, value := range map[string]string{"STREAM_KEY": key, "SNAPSHOT_TOKEN": "token", "IGNORE_STREAMS": "_sd$"} {
		t.Setenv(prefix+name, value)
	}
	twin := signature.Claim{Event: "PUBLISH", Domain: "push.example.com", App: "live", Stream: "room1_sd",
		Timestamp: "1587954140"}
	compressed := streamMessage(key, twin, "")
	compressed.header = map[string]string{"Content-Encoding": "gzip"}
	snapshot := sentCallback{body: `{"domain":"a.example.com","app":"live","stream_name":"s","snapshot_url":"https://a"}`}
	for _, tt := range []struct {
		sent sentCallback
		code int
		want string
	}{
		{streamMessage(key, twin, ""), 0, "valid, but not published: IGNORE_STREAMS matches its stream"},
		{compressed, 1, "not valid: 415 compressed"},
		{snapshot, 0, "valid on the path with SNAPSHOT_TOKEN"},
	} {
		out, code := verified(t, tt.sent, "--at", "1587954140")
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("exit code %d, want %d and %q in\n%s", code, tt.code, tt.want, out)
		}
	}
}

// verified runs the command on a callback and returns what it prints and its exit code.
func verified(t *testing.T, m sentCallback, args ...string) (string, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(path, []byte(m.body), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"verify", path}, args...)
	for name, value := range m.header {
		args = append(args, "--header", name+": "+value)
	}
	var out, errOut bytes.Buffer
	code := run(context.Background(), args, processEnvironment(), &out, &errOut)
	return out.String() + errOut.String(), code
}

// The keys of TestVerify: of the settings, and of another.
const (
	verifyKey   = "Verify0123456789Verify0123456789ABCD"
	verifyOther = "Others0123456789Others0123456789ABCD"
)

// verifyCase is a callback and what verify says of it.
type verifyCase struct {
	name string
	m    sentCallback
	kind string
	at   string
	code int
	want []string
}

// verifiedStreams are callbacks of streams.
func verifiedStreams() []verifyCase {
	const key, other = verifyKey, verifyOther
	push := signature.Claim{Event: "PUBLISH", Domain: "push.example.com", App: "live", Stream: "room1",
		Timestamp: "1587954140"}
	listed, unlisted := push, push
	listed.Domain, unlisted.Domain, unlisted.App = "listed.example.com", "listed.example.com", "vod"
	good := streamMessage(key, push, "")
	return []verifyCase{
		{"good", good, "stream", "1587954100", 0, []string{"verdict     valid", "difference  none: key 1", "in 40 seconds",
			`canonical   "PUBLISHpush.example.comliveroom11587954140"`, `stream          "room1"`,
			"id " + signature.KeyID(key)}},
		{"in the skew", good, "stream", "2020-04-27T02:27:20Z", 0, []string{"5 minutes ago"}},
		{"expired", good, "stream", "", 1, []string{"not valid: 401 expired, and quarantine", "years"}},
		{"too far ahead", good, "stream", "1587950000", 1, []string{"too_far_ahead", "in 1 hour 9 minutes"}},
		{"other key", streamMessage(strings.Repeat("f", 32), push, ""), "stream", "1587954100", 1,
			[]string{"401 mismatch", "no usual mistake fits: the provider signs with another key, or a signed value was " +
				"changed"}},
		{"key with a line end", streamMessage(key+"\n", push, ""), "stream", "1587954100", 1,
			[]string{"diagnosis   the given signature is HMAC-SHA256", "line end after the key"}},
		{"unsigned", sentCallback{body: `{"domain":"push.example.com","app":"live","stream":"s","event":"PUBLISH"}`},
			"stream", "", 1, []string{"given       none", "401 no_signature"}},
		{"malformed", sentCallback{body: `{"domain":"push.example.com"}`}, "stream", "", 1,
			[]string{"not valid: 400", `"app"`}},
		{"too large", sentCallback{body: strings.Repeat(" ", 70_000)}, "stream", "", 1, []string{"not valid: 413"}},
		{"unknown event", streamMessage(key, signature.Claim{Event: "PUBLISHED", Domain: "push.example.com", App: "live",
			Stream: "s", Timestamp: "1587954140"}, ""),
			"stream", "1587954100", 1, []string{"quarantine unknown_event"}},
		{"by a rule", streamMessage(other, listed, ""), "stream", "1587954100", 0, []string{"id " + signature.KeyID(other)}},
		{"by a rule, not the setting", streamMessage(key, listed, ""), "stream", "1587954100", 1,
			[]string{"with the key " + signature.KeyID(key) + " of stream callbacks"}},
		{"without a rule", streamMessage(other, unlisted, ""), "stream", "1587954100", 1, []string{"403 app"}},
	}
}

// verifiedOthers are callbacks of the other kinds, and wrong flags.
func verifiedOthers(t *testing.T) []verifyCase {
	t.Helper()
	const key = verifyKey
	push := signature.Claim{Event: "PUBLISH", Domain: "push.example.com", App: "live", Stream: "room1",
		Timestamp: "1587954140"}
	file := push
	file.Event, file.DownloadURL = "RECORD_FILE_COMPLETE", "https://o.example.com/a"
	rtcBody := `{"event_type":"RECORD_FILE_COMPLETE","app_id":"app1","room_id":"r","stream_name":"s"}`
	good := streamMessage(key, push, "")
	return []verifyCase{
		{"record", recordMessage(key, bridge.SchemeHMAC, file, ""), "record", "1587954100", 0,
			[]string{"publish_domain", `download_url    "https://o.example.com/a"`}},
		{"record-md5", recordMessage(key, bridge.SchemeMD5, file, ""), "record", "1587954100", 1,
			[]string{"sign type MD5 of recordings"}},
		{"record-legacy", recordMessage(key, bridge.SchemeHMACLegacy, file, ""), "record", "1587954100", 1,
			[]string{"HMACSHA256-LEGACY"}},
		{"rtc", rtcMessage(key, "123", "1587954140", rtcBody), "rtc-record", "1587954200", 0,
			[]string{"key 2 of 2", "1 minute ago", `X-Rtc-Rand      "123"`}},
		{"rtc with a line end", rtcMessage(key, "123", "1587954140", rtcBody).changed(t, "}", "}\n"), "rtc-record",
			"1587954200", 1, []string{"without its trailing line end"}},
		{"rtc without headers", sentCallback{body: rtcBody}, "rtc-record", "1587954200", 1,
			[]string{"with -H", "401 no_signature"}},
		{"rtc malformed", rtcMessage(key, "123", "1587954140", `{}`), "rtc-record", "1587954200", 1,
			[]string{"quarantine malformed"}},
		{"rtc odd", rtcMessage(key, "123", "15879541400", rtcBody), "rtc-record", "1587954200", 1,
			[]string{"neither 10 digits", "odd_timestamp"}},
		{"snapshot", sentCallback{body: `{"domain":"a.example.com","app":"live","stream_name":"s",` +
			`"snapshot_url":"https://a"}`}, "snapshot", "", 1, []string{"404 not_found", "SNAPSHOT_TOKEN"}},
		{"kind of a stream", good, "", "1587954100", 0, []string{"kind        stream"}},
		{"kind of a recording", recordMessage(key, bridge.SchemeHMAC, file, ""), "", "1587954100", 0,
			[]string{"kind        record"}},
		{"kind of SparkRTC", rtcMessage(key, "123", "1587954140", rtcBody), "", "1587954200", 0,
			[]string{"kind        rtc-record"}},
		{"no kind", sentCallback{body: `{}`}, "", "", 2, []string{"--kind"}},
		{"wrong kind", good, "push", "", 2, []string{"--kind"}},
		{"no instant", good, "stream", "yesterday", 2, []string{"--at"}},
	}
}

func TestVerify(t *testing.T) {
	const key, other = verifyKey, verifyOther
	rules := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(rules, []byte("rules: [{domain: listed.example.com, app: live, kind: stream, keys: ["+other+
		"]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"STREAM_KEY": key, "RECORD_KEY": key, "RTC_KEY": other + "," + key,
		"KEYS_FILE": rules} {
		t.Setenv(prefix+name, value)
	}
	for _, tt := range slices.Concat(verifiedStreams(), verifiedOthers(t)) {
		var args []string
		if tt.kind != "" {
			args = append(args, "--kind", tt.kind)
		}
		if tt.at != "" {
			args = append(args, "--at", tt.at)
		}
		output, code := verified(t, tt.m, args...)
		if code != tt.code {
			t.Errorf("%s: exit code %d, want %d\n%s", tt.name, code, tt.code, output)
		}
		for _, want := range tt.want {
			if !strings.Contains(output, want) {
				t.Errorf("%s: %q is not in\n%s", tt.name, want, output)
			}
		}
		if strings.Contains(output, key) || strings.Contains(output, other) {
			t.Errorf("%s: a key is shown", tt.name)
		}
	}
}

func TestVerifyMD5(t *testing.T) {
	const key = verifyKey
	t.Setenv(prefix+"RECORD_KEY", key)
	t.Setenv(prefix+"RECORD_SIGN_TYPE", "MD5")
	claim := signature.Claim{Event: "RECORD_START", Domain: "push.example.com", App: "live", Stream: "room1",
		Timestamp: "1587954140"}
	output, code := verified(t, recordMessage(key, bridge.SchemeMD5, claim, ""), "--kind", "record", "--at", "1587954140")
	if code != 0 || !strings.Contains(output, "md5 = MD5(key + auth_timestamp)") ||
		!strings.Contains(output, `canonical   "(key)1587954140"`) || strings.Contains(output, key) {
		t.Errorf("exit code %d\n%s", code, output)
	}
	output, code = verified(t, recordMessage(key, bridge.SchemeHMAC, claim, ""), "--kind", "record", "--at", "1587954140")
	if code != 1 || !strings.Contains(output, "that is the sign type HMACSHA256 of recordings") {
		t.Errorf("exit code %d\n%s", code, output)
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "now", 100 * time.Millisecond: "in less than a second", -time.Second: "1 second ago",
		61 * time.Second: "in 1 minute 1 second",
		-time.Hour:       "1 hour ago", time.Hour + 59*time.Second: "in 1 hour", 49 * time.Hour: "in 2 days 1 hour",
		-800 * 24 * time.Hour: "2 years 70 days ago",
	} {
		if got := relative(d); got != want {
			t.Errorf("%v is %q, want %q", fmt.Sprint(d), got, want)
		}
	}
}

// TestDifference is told only where it says something.
func TestDifference(t *testing.T) {
	made := strings.Repeat("0123456789abcdef", 4)
	for given, want := range map[string]string{
		made[:60]:                           "from digit 61 on (60 digits given, 64 expected)",
		made[:20] + strings.Repeat("f", 44): "from digit 21 on (64 digits given, 64 expected)",
		strings.Repeat("f", 64):             "",
		strings.Repeat("f", 32):             "32 digits given, 64 expected",
	} {
		if got, _ := difference([]signature.Attempt{{Sign: made}}, given); got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
}

// TestVerifyReadsAnEntry of the quarantine from a pipe, as of when it was received.
func TestVerifyReadsAnEntry(t *testing.T) {
	dir := t.TempDir()
	service := launch(t, dir)
	service.expired(t, "room1")
	number := fmt.Sprint(entriesOf(t, dir, "quarantine")[0].Number)
	entry, _, code := command(t, dir, "quarantine", "show", number)
	if code != exitDone {
		t.Fatal(entry)
	}
	t.Setenv(prefix+"STREAM_KEY", demoKey)
	list, _, _ := command(t, dir, "quarantine", "list")
	earlier := regexp.MustCompile(`"received":"[^"]*"`).ReplaceAllString(entry, `"received":"2020-09-13T12:26:40Z"`)
	for input, want := range map[string]string{
		entry: "not valid: 401 expired", earlier: "verdict     valid", list: "quarantine show",
	} {
		root := newRoot(processEnvironment())
		var out bytes.Buffer
		root.SetArgs([]string{"verify"})
		root.SetIn(strings.NewReader(input))
		root.SetOut(&out)
		root.SetErr(&out)
		err := root.ExecuteContext(t.Context())
		if text := out.String() + fmt.Sprint(err); !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	out, code := verified(t, sentCallback{body: entry}, "--at", "1600000000")
	if code != exitDone || !strings.Contains(out, "verdict     valid") ||
		!strings.Contains(out, `stream          "room1"`) {
		t.Errorf("at its expiry: %d %s", code, out)
	}
}
