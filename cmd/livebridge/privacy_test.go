package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// secrets are what the program is given and must not pass on: the keys and tokens of its settings, and what is private
// in callbacks.
type secrets struct {
	settings map[string]string // by what they are
	private  map[string]string // of callbacks: in the raw bodies of the quarantine, and nowhere else
}

func newSecrets() secrets {
	return secrets{
		settings: map[string]string{
			"stream key": "SecretStreamKey0123456789abcdefghij", "old stream key": "SecretStreamOld0123456789abcdefghij",
			"record key": "SecretRecordKey0123456789abcdefghij", "key of a rule": "SecretRuleKey0123456789abcdefghijkl",
			"rtc key": "SecretRtcKey0123456789abcdefghijklm", "new key": "SecretNewKey0123456789abcdefghijklm",
			"broken key": "SecretBroken01234", "snapshot token": "SecretSnapshotToken",
			"consumers' token": "SecretConsumersToken",
		},
		private: map[string]string{"user_args": "SecretUserArgs", "client_ip": "203.0.113.77", "auth_sign": ""},
	}
}

// privateMembers are user_args and client_ip in every way in which they may come.
func privateMembers(s secrets) []string {
	args, ip := s.private["user_args"], s.private["client_ip"]
	return []string{
		fmt.Sprintf(`,"user_args":"auth_info=%s","client_ip":%q`, args, ip),
		fmt.Sprintf(`,"user_args":["%s"],"client_ip":{"v4":%q}`, args, ip),
		fmt.Sprintf(`,"userArgs":"%s","Client-IP":%q`, args, ip),
		fmt.Sprintf(`,"more":{"user_args":"%s","list":[{"client_ip":%q}]}`, args, ip),
		fmt.Sprintf(`,"user_args":"\u0053ecretUserArgs %s","client_ip":%q`, args, ip),
	}
}

// callbacks are good, bad, tampered, expired and malformed ones of all kinds. quarantined says whether those that end
// in quarantine are among them.
func (s secrets) callbacks(t *testing.T, quarantined bool) []sentCallback {
	key, now := s.settings, time.Now().Unix()
	var all []sentCallback
	for i, private := range privateMembers(s) {
		push := pushed("live", fmt.Sprint("room", i))
		good := streamMessage(key["stream key"], push, private)
		record := signature.Claim{Event: "RECORD_START", Domain: "push.example.com", App: "live", Stream: push.Stream,
			Timestamp: push.Timestamp}
		rtcBody := fmt.Sprintf(`{"event_type":"RECORD_FILE_COMPLETE","app_id":"app1","room_id":"r","stream_name":"s%d"%s}`, i,
			private)
		all = append(all, good, good, streamMessage(key["old stream key"], pushed("live", fmt.Sprint("old", i)), private),
			streamMessage(strings.Repeat("f", 32), push, private), good.changed(t, `"app"`, `"ap"`),
			good.changed(t, `{`, `{"domain":"SecretUserArgs",`),
			good.changed(t, "PUBLISH", "PUBLISH\\u0000"), good.changed(t, `}`, ``),
			good.changed(t, "push.example.com", "other example com"),
			good.changed(t, `{`, `{"x":"`+strings.Repeat("SecretUserArgs", 6000)+`",`), good.with("Content-Encoding", "gzip"),
			recordMessage(key["record key"], bridge.SchemeHMAC, record, private),
			recordMessage(key["record key"], bridge.SchemeMD5, record, private),
			rtcMessage(key["rtc key"], fmt.Sprint(i), fmt.Sprint(now), rtcBody),
			rtcMessage(strings.Repeat("f", 32), fmt.Sprint(i), fmt.Sprint(now), rtcBody),
			sentCallback{path: "/live/snapshot/" + key["snapshot token"],
				body: fmt.Sprintf(`{"domain":"a.example.com","app":"live","stream_name":"s%d","snapshot_url":"https://a"%s}`, i,
					private)},
			sentCallback{path: "/live/snapshot/" + key["snapshot token"] + "x", body: "{}"}, good.at("/"+key["snapshot token"]),
			sentCallback{path: "/live/stream?" + s.private["user_args"], body: private})
		if quarantined {
			old := push
			old.Timestamp = fmt.Sprint(now - 100_000)
			all = append(all, streamMessage(key["stream key"], old, private),
				streamMessage(key["stream key"], push, private+`,"node_ip":"changed"`),
				rtcMessage(key["rtc key"], fmt.Sprint("m", i), fmt.Sprint(now), `{"broken"`+private),
				rtcMessage(key["rtc key"], fmt.Sprint("o", i), fmt.Sprint(now-100_000), rtcBody),
				streamMessage(key["stream key"], signature.Claim{Event: "UNKNOWN", Domain: "push.example.com", App: "live",
					Stream: "u", Timestamp: push.Timestamp}, private))
		}
	}
	return all
}

// TestSecretsStayInside gives the program secrets, sends it callbacks with secrets of every fate, spoils and changes
// its files of keys, stops it, and searches everything that was written for every secret: log, answers, admin port,
// topics, output of commands, files. The one place for any is the journal, which keeps the raw bodies of the
// quarantine.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	for _, quarantined := range []bool{false, true} {
		t.Run(fmt.Sprint("quarantined=", quarantined), func(t *testing.T) { searchSecrets(t, quarantined) })
	}
}

func searchSecrets(t *testing.T, quarantined bool) {
	s, dir, data, w := newSecrets(), t.TempDir(), t.TempDir(), make(artifacts)
	put := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	service := launch(t, data, prefix+"LOG_LEVEL=debug", prefix+"CLIENT_IP=drop", prefix+"STREAM_KEY=",
		prefix+"STREAM_KEY_FILE="+put("stream", s.settings["stream key"]+"\n"+s.settings["old stream key"]),
		prefix+"RECORD_KEY="+s.settings["record key"], prefix+"RTC_KEY="+s.settings["rtc key"],
		prefix+"SNAPSHOT_TOKEN="+s.settings["snapshot token"],
		prefix+"KEYS_FILE="+put("rules", "rules: [{domain: rule.example.com, app: live, kind: stream, keys: ["+
			s.settings["key of a rule"]+"]}]"),
		prefix+"NATS_EMBEDDED_TOKEN_FILE="+put("token", s.settings["consumers' token"]))
	sent := s.callbacks(t, quarantined)
	w.commands(t, service.cmd.Env, sent[0].body)
	for i, m := range sent {
		status, text, err := deliver(t.Context(), service.listen, m)
		if err != nil {
			t.Fatal(err)
		}
		w[fmt.Sprint("answer ", i, " ", status)] = text
	}
	put("stream", s.settings["new key"]+"\n"+s.settings["broken key"])
	put("rules", "rules: [{domain: rule.example.com, app: live, kind: stream, keys: ["+s.settings["key of a rule"]+", *"+
		s.settings["new key"]+"]}]")
	failureNotifier := func() bool {
		m := service.metrics(t)
		const gauge = "livebridge_key_file_last_reload_successful"
		stream, known := m[gauge+`{setting="LIVEBRIDGE_STREAM_KEY_FILE"}`]
		rules, both := m[gauge+`{setting="LIVEBRIDGE_KEYS_FILE"}`]
		return known && both && stream == 0 && rules == 0
	}
	until(t, "the alarms are raised", failureNotifier)
	w.commands(t, service.cmd.Env, sent[0].body)
	put("stream", s.settings["new key"])
	until(t, "the new key is active", func() bool {
		return service.metrics(t)[`livebridge_key_file_reloads_total{result="success",`+
			`setting="LIVEBRIDGE_STREAM_KEY_FILE"}`] == 1
	})
	until(t, "the outbox is empty", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	w.pages(t, service)
	w.topics(t, service.nats, s.settings["consumers' token"])
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := service.end(t); code != exitDone {
		t.Errorf("it exits with %d", code)
	}
	w["log"] = service.log.String()
	w.files(t, data)
	judgeSecrets(t, s, w, sent, quarantined)
}

func judgeSecrets(t *testing.T, s secrets, w artifacts, sent []sentCallback, quarantined bool) {
	for what, secret := range s.settings {
		if places := w.grep(secret); len(places) > 0 {
			t.Errorf("the %s is in %q", what, places)
		}
	}
	private := map[string]string{"user_args": s.private["user_args"], "client_ip": s.private["client_ip"]}
	for i, m := range sent {
		if _, sign, found := strings.Cut(m.body, `"auth_sign":"`); found {
			private[fmt.Sprint("auth_sign ", i)] = sign[:32]
		}
		if sign := m.header["X-Rtc-Signature"]; sign != "" {
			private[fmt.Sprint("X-Rtc-Signature ", i)] = sign
		}
	}
	inJournal := 0
	for _, what := range slices.Sorted(maps.Keys(private)) {
		places := w.grep(private[what])
		inJournal += len(places)
		outside := slices.DeleteFunc(places, func(place string) bool {
			return quarantined && strings.HasPrefix(place, "file ") && !strings.HasPrefix(place, "file nats/") ||
				place == "command verify" && strings.HasPrefix(what, "auth_sign")
		})
		if len(outside) > 0 {
			t.Errorf("%s is in %q", what, outside)
		}
	}
	if quarantined && inJournal < 5 {
		t.Errorf("the quarantine's raw bodies are not in the journal: the search is blind")
	}
	for _, place := range []string{"log", "page /metrics", "message LIVE_EVENTS 1", "command config", "command verify",
		"command serve", "answer 0 200"} {
		if w[place] == "" {
			t.Errorf("there is nothing in %s: the search is blind", place)
		}
	}
	for text, least := range map[string]int{"push.example.com": 5, "room0": 2, "[redacted]": 3,
		signature.KeyID(s.settings["old stream key"]): 1} {
		if places := w.grep(text); len(places) < least {
			t.Errorf("%s, which is no secret, is only in %q", text, places)
		}
	}
	if t.Failed() {
		return
	}
	t.Logf("%d places, %d of them messages", len(w),
		strings.Count(strings.Join(slices.Collect(maps.Keys(w)), "\n"), "message "))
}

// TestWorldReadableSecretFiles: files of secrets that are not keys are warned of as well.
func TestWorldReadableSecretFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("SecretSnapshotToken"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{prefix + "SNAPSHOT_TOKEN_FILE": path}
	if got := worldReadable(vars); len(got) > 0 {
		t.Errorf("logged %q", got)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := worldReadable(vars); len(got) != 1 || got[0] != prefix+"SNAPSHOT_TOKEN_FILE" {
		t.Errorf("logged %q", got)
	}
}
