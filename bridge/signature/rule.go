package signature

import (
	"fmt"
	"strings"

	"livebridge/bridge"
)

// Any stands for every domain, or every app, in a Rule.
const Any = "*"

// Rule gives the callbacks of one kind, domain and app keys of their own. Among the rules of a kind, exact domain and
// exact app win over exact domain and Any, that over Any and an exact app, that over Any and Any. A domain that has
// rules of a kind but none for the app is rejected, whatever the rules for Any say. Where no rule matches, the kind's
// own keys apply.
type Rule struct {
	Where  string        // its name in errors, such as "line 12"; empty: its number, from 1
	Kind   bridge.Kind   // rules of snapshots, which have no formula, only list domains and apps
	Domain string        // a host name, case-insensitive, or Any; of SparkRTC the app_id, case-sensitive, or Any
	App    string        // case-sensitive, or Any; of SparkRTC always Any
	Scheme bridge.Scheme // of recordings only; zero: Config.RecordScheme
	Keys   []string      // one or more, all valid at once; snapshots: none are needed
}

// appMax is the longest app or app_id that a callback can have.
const appMax = 255

// check rejects a rule that can never match, or matches more than intended. No error contains a value of the rule: it
// may be a key in the wrong place.
func (r *Rule) check() error {
	switch {
	case r.Kind < bridge.KindStream || r.Kind > bridge.KindRTCRecord:
		return fmt.Errorf("unknown kind; use stream, record, snapshot or rtc-record")
	case r.Scheme != bridge.SchemeNone && r.Kind != bridge.KindRecord:
		return fmt.Errorf("the sign type is for recordings only; remove it for %v", r.Kind)
	case !r.domainFits():
		return fmt.Errorf("the domain is neither %s; use %s alone for any", r.domainForm(), Any)
	case r.Kind == bridge.KindRTCRecord && r.App != Any:
		return fmt.Errorf("SparkRTC has one key per app_id, which is the domain here; set the app to %s", Any)
	case !r.appFits():
		return fmt.Errorf("the app is neither 1 to %d characters without a * nor %s alone, for any", appMax, Any)
	case len(r.Keys) == 0 && r.Kind != bridge.KindSnapshot:
		return fmt.Errorf("no key; set the one that is configured at the provider")
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

// ruleKey is what a rule matches. Its domain is in lower case unless it is an app_id.
type ruleKey struct{ domain, app string }

func ruleKeyOf(k bridge.Kind, domain, app string) ruleKey {
	if k != bridge.KindRTCRecord {
		domain = strings.ToLower(domain)
	}
	return ruleKey{domain, app}
}

// keyTable chooses the keys that verify the callbacks of one kind.
type keyTable struct {
	kind          bridge.Kind
	fallback      *keys             // where no rule matches
	rules         map[ruleKey]*keys // nil: no rules
	listedDomains map[string]bool   // the domains that have rules of their own
	all           *keys             // of fallback and all rules, for SparkRTC callbacks without an app_id
}

// add adds a rule. where is its name, first has the names of those before it.
func (t *keyTable) add(r *Rule, where string, first map[ruleKey]string, set *keys) error {
	at := ruleKeyOf(r.Kind, r.Domain, r.App)
	if other, found := first[at]; found {
		return fmt.Errorf("same kind, domain and app as %s; put all keys into one of them", other)
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

// choose returns the keys for a callback, or why there are none.
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
		return nil, forbidden(ReasonApp,
			"the app is not allowed for this domain; add a rule for it to KEYS_FILE if it is yours")
	}
	if set := t.rules[ruleKey{Any, app}]; set != nil {
		return set, nil
	}
	if set := t.rules[ruleKey{Any, Any}]; set != nil {
		return set, nil
	}
	return t.fallback, nil
}

// unsigned reports whether neither the kind nor a rule has a key.
func (t *keyTable) unsigned() bool { return len(t.all.list) == 0 }

// allOf returns the keys of all apps that a domain has rules for.
func (t *keyTable) allOf(domain string) *keys {
	all := &keys{scheme: t.fallback.scheme}
	for at, set := range t.rules {
		if at.domain == ruleKeyOf(t.kind, domain, "").domain {
			all = all.with(set)
		}
	}
	return all
}
