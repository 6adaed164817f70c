package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// sentCallback is a callback as it goes over the wire.
type sentCallback struct {
	path   string
	header map[string]string
	body   string
}

// soon is a valid expiry of a signature.
func soon() string { return fmt.Sprint(time.Now().Unix() + 60) }

// streamMessage is a stream status callback of the claim, with what is not signed behind it.
func streamMessage(key string, c signature.Claim, unsigned string) sentCallback {
	c.Kind = bridge.KindStream
	return sentCallback{path: "/live/stream", body: fmt.Sprintf(
		`{"domain":%q,"app":%q,"stream":%q,"event":%q,"auth_timestamp":%q,"auth_sign":%q%s}`,
		c.Domain, c.App, c.Stream, c.Event, c.Timestamp, signature.Sign(bridge.SchemeHMAC, key, c), unsigned)}
}

// recordMessage is the same for a recording.
func recordMessage(key string, s bridge.Scheme, c signature.Claim, unsigned string) sentCallback {
	c.Kind = bridge.KindRecord
	return sentCallback{path: "/live/record", body: fmt.Sprintf(
		`{"publish_domain":%q,"app":%q,"stream":%q,"event_type":%q,"download_url":%q,"play_url":%q,`+
			`"auth_timestamp":%q,"auth_sign":%q%s}`, c.Domain, c.App, c.Stream, c.Event, c.DownloadURL, c.PlayURL, c.Timestamp,
		signature.Sign(s, key, c), unsigned)}
}

// rtcMessage is a SparkRTC callback with this body.
func rtcMessage(key, random, timestamp, body string) sentCallback {
	sign := signature.SignRTC(key, signature.RTCClaim{Rand: random, Timestamp: timestamp, Body: []byte(body)})
	return sentCallback{path: "/rtc/record", body: body,
		header: map[string]string{"X-Rtc-Rand": random, "X-Rtc-Timestamp": timestamp, "X-Rtc-Signature": sign}}
}

// pushed is the claim of a push that starts.
func pushed(app, stream string) signature.Claim {
	return signature.Claim{Event: "PUBLISH", Domain: "push.example.com", App: app, Stream: stream, Timestamp: soon()}
}

// deliver posts a message to a service and returns status and answer.
func deliver(ctx context.Context, service string, m sentCallback) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+service+m.path, strings.NewReader(m.body))
	if err != nil {
		return 0, "", err
	}
	for name, value := range m.header {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// answered posts a message and compares the status.
func answered(t *testing.T, service string, m sentCallback, want int) string {
	t.Helper()
	status, text, err := deliver(t.Context(), service, m)
	if err != nil || status != want {
		t.Errorf("%s is answered %d %s, %v, want %d", m.body, status, text, err, want)
	}
	return text
}

// page reads a page of the admin port.
func page(t *testing.T, service *program, path string) string {
	t.Helper()
	answer, err := http.Get("http://" + service.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
