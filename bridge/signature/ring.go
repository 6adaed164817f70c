package signature

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"livebridge/bridge"
)

// Ring judges callbacks by the keys and bounds of one Config. It does not change and may be used by any number of
// goroutines.
type Ring struct {
	stream, record, rtc *keys
	domains             map[string]bool // lower case; nil: any
	acceptUnsigned      bool

	skew, maxAhead, rtcMaxAge time.Duration

	works sync.Pool // of *work
}

// NewRing checks cfg and makes a ring of it; cfg may be changed afterwards. An error names the kind and the
// position of a key that the provider would not have taken, never the key.
func NewRing(cfg Config) (*Ring, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Ring{acceptUnsigned: cfg.AcceptUnsigned, skew: cfg.Skew, maxAhead: cfg.MaxAhead, rtcMaxAge: cfg.RTCMaxAge}
	r.works.New = func() any { return new(work) }
	if err := r.setKeys(cfg); err != nil {
		return nil, err
	}
	if err := r.setDomains(cfg.Domains); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Ring) setKeys(cfg Config) (err error) {
	scheme := cfg.RecordScheme
	switch scheme {
	case bridge.SchemeNone:
		scheme = bridge.SchemeHMAC
	case bridge.SchemeHMAC, bridge.SchemeHMACLegacy, bridge.SchemeMD5:
	default:
		return fmt.Errorf("recordings are not signed with %v; use HMACSHA256, HMACSHA256-LEGACY or MD5", scheme)
	}
	if r.stream, err = newKeys(bridge.KindStream, bridge.SchemeHMAC, cfg.Stream); err != nil {
		return err
	}
	if r.record, err = newKeys(bridge.KindRecord, scheme, cfg.Record); err != nil {
		return err
	}
	r.rtc, err = newKeys(bridge.KindRTCRecord, bridge.SchemeRTC, cfg.RTC)
	return err
}

func (r *Ring) setDomains(domains []string) error {
	for i, d := range domains {
		if !hostName(d) {
			return fmt.Errorf("domain %d of the allowed ones, %q, is not a host name; write it as push.example.com", i+1, d)
		}
		if r.domains == nil {
			r.domains = make(map[string]bool, len(domains))
		}
		r.domains[strings.ToLower(d)] = true
	}
	return nil
}

// keys returns what callbacks of a kind are judged by. Rules that tell domains and apps apart belong here: they
// only choose another set.
func (r *Ring) keys(k bridge.Kind) *keys {
	switch k {
	case bridge.KindStream:
		return r.stream
	case bridge.KindRecord:
		return r.record
	case bridge.KindRTCRecord:
		return r.rtc
	}
	return nil
}

// checkKeys settles the callbacks that no formula has to be tried for. signed reports whether there is one to try.
func (r *Ring) checkKeys(k bridge.Kind, sign string) (set *keys, signed bool, err error) {
	set = r.keys(k)
	switch {
	case set == nil || len(set.list) == 0 && r.acceptUnsigned:
		return set, false, nil
	case len(set.list) == 0:
		return set, false, unauthorized(ReasonNoKey, "there is no key for "+k.String()+
			" callbacks; configure one, here and at the provider, or set UNSIGNED=accept")
	case sign == "":
		return set, false, unauthorized(ReasonNoSignature, "a key is configured and the callback has no signature; "+
			"configure the same key at the provider")
	}
	return set, true, nil
}
