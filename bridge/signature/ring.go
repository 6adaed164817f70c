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

// Ring verifies callbacks with the keys and limits of one Config. It is immutable except for its counters, and safe for
// concurrent use.
type Ring struct {
	stream, record, snapshot, rtc *keyTable
	allKeys                       []*key          // each once
	domains                       map[string]bool // lower case; nil: any
	acceptUnsigned                bool

	skew, maxAhead, rtcMaxAge time.Duration

	scratchPool sync.Pool // of *scratch
}

// NewRing checks cfg and makes a ring from it; cfg may be changed afterwards. The error joins all mistakes: each names
// the kind and the position of a key that the provider does not accept, and its rule, never the key.
func NewRing(cfg Config) (*Ring, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Ring{acceptUnsigned: cfg.AcceptUnsigned, skew: cfg.Skew, maxAhead: cfg.MaxAhead, rtcMaxAge: cfg.RTCMaxAge}
	r.scratchPool.New = func() any { return new(scratch) }
	f := keyFactory{uses: cmp.Or(cfg.Uses, new(Uses)), byName: make(map[keyName]*key)}
	if err := errors.Join(r.setKeys(cfg, &f), r.setRules(cfg, &f), r.setDomains(cfg.Domains)); err != nil {
		return nil, err
	}
	r.allKeys = f.all
	return r, nil
}

// Keys returns the ring's keys, each once per kind, with their usage.
func (r *Ring) Keys() []KeyUse {
	uses := make([]KeyUse, len(r.allKeys))
	for i, k := range r.allKeys {
		uses[i] = KeyUse{k.name.kind, k.name.id, k.used.count.Load(), bridge.Millis(k.used.last.Load())}
	}
	return uses
}

// keyFactory makes keys, each once even if several rules have it.
type keyFactory struct {
	uses   *Uses
	byName map[keyName]*key
	all    []*key
}

func (f *keyFactory) keySet(k bridge.Kind, scheme bridge.Scheme, secrets []string) (*keys, error) {
	set := &keys{scheme: scheme}
	var errs []error
	for i, secret := range secrets {
		errs = append(errs, checkKey(k, i+1, secret))
		set.list = append(set.list, f.key(k, secret))
	}
	return set, errors.Join(errs...)
}

func (f *keyFactory) key(k bridge.Kind, secret string) *key {
	name := keyName{k, KeyID(secret)}
	if made := f.byName[name]; made != nil && made.secret == secret {
		return made
	}
	made := newKey(name, secret, f.uses.of(name))
	if f.byName[name] == nil {
		f.all = append(f.all, made)
	}
	f.byName[name] = made
	return made
}

// setKeys sets the keys of each kind for callbacks that no rule matches.
func (r *Ring) setKeys(cfg Config, f *keyFactory) error {
	var errs []error
	for _, def := range []struct {
		at      **keyTable
		kind    bridge.Kind
		scheme  bridge.Scheme
		secrets []string
	}{
		{&r.stream, bridge.KindStream, bridge.SchemeHMAC, cfg.Stream},
		{&r.record, bridge.KindRecord, cfg.recordScheme(), cfg.Record},
		{&r.snapshot, bridge.KindSnapshot, bridge.SchemeNone, nil},
		{&r.rtc, bridge.KindRTCRecord, bridge.SchemeRTC, cfg.RTC},
	} {
		set, err := f.keySet(def.kind, def.scheme, def.secrets)
		errs = append(errs, err)
		*def.at = &keyTable{kind: def.kind, fallback: set, all: set}
	}
	return errors.Join(errs...)
}

func (r *Ring) setRules(cfg Config, f *keyFactory) error {
	first := make(map[bridge.Kind]map[ruleKey]string)
	var errs []error
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		where := cmp.Or(rule.Where, fmt.Sprintf("rule %d", i+1))
		if first[rule.Kind] == nil {
			first[rule.Kind] = make(map[ruleKey]string)
		}
		errs = append(errs, WithLocation(where, r.setRule(rule, where, first[rule.Kind], f)))
	}
	return errors.Join(errs...)
}

func (r *Ring) setRule(rule *Rule, where string, first map[ruleKey]string, f *keyFactory) error {
	if err := rule.check(); err != nil {
		return err
	}
	t := r.tableOf(rule.Kind)
	set, err := f.keySet(rule.Kind, cmp.Or(rule.Scheme, t.fallback.scheme), rule.Keys)
	return errors.Join(err, t.add(rule, where, first, set))
}

func (r *Ring) setDomains(domains []string) error {
	var errs []error
	for i, d := range domains {
		if !hostName(d) {
			errs = append(errs,
				fmt.Errorf("domain %d of the allowed domains, %q, is not a host name; use one like push.example.com", i+1, d))
		}
		if r.domains == nil {
			r.domains = make(map[string]bool, len(domains))
		}
		r.domains[strings.ToLower(d)] = true
	}
	return errors.Join(errs...)
}

func (r *Ring) tableOf(k bridge.Kind) *keyTable {
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

// checkKeys decides callbacks without a signature to verify. signed reports whether there is one.
func (r *Ring) checkKeys(t *keyTable, set *keys, sign string) (signed bool, err error) {
	switch {
	case t.kind == bridge.KindSnapshot || r.acceptUnsigned && t.unsigned():
		return false, nil
	case len(set.list) == 0:
		return false, unauthorized(ReasonNoKey, "no key is configured for this "+t.kind.String()+
			" callback; configure one, here and at the provider, or set UNSIGNED=accept")
	case sign == "":
		return false, unauthorized(ReasonNoSignature, "the callback has no signature; "+
			"configure the same key at the provider")
	}
	return true, nil
}
