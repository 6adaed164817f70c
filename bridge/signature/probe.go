package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge"
)

// ProbeClaim is what the signature of a probe covers: a request of our own that asks a service whether it would accept
// the callbacks of one kind, domain and app. A probe is no callback and becomes no event.
type ProbeClaim struct {
	Kind   bridge.Kind
	Domain string // of SparkRTC the app_id
	App    string // Any: of whatever app; of SparkRTC always Any
	Time   int64  // Unix seconds at which it was made
	Nonce  string // unique to this probe
	Sign   string // 64 hex digits
}

// ProbeMaxAge is how old a probe may be, and how far its time may lie in the future.
const ProbeMaxAge = 5 * time.Minute

// The labels that derive the keys of probes. A probe is signed with a derived key and not with the key itself, so that
// no signature of the provider is one of a probe, and none of a probe is one of a callback, whatever either contains.
// A callback cannot expose a derived key either: no scheme signs a text that is one of these labels, since every
// signed text begins or ends with a timestamp, or ends with a JSON object.
const (
	probeRequestLabel = "livebridge probe request v1"
	probeAnswerLabel  = "livebridge probe answer v1"
)

// SignProbe makes the signature of a probe: 64 lower-case hex digits. It ignores the claim's own Sign.
func SignProbe(key string, c ProbeClaim) string { return probeSum(key, probeRequestLabel, c) }

// ProveProbe makes the proof that a service answers with: that it has the key and has received this very probe.
func ProveProbe(key string, c ProbeClaim) string { return probeSum(key, probeAnswerLabel, c) }

func probeSum(key, label string, c ProbeClaim) string {
	mac := hmac.New(sha256.New, sum(key, label))
	for _, part := range []string{c.Kind.String(), c.Domain, c.App, strconv.FormatInt(c.Time, 10), c.Nonce} {
		mac.Write(strconv.AppendInt(nil, int64(len(part)), 10)) // lengths keep the boundaries
		mac.Write([]byte{':'})
		mac.Write([]byte(part))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// SignedProbe is a probe that is signed with one key, and what the answer to it must contain.
type SignedProbe struct {
	ProbeClaim
	Key   string // id of the key, see KeyID; empty: the token of snapshots
	Proof string // see ProveProbe
}

// NewSignedProbe signs a probe with a key. It ignores the claim's own Sign.
func NewSignedProbe(key string, c ProbeClaim) SignedProbe {
	c.Sign = SignProbe(key, c)
	p := SignedProbe{ProbeClaim: c, Key: KeyID(key), Proof: ProveProbe(key, c)}
	if c.Kind == bridge.KindSnapshot {
		p.Key = ""
	}
	return p
}

// SignProbes signs a probe with each key that would verify a callback of its kind, domain and app: with token if that
// is a snapshot. There are none where no key is configured, and where the app is not allowed.
func (r *Ring) SignProbes(c ProbeClaim, token string) []SignedProbe {
	var out []SignedProbe
	candidates, _ := r.probeKeys(c, token) // on an error there are none
	for _, k := range candidates {
		out = append(out, NewSignedProbe(k.secret, c))
	}
	return out
}

// VerifyProbe verifies a probe at the instant now by the keys, the domains and the apps that would verify a callback of
// its kind, domain and app; of a snapshot, by token. It does not count as a use of the key. The error is nil or an
// *Error.
func (r *Ring) VerifyProbe(c ProbeClaim, token string, now time.Time) (SignedProbe, error) {
	candidates, err := r.probeKeys(c, token)
	if err != nil {
		return SignedProbe{}, err
	}
	i := slices.IndexFunc(candidates, func(k *key) bool {
		return hmac.Equal([]byte(strings.ToLower(c.Sign)), []byte(SignProbe(k.secret, c)))
	})
	age := now.Sub(time.Unix(c.Time, 0))
	switch {
	case len(candidates) == 0:
		err = unauthorized(ReasonNoKey, "no key is configured for "+c.Kind.String()+
			" callbacks of this domain and app; configure one")
	case i < 0:
		err = unauthorized(ReasonMismatch, "the probe is not signed with a key of this service; "+
			"configure the same key here and at the provider")
	case age > ProbeMaxAge || age < -ProbeMaxAge:
		err = expired(ReasonExpired, "the probe's time is too far from this service's; compare the clocks of both machines")
	case c.Kind != bridge.KindRTCRecord:
		err = r.checkDomain(c.Domain)
	}
	if err != nil {
		return SignedProbe{}, err
	}
	return NewSignedProbe(candidates[i].secret, c), nil
}

// probeKeys returns the keys of a callback, or those of any app. A snapshot's is the token of its route.
func (r *Ring) probeKeys(c ProbeClaim, token string) ([]*key, error) {
	t := r.tableOf(c.Kind)
	set, err := t.choose(c.Domain, c.App)
	if err != nil && c.App == Any {
		set, err = t.allOf(c.Domain), nil
	}
	switch {
	case err != nil:
		return nil, err
	case c.Kind == bridge.KindSnapshot && token != "":
		return []*key{{secret: token}}, nil
	case c.Kind == bridge.KindSnapshot:
		return nil, nil
	}
	return set.list, nil
}
