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
	"livebridge/bridge/ingress"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

func newVerify(e *environment) *cobra.Command {
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
			s, err := load(e.vars)
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
	rules := v.settings.ingressConfig().Rules
	verdict := rules.Judge(ingress.Request{Method: http.MethodPost, Kind: v.kind, Token: rules.SnapshotToken,
		Header: v.header, Body: v.body}, v.ring, v.now)
	v.explain(r, &verdict)
	return r.verdict(&verdict)
}

// explain prints how the signature was verified, if the callback got as far.
func (v *verification) explain(r *verifyReport, verdict *ingress.Verdict) {
	switch rtc := verdict.RTCClaim; {
	case verdict.Claim.Kind != 0:
		e := v.ring.Explain(verdict.Claim)
		r.explain(e, verdict.Claim.Sign)
		if e.Scheme != bridge.SchemeNone {
			r.expiry(verdict.Claim.Timestamp, v.now, v.settings)
		}
	case rtc.Body == nil:
	case rtc.Sign == "":
		r.explain(v.ring.ExplainRTC(rtc), rtc.Sign)
		r.line("hint", "SparkRTC signs in headers: pass X-Rtc-Rand, X-Rtc-Timestamp and X-Rtc-Signature with -H")
	default:
		r.explain(v.ring.ExplainRTC(rtc), rtc.Sign)
		r.age(rtc.Timestamp, v.now, v.settings)
	}
}
