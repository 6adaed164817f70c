package probe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"livebridge/bridge/signature"
)

const (
	// maxAnswer bounds the answer that is read, in bytes.
	maxAnswer = 8 << 10
	// timeout bounds one probe. The provider's own patience is not documented; its other services wait 3 to 20 s.
	timeout = 10 * time.Second
)

// Failure is how a probe failed. Each needs something else to be done.
type Failure string

// The failures, in the order in which they are met.
const (
	FailureURL         Failure = "url"         // no absolute http or https URL
	FailureUnreachable Failure = "unreachable" // no connection, or no answer in time
	FailureCertificate Failure = "certificate" // the chain does not lead to a trusted authority, or is not for the host
	FailureRedirect    Failure = "redirect"    // answered with another address; the provider need not follow it
	FailureRefused     Failure = "refused"     // answered by a livebridge, which rejects the probe
	FailureForeign     Failure = "foreign"     // answered by something else
	FailureProof       Failure = "proof"       // answered 200 without the proof: what answers has not the key
)

// Outcome is the outcome of one probe.
type Outcome struct {
	Failure Failure // empty: the service received the probe, verified and answered it
	Detail  string  // of a failure, in words; never the path, which may contain a token
	Status  int     // HTTP status code; 0: no answer

	Certificate *x509.Certificate // the server's own; nil: plain HTTP, or no handshake
}

// Sender sends probes.
type Sender struct {
	Roots *x509.CertPool // nil: those of the system
	Now   func() time.Time
}

// NewClaim returns a claim with the time and a nonce of its own, for the rest to be filled in.
func (s Sender) NewClaim() signature.ProbeClaim {
	return signature.ProbeClaim{Time: s.now().Unix(), Nonce: rand.Text()}
}

func (s Sender) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Send sends a probe to a callback URL, as the provider sends a callback. Nothing is sent to a server whose certificate
// is not trusted. It does not follow redirects and does not try again.
func (s Sender) Send(ctx context.Context, callbackURL string, p signature.SignedProbe) Outcome {
	to, err := url.Parse(callbackURL)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return Outcome{Failure: FailureURL, Detail: "not an absolute http or https URL"}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(Encode(p.ProbeClaim)))
	if err != nil {
		return Outcome{Failure: FailureURL, Detail: "not an absolute http or https URL"}
	}
	r.Header.Set("Content-Type", "application/json")
	var o Outcome
	client := &http.Client{Transport: s.transport(to.Hostname(), &o), CheckRedirect: noRedirect}
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		o.Failure, o.Detail = failureOf(err)
		return o
	}
	defer func() { _ = response.Body.Close() }()
	o.judge(response, p)
	return o
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transport verifies the server's certificate as the default does, and keeps it even if it is not trusted.
func (s Sender) transport(host string, o *Outcome) *http.Transport {
	verify := func(c tls.ConnectionState) error {
		o.Certificate = c.PeerCertificates[0]
		options := x509.VerifyOptions{DNSName: cmp.Or(c.ServerName, host), Roots: s.Roots, CurrentTime: s.now(),
			Intermediates: x509.NewCertPool()}
		for _, intermediate := range c.PeerCertificates[1:] {
			options.Intermediates.AddCert(intermediate)
		}
		_, err := o.Certificate.Verify(options)
		if err != nil {
			return &certificateError{err}
		}
		return nil
	}
	return &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		// The default verification would not keep a certificate that fails it; verify does the same and keeps it.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: verify, MinVersion: tls.VersionTLS12},
	}
}

// certificateError is why a server's certificate is not trusted.
type certificateError struct{ err error }

// Error returns the cause's text.
func (e *certificateError) Error() string { return e.err.Error() }

// failureOf returns the failure of a request without an answer. net/http's errors begin with the URL, which may contain
// a token.
func failureOf(err error) (Failure, string) {
	var untrusted *certificateError
	if errors.As(err, &untrusted) {
		return FailureCertificate, untrusted.Error()
	}
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return FailureUnreachable, fmt.Sprintf("no answer within %v", timeout)
	}
	return FailureUnreachable, err.Error()
}

// judge reads the answer.
func (o *Outcome) judge(response *http.Response, p signature.SignedProbe) {
	o.Status = response.StatusCode
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	var a answer
	ours := err == nil && json.Unmarshal(text, &a) == nil && a.Result != ""
	switch {
	case err != nil:
		o.Failure, o.Detail = FailureUnreachable, "the answer ends early: "+err.Error()
	case o.Status/100 == 3:
		o.Failure, o.Detail = FailureRedirect, response.Status
	case ours && o.Status != http.StatusOK && a.Message != "":
		o.Failure, o.Detail = FailureRefused, a.Message
	case !ours || o.Status != http.StatusOK || a.Result != result:
		o.Failure, o.Detail = FailureForeign, response.Status
	case a.Proof != p.Proof:
		o.Failure, o.Detail = FailureProof, "the answer does not prove that it has the key"
	}
}
