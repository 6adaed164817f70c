package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

func newVerify() *cobra.Command {
	var kind, at string
	var headers []string
	cmd := &cobra.Command{
		Use: "verify [file]", Short: "Verify one callback's signature and explain the verdict", Args: atMostOneFile,
		Long: "Reads a callback's body from a file or standard input, verifies it with the service's settings (keys,\n" +
			"domains and limits) and prints the signed fields, the signature that each key makes, the given signature,\n" +
			"its expiry, and the verdict. If no signature matches, it tries common mistakes and prints the one that\n" +
			"explains the given signature. It never prints a key. Exit code 0: valid, 1: not valid, 2: wrong usage.\n" +
			"It does not check for duplicates and tampering, which only the journal of a service can detect.\n" +
			"The input may be an entry of the quarantine as well, which is verified as of when it was received.",
		Example: "  LIVEBRIDGE_STREAM_KEY_FILE=/run/secrets/stream livebridge verify --kind stream body.json\n" +
			"  livebridge verify --kind rtc-record -H 'X-Rtc-Rand: 123456' -H 'X-Rtc-Timestamp: 1619600000' \\\n" +
			"    -H 'X-Rtc-Signature: …' body.json\n" +
			"  livebridge quarantine show 17 | livebridge verify",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := load(environ())
			if err != nil {
				return err
			}
			v, err := newVerification(s, at, headers)
			if err != nil {
				return &usageError{err}
			}
			content, err := readBody(cmd.InOrStdin(), args, entryFactor*int64(s.MaxBody))
			if err != nil {
				return &usageError{err}
			}
			if err := v.read(content, kind, at != ""); err != nil {
				return &usageError{err}
			}
			return v.run(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "stream, record, snapshot or rtc-record (default: inferred from the callback)")
	f.StringVar(&at, "at", "",
		"time of verification, RFC 3339 or Unix seconds (default: now; of an entry: when it was received)")
	f.StringArrayVarP(&headers, "header", "H", nil, "header of the callback, 'Name: value'; may be repeated")
	return cmd
}

// atMostOneFile rejects more arguments as wrong usage.
func atMostOneFile(c *cobra.Command, args []string) error {
	if err := cobra.MaximumNArgs(1)(c, args); err != nil {
		return &usageError{err}
	}
	return nil
}

// readBody reads the callback's body, up to one byte above the limit.
func readBody(in io.Reader, args []string, most int64) ([]byte, error) {
	if len(args) == 1 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	return io.ReadAll(io.LimitReader(in, most+1))
}

// verification is one callback and what it is verified with.
type verification struct {
	settings    *settings
	ring        *signature.Ring
	keyWarnings []keyring.SuspectKey // of all keys
	kind        bridge.Kind
	header      http.Header
	body        []byte
	now         time.Time
}

func newVerification(s *settings, at string, headers []string) (*verification, error) {
	v := &verification{settings: s, header: make(http.Header), now: time.Now()}
	var err error
	for i, h := range headers {
		name, value, found := strings.Cut(h, ":")
		if !found {
			return nil, fmt.Errorf("--header %d has no colon: use the form 'X-Rtc-Rand: 123456'", i+1)
		}
		v.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if at != "" {
		if v.now, err = parseInstant(at); err != nil {
			return nil, err
		}
	}
	keys, err := keyring.Open(keyring.Options{Config: s.signatures(), Files: s.keyFiles})
	if err != nil {
		return nil, err
	}
	v.ring, v.keyWarnings = keys.Ring(), keys.SuspectKeys()
	return v, nil
}

func parseInstant(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--at %q: use RFC 3339, such as 2020-04-27T02:22:14Z, or Unix seconds", text)
	}
	return at, nil
}

// errNotValid makes the command fail; the reason is printed as the verdict.
var errNotValid = errors.New("callback is not valid")

// run prints the explanation and returns nil, or errNotValid.
func (v *verification) run(w io.Writer) error {
	r := &verifyReport{w: w}
	r.line("kind", "%v", v.kind)
	for _, d := range v.keyWarnings {
		r.line("warning", "the key %s of %s %s", d.Key, d.Setting, d.Problem)
	}
	if int64(len(v.body)) > int64(v.settings.MaxBody) {
		return r.verdict("413: body exceeds MAX_BODY (%v)", v.settings.MaxBody)
	}
	c, err := callback.Decode(v.kind, v.body)
	if err == nil {
		defer c.Release()
	}
	if v.kind == bridge.KindRTCRecord {
		return v.judgeRTC(r, c, err)
	}
	if err != nil {
		return r.verdict("400: %v", err)
	}
	return v.judgeLive(r, c)
}

func (v *verification) judgeLive(r *verifyReport, c *callback.Callback) error {
	claim := signature.Claim{
		Kind: v.kind, Event: c.EventName, Domain: c.Domain, App: c.App, Stream: c.Stream,
		DownloadURL: c.DownloadURL, PlayURL: c.PlayURL, Timestamp: c.AuthTimestamp, Sign: c.AuthSign,
	}
	_, sig, err := v.ring.Verify(claim, v.now)
	e := v.ring.Explain(claim)
	r.explain(e, claim.Sign)
	if e.Scheme != bridge.SchemeNone {
		r.expiry(claim.Timestamp, v.now, v.settings)
	}
	if err == nil && !c.Known && len(v.settings.Domains) == 0 {
		return r.verdict("200, but quarantine unknown_event: the event is unknown, and DOMAINS is empty")
	}
	if v.kind == bridge.KindSnapshot && err == nil {
		r.line("verdict", "valid on the path with SNAPSHOT_TOKEN, which authenticates snapshots: "+
			"the formula of their signature is not documented")
		return nil
	}
	return r.result(err, sig != bridge.Signature{})
}

func (v *verification) judgeRTC(r *verifyReport, c *callback.Callback, malformed error) error {
	claim := signature.RTCClaim{Rand: v.header.Get("X-Rtc-Rand"), Timestamp: v.header.Get("X-Rtc-Timestamp"),
		Sign: v.header.Get("X-Rtc-Signature"), Body: v.body}
	if malformed == nil {
		claim.AppID = c.Domain
	}
	scheme, _, err := v.ring.VerifyRTC(claim, v.now)
	r.explain(v.ring.ExplainRTC(claim), claim.Sign)
	if claim.Sign == "" {
		r.line("hint", "SparkRTC signs in headers: pass X-Rtc-Rand, X-Rtc-Timestamp and X-Rtc-Signature with -H")
	} else {
		r.age(claim.Timestamp, v.now, v.settings)
	}
	switch {
	case err == nil && malformed != nil && scheme != bridge.SchemeNone:
		return r.verdict("200, but quarantine malformed: %v", malformed)
	case err == nil && malformed != nil:
		return r.verdict("400: %v", malformed)
	}
	return r.result(err, scheme != bridge.SchemeNone)
}
