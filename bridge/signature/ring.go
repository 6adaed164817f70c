package signature

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"livebridge/bridge"
)

// Ring judges callbacks by the keys and bounds of one Config. It does not change but for counting, and may be used by
// any number of goroutines.
type Ring struct {
	stream, record, snapshot, rtc *table
	known                         []*key          // each once
	domains                       map[string]bool // lower case; nil: any
	acceptUnsigned                bool

	skew, maxAhead, rtcMaxAge time.Duration

	works sync.Pool // of *work
}

// NewRing checks cfg and makes a ring of it; cfg may be changed afterwards. The error joins all mistakes: each names the
// kind and the position of a key that the provider would not have taken, and the rule it stands in, never the key.
func NewRing(cfg Config) (*Ring, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Ring{acceptUnsigned: cfg.AcceptUnsigned, skew: cfg.Skew, maxAhead: cfg.MaxAhead, rtcMaxAge: cfg.RTCMaxAge}
	r.works.New = func() any { return new(work) }
	s := smith{uses: cmp.Or(cfg.Uses, new(Uses)), made: make(map[keyName]*key)}
	if err := errors.Join(r.setKeys(cfg, &s), r.setRules(cfg, &s), r.setDomains(cfg.Domains)); err != nil {
		return nil, err
	}
	r.known = s.known
	return r, nil
}

// Keys returns the ring's keys, each once for every kind, and what they were used for.
func (r *Ring) Keys() []KeyUse {
	uses := make([]KeyUse, len(r.known))
	for i, k := range r.known {
		uses[i] = KeyUse{k.name.kind, k.name.id, k.used.count.Load(), bridge.Millis(k.used.last.Load())}
	}
	return uses
}

// smith makes keys, each once however many rules have it.
type smith struct {
	uses  *Uses
	made  map[keyName]*key
	known []*key
}

func (s *smith) keys(k bridge.Kind, scheme bridge.Scheme, secrets []string) (*keys, error) {
	set := &keys{scheme: scheme}
	var errs []error
	for i, secret := range secrets {
		errs = append(errs, checkKey(k, i+1, secret))
		set.list = append(set.list, s.key(k, secret))
	}
	return set, errors.Join(errs...)
}

func (s *smith) key(k bridge.Kind, secret string) *key {
	name := keyName{k, KeyID(secret)}
	if made := s.made[name]; made != nil && made.secret == secret {
		return made
	}
	made := newKey(name, secret, s.uses.of(name))
	if s.made[name] == nil {
		s.known = append(s.known, made)
	}
	s.made[name] = made
	return made
}

// setKeys sets what judges each kind where no rule fits.
func (r *Ring) setKeys(cfg Config, s *smith) error {
	var errs []error
	for _, own := range []struct {
		at      **table
		kind    bridge.Kind
		scheme  bridge.Scheme
		secrets []string
	}{
		{&r.stream, bridge.KindStream, bridge.SchemeHMAC, cfg.Stream},
		{&r.record, bridge.KindRecord, cfg.recordScheme(), cfg.Record},
		{&r.snapshot, bridge.KindSnapshot, bridge.SchemeNone, nil},
		{&r.rtc, bridge.KindRTCRecord, bridge.SchemeRTC, cfg.RTC},
	} {
		set, err := s.keys(own.kind, own.scheme, own.secrets)
		errs = append(errs, err)
		*own.at = &table{kind: own.kind, own: set, all: set}
	}
	return errors.Join(errs...)
}

func (r *Ring) setRules(cfg Config, s *smith) error {
	first := make(map[bridge.Kind]map[place]string)
	var errs []error
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		where := cmp.Or(rule.Where, fmt.Sprintf("rule %d", i+1))
		if first[rule.Kind] == nil {
			first[rule.Kind] = make(map[place]string)
		}
		errs = append(errs, At(where, r.setRule(rule, where, first[rule.Kind], s)))
	}
	return errors.Join(errs...)
}

func (r *Ring) setRule(rule *Rule, where string, first map[place]string, s *smith) error {
	if err := rule.check(); err != nil {
		return err
	}
	t := r.table(rule.Kind)
	set, err := s.keys(rule.Kind, cmp.Or(rule.Scheme, t.own.scheme), rule.Keys)
	return errors.Join(err, t.add(rule, where, first, set))
}

func (r *Ring) setDomains(domains []string) error {
	var errs []error
	for i, d := range domains {
		if !hostName(d) {
			errs = append(errs, fmt.Errorf("domain %d of the allowed ones, %q, is not a host name; write it as push.example.com", i+1, d))
		}
		if r.domains == nil {
			r.domains = make(map[string]bool, len(domains))
		}
		r.domains[strings.ToLower(d)] = true
	}
	return errors.Join(errs...)
}

func (r *Ring) table(k bridge.Kind) *table {
	switch k {
	case bridge.KindStream:
		return r.stream
	case bridge.KindRecord:
		return r.record
	case bridge.KindSnapshot:
		return r.snapshot
	}
	return r.rtc
}

// checkKeys settles the callbacks that no formula has to be tried for. signed reports whether there is one to try.
func (r *Ring) checkKeys(t *table, set *keys, sign string) (signed bool, err error) {
	switch {
	case t.kind == bridge.KindSnapshot || r.acceptUnsigned && t.unsigned():
		return false, nil
	case len(set.list) == 0:
		return false, unauthorized(ReasonNoKey, "there is no key for "+t.kind.String()+
			" callbacks from here; configure one, here and at the provider, or set UNSIGNED=accept")
	case sign == "":
		return false, unauthorized(ReasonNoSignature, "a key is configured and the callback has no signature; "+
			"configure the same key at the provider")
	}
	return true, nil
}
