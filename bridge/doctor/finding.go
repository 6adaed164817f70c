package doctor

import (
	"cmp"
	"slices"
	"strings"

	"livebridge/bridge/provider"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	Error   Level = "error"   // callbacks do not arrive, or are rejected
	Warning Level = "warning" // callbacks arrive, but not all, or not safely, or not for long
	Info    Level = "info"    // nothing is wrong
)

// Check is what was compared.
type Check string

// The checks.
const (
	CheckProvider     Check = "provider"      // the provider's API answers
	CheckInstance     Check = "instance"      // the admin port of an instance answers
	CheckUnregistered Check = "unregistered"  // a callback is registered for each domain
	CheckSeveral      Check = "several"       // not more than one recording callback for a domain
	CheckURL          Check = "url"           // the registered URL is one
	CheckRoute        Check = "route"         // its path is the route of this kind
	CheckPlainHTTP    Check = "plain_http"    // it is https
	CheckCertificate  Check = "certificate"   // its certificate is trusted and valid for some time
	CheckDomain       Check = "domain"        // the domain is allowed
	CheckApp          Check = "app"           // the app is allowed
	CheckKey          Check = "key"           // the registered key is one of those that verify callbacks
	CheckRejected     Check = "rejected"      // no callbacks are rejected for their signature
	CheckSignType     Check = "sign_type"     // recordings are signed as it is expected, and not by a weak scheme
	CheckRecordStart  Check = "record_start"  // RECORD_START is subscribed
	CheckEvents       Check = "events"        // the other events of recordings are
	CheckProbe        Check = "probe"         // a signed probe through the URL is answered
	CheckLastCallback Check = "last_callback" // when a callback of each kind last arrived
)

// Checks returns every check.
func Checks() []Check {
	return []Check{CheckProvider, CheckInstance, CheckUnregistered, CheckSeveral, CheckURL, CheckRoute, CheckPlainHTTP,
		CheckCertificate, CheckDomain, CheckApp, CheckKey, CheckRejected, CheckSignType, CheckRecordStart, CheckEvents,
		CheckProbe, CheckLastCallback}
}

// Finding is one thing that was found. Its JSON is what the command prints.
type Finding struct {
	Level   Level  `json:"level"`
	Check   Check  `json:"check"`
	Subject string `json:"subject"`          // a place such as "record push.example.com/live", a domain, an instance
	Problem string `json:"problem"`          // what was found, without a secret
	Advice  string `json:"advice,omitempty"` // what to do
}

// findings collects findings.
type findings []Finding

func (f *findings) add(level Level, check Check, subject, problem, advice string) {
	*f = append(*f, Finding{level, check, subject, problem, advice})
}

// of returns a function that adds findings on one callback.
func (f *findings) of(p provider.Place) func(Level, Check, string, string) {
	return func(level Level, check Check, problem, advice string) {
		f.add(level, check, p.String(), problem, advice)
	}
}

// sorted returns the findings, the worst first.
func (f *findings) sorted() []Finding {
	rank := map[Level]int{Error: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(*f, func(a, b Finding) int {
		return cmp.Or(rank[a.Level]-rank[b.Level], strings.Compare(a.Subject, b.Subject))
	})
	return *f
}

// Wrong reports whether a finding is an error or a warning, unless its check is ignored.
func Wrong(all []Finding, ignored ...Check) bool {
	return slices.ContainsFunc(all, func(f Finding) bool {
		return f.Level != Info && !slices.Contains(ignored, f.Check)
	})
}
