package probe_test

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/probe"
	"livebridge/bridge/signature"
)

func signed() signature.SignedProbe { return signature.NewSignedProbe(key, claim(bridge.KindStream)) }

// answering is a server that gives every request one answer.
func answering(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestAnswers: what an answer says about who answered.
func TestAnswers(t *testing.T) {
	p := signed()
	good := string(probe.Answer(p))
	for name, tt := range map[string]struct {
		status  int
		body    string
		failure probe.Failure
		detail  string
	}{
		"good": {200, good, "", ""},
		"another's proof": {200, strings.Replace(good, p.Proof, strings.Repeat("0", 64), 1), probe.FailureProof,
			"does not prove"},
		"a callback's":      {200, `{"status":1,"result":"success"}`, probe.FailureForeign, "200 OK"},
		"a page":            {200, "<html>", probe.FailureForeign, "200 OK"},
		"an empty page":     {404, "", probe.FailureForeign, "404 Not Found"},
		"a refusal":         {401, `{"status":0,"result":"unauthorized","message":"no"}`, probe.FailureRefused, "no"},
		"a gateway's":       {502, `{"message":"bad gateway"}`, probe.FailureForeign, "502 Bad Gateway"},
		"a good one, wrong": {503, good, probe.FailureForeign, "503"},
		"a redirect":        {302, good, probe.FailureRedirect, "302 Found"},
		"too long":          {200, strings.Repeat(" ", 9<<10) + good, probe.FailureForeign, "200 OK"},
	} {
		o := probe.Sender{}.Send(t.Context(), answering(t, tt.status, tt.body).URL+"/live/stream", p)
		if o.Failure != tt.failure || o.Status != tt.status || !strings.Contains(o.Detail, tt.detail) ||
			o.Certificate != nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestNoAnswer: an address where nobody listens, one that is none, and one that does not answer in time. The path is
// not shown, since it may contain a token.
func TestNoAnswer(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	waiting := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer waiting.Close()
	ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	for name, tt := range map[string]struct {
		ctx     context.Context
		url     string
		failure probe.Failure
	}{
		"nobody":    {t.Context(), closed.URL + "/live/snapshot/the-token", probe.FailureUnreachable},
		"slow":      {ended, waiting.URL + "/live/snapshot/the-token", probe.FailureUnreachable},
		"no URL":    {t.Context(), "http://a b/the-token", probe.FailureURL},
		"no host":   {t.Context(), "/live/snapshot/the-token", probe.FailureURL},
		"no scheme": {t.Context(), "ftp://push.example.com/the-token", probe.FailureURL},
	} {
		o := probe.Sender{}.Send(tt.ctx, tt.url, signed())
		if o.Failure != tt.failure || o.Detail == "" || strings.Contains(o.Detail, "the-token") || o.Status != 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestCertificates: a trusted certificate, an unknown authority, another host, and an expired one. A server that is not
// trusted gets no request, and its certificate is kept.
func TestCertificates(t *testing.T) {
	p, requests := signed(), 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		_, _ = w.Write(probe.Answer(p))
	}))
	defer s.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(s.Certificate())
	other := strings.Replace(s.URL, "127.0.0.1", "localhost", 1) // its certificate is for 127.0.0.1, ::1 and example.com
	expired := func() time.Time { return s.Certificate().NotAfter.Add(time.Hour) }
	for name, tt := range map[string]struct {
		sender  probe.Sender
		url     string
		failure probe.Failure
	}{
		"trusted":           {probe.Sender{Roots: trusted}, s.URL, ""},
		"unknown authority": {probe.Sender{Roots: x509.NewCertPool()}, s.URL, probe.FailureCertificate},
		"another host":      {probe.Sender{Roots: trusted}, other, probe.FailureCertificate},
		"expired":           {probe.Sender{Roots: trusted, Now: expired}, s.URL, probe.FailureCertificate},
	} {
		before := requests
		o := tt.sender.Send(t.Context(), tt.url+"/live/stream", p)
		if o.Failure != tt.failure || o.Certificate == nil || !o.Certificate.Equal(s.Certificate()) {
			t.Errorf("%s: %+v", name, o)
		}
		if sent := requests - before; (sent == 1) != (tt.failure == "") {
			t.Errorf("%s: %d requests", name, sent)
		}
	}
}

// TestNewClaim: no two nonces are the same, and the time is the sender's.
func TestNewClaim(t *testing.T) {
	s := probe.Sender{Now: func() time.Time { return time.Unix(1790000000, 0) }}
	a, b := s.NewClaim(), s.NewClaim()
	if a.Nonce == b.Nonce || len(a.Nonce) < 20 || a.Time != 1790000000 {
		t.Errorf("%+v %+v", a, b)
	}
}
