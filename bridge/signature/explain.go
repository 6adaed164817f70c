package signature

import (
	"encoding/hex"

	"livebridge/bridge"
	"livebridge/bridge/signature/diagnose"
)

// Field is one part of what a signature covers.
type Field = diagnose.Field

// Attempt is the signature that one key makes of a callback.
type Attempt struct {
	Key     string // see KeyID
	Sign    string // lower-case hex
	Matches bool   // it equals the one in the callback
}

// Explanation is how a callback's signature is verified, for a person to read.
type Explanation struct {
	Scheme    bridge.Scheme // SchemeNone: no signature is verified
	Fields    []Field       // in signing order
	Attempts  []Attempt     // one for each key that applies to the callback
	Diagnosis string        // if no key matches: what the signature in the callback is; empty if unknown
}

// Explain explains the result of Verify.
func (r *Ring) Explain(c Claim) Explanation {
	t := r.tableOf(c.Kind)
	set, err := t.choose(c.Domain, c.App)
	if err != nil || c.Kind == bridge.KindSnapshot || len(set.list) == 0 {
		return Explanation{Diagnosis: r.diagnoseLive(c)}
	}
	e := Explanation{Scheme: set.scheme, Fields: nameFields(set.scheme, &c)}
	for _, k := range set.list {
		e.addAttempt(k, c.Sign, Sign(set.scheme, k.secret, c))
	}
	if !e.matches() {
		e.Diagnosis = r.diagnoseLive(c)
	}
	return e
}

// ExplainRTC explains the result of VerifyRTC.
func (r *Ring) ExplainRTC(c RTCClaim) Explanation {
	set, _, _ := r.chooseRTC(&c)
	if set == nil || len(set.list) == 0 {
		return Explanation{Diagnosis: r.diagnoseRTC(c)}
	}
	e := Explanation{Scheme: set.scheme, Fields: []Field{
		{Name: "X-Rtc-Rand", Value: c.Rand}, {Name: "X-Rtc-Timestamp", Value: c.Timestamp},
		{Name: "body", Value: string(c.Body)},
	}}
	for _, k := range set.list {
		e.addAttempt(k, c.Sign, SignRTC(k.secret, c))
	}
	if !e.matches() {
		e.Diagnosis = r.diagnoseRTC(c)
	}
	return e
}

func (e *Explanation) addAttempt(k *key, given, made string) {
	got, err := hex.DecodeString(given)
	e.Attempts = append(e.Attempts, Attempt{k.name.id, made, err == nil && hex.EncodeToString(got) == made})
}

func (e *Explanation) matches() bool {
	for _, t := range e.Attempts {
		if t.Matches {
			return true
		}
	}
	return false
}

// nameFields returns the fields that a scheme signs, under the provider's names.
func nameFields(s bridge.Scheme, c *Claim) []Field {
	names := []string{"auth_timestamp", "event_type", "publish_domain", "app", "stream", "download_url", "play_url"}
	if c.Kind == bridge.KindStream {
		names = []string{"event", "domain", "app", "stream", "auth_timestamp"}
	}
	var fields []Field
	if keyInFront(s) {
		fields = append(fields, Field{Name: "key"})
	}
	for i, value := range Canonical(s, *c) {
		fields = append(fields, Field{Name: names[i], Value: value})
	}
	return fields
}

func (r *Ring) diagnoseLive(c Claim) string {
	var applicable []*key
	if set, err := r.tableOf(c.Kind).choose(c.Domain, c.App); err == nil {
		applicable = set.list
	}
	stream, record := c, c
	stream.Kind, record.Kind = bridge.KindStream, bridge.KindRecord
	fields, other := nameFields(bridge.SchemeHMAC, &record), nameFields(bridge.SchemeHMAC, &stream)
	if c.Kind != bridge.KindRecord {
		fields, other = other, fields
	}
	return diagnose.Live(c.Sign, c.Timestamp, fields, other, diagnosed(applicable), diagnosed(r.allKeys))
}

func (r *Ring) diagnoseRTC(c RTCClaim) string {
	set, _, _ := r.chooseRTC(&c)
	if set == nil {
		set = r.rtc.all
	}
	return diagnose.RTC(c.Sign, c.Rand, c.Timestamp, string(c.Body), diagnosed(set.list), diagnosed(r.allKeys))
}

func diagnosed(keys []*key) []diagnose.Key {
	all := make([]diagnose.Key, len(keys))
	for i, k := range keys {
		all[i] = diagnose.Key{Secret: k.secret, ID: k.name.id, Kind: k.name.kind}
	}
	return all
}
