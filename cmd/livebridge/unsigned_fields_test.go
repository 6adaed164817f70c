package main

import (
	"net/http"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// TestUnsignedFields holds SECURITY.md to its word about what the provider's signatures leave open: each of these
// forgeries does come out. When one does not any more, SECURITY.md is to be changed.
func TestUnsignedFields(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("Attack", 7)
	push := pushed("live", "room1")
	file := signature.Claim{Event: "RECORD_FILE_COMPLETE", Domain: "push.example.com", App: "live", Stream: "room1",
		Timestamp: soon(), DownloadURL: "https://o.example.com/a"}
	altered := push
	altered.App, altered.Stream = "liver", "oom1"
	other := file
	other.Event, other.Stream, other.DownloadURL = "RECORD_FAILED", "room2", ""
	listed := prefix + "KEYS_FILE=" + listedApps(t, key)
	for name, tt := range map[string]struct {
		settings []string
		sent     []sentCallback // the captured callback and what is made of it, in the order in which they arrive
		out      []string       // a part of each event, in any order
	}{
		"an unsigned member, the callback being held back": {[]string{listed},
			[]sentCallback{streamMessage(key, push, `,"node_ip":"forged"`), streamMessage(key, push, `,"node_ip":"true"`)},
			[]string{"forged"}},
		"unsigned members of a recording": {[]string{listed},
			[]sentCallback{recordMessage(key, bridge.SchemeHMAC, file, `,"obs_object":"true"`),
				recordMessage(key, bridge.SchemeHMAC, file, `,"obs_object":"forged"`)},
			[]string{"true", "forged"}},
		"the app, not listed, the callback being held back": {[]string{prefix + "STREAM_KEY=" + key},
			[]sentCallback{streamMessage(key, altered, ""), streamMessage(key, push, "")}, []string{"liver/oom1"}},
		"the app, not listed, after the callback": {[]string{prefix + "STREAM_KEY=" + key},
			[]sentCallback{streamMessage(key, push, ""), streamMessage(key, altered, "")}, []string{"live/room1"}},
		"anything of a recording under MD5": {[]string{prefix + "RECORD_KEY=" + key, prefix + "RECORD_SIGN_TYPE=MD5"},
			[]sentCallback{recordMessage(key, bridge.SchemeMD5, file, ""), recordMessage(key, bridge.SchemeMD5, other, "")},
			[]string{`"signature":"md5"`, "live.record.failed"}},
		"anything of a snapshot, for who knows the path": {[]string{prefix + "SNAPSHOT_TOKEN=known"},
			[]sentCallback{{path: "/live/snapshot/known",
				body: `{"domain":"a.example.com","app":"live","stream_name":"s","snapshot_url":"https://forged"}`}},
			[]string{`"signature":"none"`}},
	} {
		t.Run(name, func(t *testing.T) {
			service := launch(t, t.TempDir(), append([]string{prefix + "STREAM_KEY="}, tt.settings...)...)
			for _, m := range tt.sent {
				answered(t, service.listen, m, http.StatusOK)
			}
			until(t, "the outbox is empty", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
			left := messages(t, service.nats)
			out := tailed(t, service.nats, func(string) bool { left--; return left == 0 })
			all := strings.Join(out, "")
			if len(out) != len(tt.out) {
				t.Errorf("%d events come out:\n%s", len(out), all)
			}
			for _, want := range tt.out {
				if !strings.Contains(all, want) {
					t.Errorf("%s does not come out:\n%s", want, all)
				}
			}
		})
	}
}
