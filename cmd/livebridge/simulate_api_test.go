package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// TestSimulateWithAPI serves the provider's API: what is registered there is called, and signed with its key.
func TestSimulateWithAPI(t *testing.T) {
	var ends atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte(`"PUBLISH_DONE"`)) {
			ends.Add(1)
		}
	}))
	defer receiver.Close()
	for name, text := range map[string]string{
		"AK": "AKEXAMPLE", "SK": "secret", "PROJECT_ID": "0123", "SECURITY_TOKEN": "",
	} {
		t.Setenv("HUAWEICLOUD_SDK_"+name, text)
	}
	t.Setenv("CALLBACK_KEY", emulatedKey)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, errOut logBuffer
	ended := make(chan int, 1)
	line := "simulate --with-api 127.0.0.1:0 --rate 200 --streams 3 --duration 0s --lost 1"
	go func() { ended <- run(ctx, strings.Fields(line), processEnvironment(), &out, &errOut) }()
	address := regexp.MustCompile(`API at (http://\S+?),`)
	until(t, "it serves the API", func() bool { return address.MatchString(errOut.String()) })
	a := &account{url: address.FindStringSubmatch(errOut.String())[1]}
	a.must(t, "stream set push.example.com --key-env CALLBACK_KEY --url "+receiver.URL)
	a.must(t, "record create push.example.com/* --key-env CALLBACK_KEY --url "+receiver.URL)
	a.must(t, "rtc-record set 5fd6f2e5example --key-env CALLBACK_KEY --url "+receiver.URL)
	until(t, "streams end whose start is lost", func() bool { return ends.Load() > 10 })
	stop()
	if code := <-ended; code != exitDone || !strings.Contains(out.String(), "answered 200, 0 otherwise") ||
		strings.Contains(out.String(), " 0 lost") {
		t.Errorf("exit code %d: %s%s", code, out.String(), errOut.String())
	}
}

// TestSimulateWithAPIReportsRefusals by its exit code, like simulate without it.
func TestSimulateWithAPIReportsRefusals(t *testing.T) {
	for line, code := range map[string]int{
		"simulate --with-api nowhere:x":                   exitUsage,
		"simulate --with-api 127.0.0.1:0 --rate 0":        exitUsage,
		"simulate --with-api 127.0.0.1:0 --kinds stream":  exitUsage,
		"simulate --with-api 127.0.0.1:0 --lost 2":        exitUsage,
		"simulate --lost 0.5":                             exitUsage,
		"simulate --with-api 127.0.0.1:0 --duration 10ms": exitDone,
	} {
		if out, errOut, got := runCommand(t, strings.Fields(line)...); got != code {
			t.Errorf("%s: exit code %d: %s%s", line, got, out, errOut)
		}
	}
}
