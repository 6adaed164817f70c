package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// listedApps is a KEYS_FILE of two apps for each kind, all with one key, as the provider has it for stream status.
func listedApps(t *testing.T, key string) string {
	t.Helper()
	rules := "rules:\n"
	for _, kind := range []string{"stream", "record"} {
		for _, app := range []string{"live", "vod"} {
			rules += fmt.Sprintf("- {domain: push.example.com, app: %s, kind: %s, keys: [%s]}\n", app, kind, key)
		}
	}
	rules += fmt.Sprintf("- {domain: app1, kind: rtc-record, keys: [%s]}\n", key)
	path := filepath.Join(t.TempDir(), "keys.yaml")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shiftedClaims returns every claim that has the same text under the signature, one boundary being elsewhere.
func shiftedClaims(k bridge.Kind, c signature.Claim) []signature.Claim {
	fields := func(c *signature.Claim) []*string {
		if k == bridge.KindStream {
			return []*string{&c.Event, &c.Domain, &c.App, &c.Stream, &c.Timestamp}
		}
		return []*string{&c.Timestamp, &c.Event, &c.Domain, &c.App, &c.Stream, &c.DownloadURL, &c.PlayURL}
	}
	var all []signature.Claim
	for i := range len(fields(&c)) - 1 {
		both, was := *fields(&c)[i]+*fields(&c)[i+1], len(*fields(&c)[i])
		for at := range len(both) + 1 {
			if at != was {
				other := c
				*fields(&other)[i], *fields(&other)[i+1] = both[:at], both[at:]
				all = append(all, other)
			}
		}
	}
	return all
}

// changed returns the message with a part of its body replaced.
func (m sentCallback) changed(t *testing.T, old, text string) sentCallback {
	t.Helper()
	if !strings.Contains(m.body, old) {
		t.Fatalf("there is no %s in %s", old, m.body)
	}
	m.body = strings.Replace(m.body, old, text, 1)
	return m
}

func (m sentCallback) at(path string) sentCallback { m.path = path; return m }

func (m sentCallback) with(header, value string) sentCallback {
	all := map[string]string{header: value}
	for name, had := range m.header {
		if name != header {
			all[name] = had
		}
	}
	m.header = all
	return m
}

// streamForgeries is what can be made of one captured stream status callback by who has no key.
func streamForgeries(t *testing.T, key string, c signature.Claim) []sentCallback {
	m := streamMessage(key, c, `,"publish_timestamp":"1700000000","client_ip":"192.0.2.7"`)
	sign := signature.Sign(bridge.SchemeHMAC, key, signature.Claim{Kind: bridge.KindStream, Event: c.Event,
		Domain: c.Domain, App: c.App, Stream: c.Stream, Timestamp: c.Timestamp})
	all := []sentCallback{m, m.changed(t, sign, strings.ToUpper(sign)), m.changed(t, `{`, "{\n"),
		m.changed(t, `"`+c.Timestamp+`"`, c.Timestamp),
		m.changed(t, "1700000000", "1700000001"), m.changed(t, "192.0.2.7", "192.0.2.8"),
		m.changed(t, `{`, `{"user_args":"x",`), m.changed(t, `{`, `{"new":1,`),
		m.changed(t, `"PUBLISH"`, `"PUBLISH_DONE"`), m.changed(t, `"live"`, `"vod"`), m.changed(t, `"live"`, `"LIVE"`),
		m.changed(t, "push.example.com", "PUSH.example.com"),
		m.changed(t, c.Timestamp, "9999999999"), m.changed(t, c.Timestamp, " "+c.Timestamp), m.changed(t, sign, sign[:32]),
		m.changed(t, sign, ""),
		m.changed(t, `{`, `{"stream":"other",`), m.changed(t, `"stream"`, `"Stream"`),
		m.at("/live/record"), m.at("/rtc/record"), m.at("/live/snapshot"), m.at("/live/snapshot/x"), m.at("/live/stream/"),
		m.at("/live/stream?x=1"),
		{path: "/rtc/record", body: m.body, header: map[string]string{"X-Rtc-Rand": "PUBLISH", "X-Rtc-Timestamp": c.Timestamp,
			"X-Rtc-Signature": sign}}}
	for _, other := range shiftedClaims(bridge.KindStream, c) {
		all = append(all, streamMessage(key, other, `,"publish_timestamp":"1700000000","client_ip":"192.0.2.7"`))
	}
	return all
}

// recordForgeries is the same of a recording, but for its unsigned members.
func recordForgeries(t *testing.T, key string, c signature.Claim) []sentCallback {
	m := recordMessage(key, bridge.SchemeHMAC, c, `,"file_size":1`)
	signed := c
	signed.Kind = bridge.KindRecord
	all := []sentCallback{m, m.changed(t, `"RECORD_FILE_COMPLETE"`, `"RECORD_FAILED"`), m.changed(t, `"live"`, `"vod"`),
		m.changed(t, "a.m3u8", "b.m3u8"),
		m.changed(t, c.Timestamp, "9999999999"), m.at("/live/stream"), m.at("/rtc/record"),
		m.changed(t, signature.Sign(bridge.SchemeHMAC, key, signed), signature.Sign(bridge.SchemeMD5, "guess", signed))}
	for _, other := range shiftedClaims(bridge.KindRecord, c) {
		all = append(all, recordMessage(key, bridge.SchemeHMAC, other, `,"file_size":1`))
	}
	return all
}

// rtcForgeries is the same of a SparkRTC callback; 13 is the length of a timestamp in milliseconds.
func rtcForgeries(t *testing.T, m sentCallback) []sentCallback {
	random, stamp := m.header["X-Rtc-Rand"], m.header["X-Rtc-Timestamp"]
	all := []sentCallback{m, m.changed(t, "app1", "app2"), m.changed(t, `{`, `{"file_size":1,`), m.changed(t, `{`, ` {`),
		m.changed(t, "room1", "room2"),
		m.with("X-Rtc-Rand", "other"), m.with("X-Rtc-Timestamp", fmt.Sprint(time.Now().UnixMilli())), m.at("/live/record"),
		m.at("/live/stream")}
	for at := range len(random + stamp) {
		all = append(all, m.with("X-Rtc-Rand", (random + stamp)[:at]).with("X-Rtc-Timestamp", (random + stamp)[at:]))
	}
	for at := range len(stamp) {
		other := m.with("X-Rtc-Timestamp", stamp[:at])
		other.body = stamp[at:] + m.body
		all = append(all, other)
	}
	return all
}

// TestOnlyTheCallbackItselfCounts: KEYS_FILE lists the apps, and an attacker has one callback of each kind. Whatever is
// made of them, what comes out is those three, once each; the forgeries are refused, repeats, or in quarantine.
func TestOnlyTheCallbackItselfCounts(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("Attack", 7)
	for _, domains := range []string{"", "push.example.com"} {
		t.Run("DOMAINS="+domains, func(t *testing.T) {
			service := launch(t, t.TempDir(), prefix+"STREAM_KEY=", prefix+"KEYS_FILE="+listedApps(t, key),
				prefix+"DOMAINS="+domains)
			stream := pushed("live", "room12345")
			record := signature.Claim{Event: "RECORD_FILE_COMPLETE", Domain: "push.example.com", App: "live",
				Stream: "room12345", Timestamp: soon(),
				DownloadURL: "https://obs.example.com/a.m3u8", PlayURL: "https://play.example.com/a.m3u8"}
			rtc := rtcMessage(key, "12345678", fmt.Sprint(time.Now().UnixMilli()),
				`{"event_type":"RECORD_FILE_COMPLETE","app_id":"app1","room_id":"room1","stream_name":"s"}`)
			forgeries := [][]sentCallback{streamForgeries(t, key, stream), recordForgeries(t, key, record), rtcForgeries(t, rtc)}
			statuses := make(map[int]int)
			for _, all := range forgeries {
				answered(t, service.listen, all[0], http.StatusOK) // the callback itself, which is captured
				for _, m := range all {
					status, _, err := deliver(t.Context(), service.listen, m)
					if err != nil {
						t.Fatal(err)
					}
					statuses[status]++
				}
			}
			until(t, "the outbox is empty", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
			left := messages(t, service.nats)
			out := tailed(t, service.nats, func(string) bool { left--; return left == 0 })
			for i, want := range []string{"stream.publish\"", "live.record.file_complete", "rtc.record.file_complete"} {
				if len(out) != 3 || !strings.Contains(strings.Join(out, ""), want) || strings.Contains(out[i], `"marks"`) {
					t.Errorf("%s: what comes out is %d events:\n%s", want, len(out), strings.Join(out, ""))
				}
			}
			if statuses[401] == 0 || statuses[403] == 0 || statuses[200] == 0 ||
				service.metrics(t)[`livebridge_callbacks_quarantined_total{reason="tampered"}`] == 0 {
				t.Errorf("the attack was none: answers %v", statuses)
			}
			t.Logf("answers %v", statuses)
		})
	}
}
