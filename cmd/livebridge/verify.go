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
		Use: "verify [file]", Short: "Explain how one callback's signature is judged", Args: atMostOneFile,
		Long: "Reads a callback's body from a file or standard input, judges it by the service's settings (keys from LIVEBRIDGE_STREAM_KEY,\n" +
			"_FILE and so on, LIVEBRIDGE_KEYS_FILE, bounds, domains) and prints what is signed, field by field, the signature that each key\n" +
			"makes, the one in the callback, how long it is good, and the verdict. Where nothing matches, it tries the usual mistakes and\n" +
			"says which one made the signature. It never prints a key. Exit code 0: good, 1: not, 2: wrong usage.\n" +
			"Repeats and tampering are not looked at: only the journal of a service knows them.",
		Example: "  LIVEBRIDGE_STREAM_KEY_FILE=/run/secrets/stream livebridge verify --kind stream body.json\n" +
			"  livebridge verify --kind rtc-record -H 'X-Rtc-Rand: 123456' -H 'X-Rtc-Timestamp: 1619600000' -H 'X-Rtc-Signature: …' body.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := load(environ())
			if err != nil {
				return err
			}
			v, err := newVerification(s, kind, at, headers)
			if err != nil {
				return &usageError{err}
			}
			if v.body, err = readBody(cmd.InOrStdin(), args, int64(s.MaxBody)); err != nil {
				return &usageError{err}
			}
			return v.run(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "stream, record, snapshot or rtc-record")
	f.StringVar(&at, "at", "", "when it is judged, RFC 3339 or Unix seconds (default: now)")
	f.StringArrayVarP(&headers, "header", "H", nil, "a header of the callback, 'Name: value'; several times")
	return cmd
}

// atMostOneFile refuses more arguments as wrong usage.
func atMostOneFile(c *cobra.Command, args []string) error {
	if err := cobra.MaximumNArgs(1)(c, args); err != nil {
		return &usageError{err}
	}
	return nil
}

// readBody reads the callback's bytes; one byte too many stands for all beyond the limit.
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

// verification is one callback and what it is judged by.
type verification struct {
	settings    *settings
	ring        *signature.Ring
	keyWarnings []keyring.SuspectKey // of all keys
	kind        bridge.Kind
	header      http.Header
	body        []byte
	now         time.Time
}

func newVerification(s *settings, kind, at string, headers []string) (*verification, error) {
	v := &verification{settings: s, header: make(http.Header), now: time.Now()}
	var err error
	var known bool
	if v.kind, known = bridge.ParseKind(kind); !known {
		return nil, fmt.Errorf("--kind %q is not one of stream, record, snapshot, rtc-record", kind)
	}
	for i, h := range headers {
		name, value, found := strings.Cut(h, ":")
		if !found {
			return nil, fmt.Errorf("--header %d has no colon; write 'X-Rtc-Rand: 123456'", i+1)
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
		return at, fmt.Errorf("--at %q is neither RFC 3339 (2020-04-27T02:22:14Z) nor Unix seconds", text)
	}
	return at, nil
}

// errNotGood is the verdict as an exit code; what is wrong has been printed.
var errNotGood = errors.New("the callback is not good")

// run prints the explanation and returns nil, or errNotGood.
func (v *verification) run(w io.Writer) error {
	r := &verifyReport{w: w}
	r.line("kind", "%v", v.kind)
	for _, d := range v.keyWarnings {
		r.line("but", "the key %s of %s %s", d.Key, d.Setting, d.Problem)
	}
	if int64(len(v.body)) > int64(v.settings.MaxBody) {
		return r.verdict("413: the body has more than %v, see MAX_BODY", v.settings.MaxBody)
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
		return r.verdict("200, but quarantine unknown_event: the event word is not known, and DOMAINS is empty")
	}
	if v.kind == bridge.KindSnapshot && err == nil {
		r.line("verdict", "good under the path with SNAPSHOT_TOKEN: snapshots are believed by it, their signature has no known formula")
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
		r.line("but", "SparkRTC signs in headers: give X-Rtc-Rand, X-Rtc-Timestamp and X-Rtc-Signature with -H")
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
