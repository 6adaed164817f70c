package signature

import (
	"fmt"
	"strings"

	"livebridge/bridge"
)

// Any stands for every domain, or every app, in a Rule.
const Any = "*"

// Rule gives the callbacks of one kind, domain and app keys of their own. Among the rules of a kind, exact domain and
// exact app win over exact domain and Any, that over Any with an exact app, that over Any and Any. A domain that has
// rules of a kind but none that fits the app is refused, whatever the rules for Any say. Where no rule fits at all, the
// kind's own keys judge.
type Rule struct {
	Where  string        // what errors call it, such as "line 12"; empty: its number, from 1
	Kind   bridge.Kind   // of snapshots, which have no formula, a rule lists domains and apps alone
	Domain string        // a host name, compared without case, or Any; of SparkRTC the app_id as it is, or Any
	App    string        // as it is, or Any; of SparkRTC always Any
	Scheme bridge.Scheme // of recordings alone; zero: Config.RecordScheme
	Keys   []string      // one or more, all valid at once; snapshots: none are needed
}

// appMax is the longest app or app_id that a callback can have.
const appMax = 255

// check refuses a rule that can never fit, or fits what nobody meant. No error holds what the rule says: a key may
// have been written in the wrong place.
func (r *Rule) check() error {
	switch {
	case r.Kind < bridge.KindStream || r.Kind > bridge.KindRTCRecord:
		return fmt.Errorf("the kind is none; use stream, record, snapshot or rtc-record")
	case r.Scheme != bridge.SchemeNone && r.Kind != bridge.KindRecord:
		return fmt.Errorf("a sign type is for recordings alone; leave it out for %v", r.Kind)
	case !r.domainFits():
		return fmt.Errorf("the domain is neither %s; %s alone stands for any", r.domainForm(), Any)
	case r.Kind == bridge.KindRTCRecord && r.App != Any:
		return fmt.Errorf("SparkRTC has one key for each app_id, which is the domain here; set the app to %s", Any)
	case !r.appFits():
		return fmt.Errorf("the app is neither 1 to %d characters without a * nor %s alone, for any", appMax, Any)
	case len(r.Keys) == 0 && r.Kind != bridge.KindSnapshot:
		return fmt.Errorf("there is no key; give the one that is configured at the provider")
	}
	return nil
}

func (r *Rule) domainFits() bool {
	if r.Kind == bridge.KindRTCRecord {
		return r.Domain == Any || validName(r.Domain)
	}
	return r.Domain == Any || hostName(r.Domain)
}

func (r *Rule) domainForm() string {
	if r.Kind == bridge.KindRTCRecord {
		return "an app_id nor " + Any
	}
	return "a host name (push.example.com) nor " + Any
}

func (r *Rule) appFits() bool { return r.App == Any || validName(r.App) }

func validName(s string) bool { return s != "" && len(s) <= appMax && !strings.Contains(s, Any) }

// ruleKey is where a rule holds; in the map its domain is in lower case, but for an app_id.
type ruleKey struct{ domain, app string }

func ruleKeyOf(k bridge.Kind, domain, app string) ruleKey {
	if k != bridge.KindRTCRecord {
		domain = strings.ToLower(domain)
	}
	return ruleKey{domain, app}
}

// keyTable chooses the keys that judge the callbacks of one kind.
type keyTable struct {
	kind          bridge.Kind
	fallback      *keys             // where no rule fits
	rules         map[ruleKey]*keys // nil: no rules
	listedDomains map[string]bool   // the domains that have rules of their own
	all           *keys             // own and all rules: for a SparkRTC callback that does not say its app_id
}

// add enters one rule. where says which rule it is, first which ones are there already.
func (t *keyTable) add(r *Rule, where string, first map[ruleKey]string, set *keys) error {
	at := ruleKeyOf(r.Kind, r.Domain, r.App)
	if other, found := first[at]; found {
		return fmt.Errorf("has the kind, domain and app of %s; put all keys into one of them", other)
	}
	first[at] = where
	if t.rules == nil {
		t.rules, t.listedDomains = make(map[ruleKey]*keys), make(map[string]bool)
	}
	t.rules[at] = set
	if at.domain != Any {
		t.listedDomains[at.domain] = true
	}
	t.all = t.all.with(set)
	return nil
}

// choose returns what judges a callback, or why nothing does.
func (t *keyTable) choose(domain, app string) (*keys, error) {
	if t.rules == nil {
		return t.fallback, nil
	}
	at := ruleKeyOf(t.kind, domain, app)
	if set := t.rules[at]; set != nil {
		return set, nil
	}
	if set := t.rules[ruleKey{at.domain, Any}]; set != nil {
		return set, nil
	}
	if t.listedDomains[at.domain] {
		return nil, forbidden(ReasonApp, "KEYS_FILE has rules for this domain and none for this app; add one if the app is yours")
	}
	if set := t.rules[ruleKey{Any, app}]; set != nil {
		return set, nil
	}
	if set := t.rules[ruleKey{Any, Any}]; set != nil {
		return set, nil
	}
	return t.fallback, nil
}

// unsigned reports whether the kind has no key anywhere.
func (t *keyTable) unsigned() bool { return len(t.all.list) == 0 }
