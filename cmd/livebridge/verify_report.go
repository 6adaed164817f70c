package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/ingress"
	"livebridge/bridge/signature"
)

// verifyReport writes the output of verify, one name and value per line.
type verifyReport struct{ w io.Writer }

func (x *verifyReport) line(name, format string, args ...any) {
	fmt.Fprintf(x.w, "%-11s %s\n", name, fmt.Sprintf(format, args...))
}

// verdict writes what the service does with the callback, and returns errNotValid unless it publishes it or ignores it.
func (x *verifyReport) verdict(v *ingress.Verdict) error {
	var reason bridge.Reason
	if v.Arrival != nil {
		reason = v.Arrival.Reason
	}
	switch refused := v.Refusal; {
	case refused != nil && reason != "":
		x.line("verdict", "not valid: %d %s, and quarantine %s: %s", refused.Status, refused.Reason, reason, refused.Detail())
	case refused != nil:
		x.line("verdict", "not valid: %d %s: %s", refused.Status, refused.Reason, refused.Detail())
	case reason == bridge.ReasonMalformed:
		x.line("verdict", "not valid: 200, but quarantine %s: %v", reason, v.Malformed)
	case reason == bridge.ReasonUnknownEvent:
		x.line("verdict", "not valid: 200, but quarantine %s: the event is unknown, and DOMAINS is empty", reason)
	default:
		x.line("verdict", "valid%s", validity(v))
		return nil
	}
	return errNotValid
}

// validity returns what there is to add to a verdict that a callback is valid.
func validity(v *ingress.Verdict) string {
	switch {
	case v.Ignored:
		return ", but not published: IGNORE_STREAMS matches its stream"
	case v.Claim.Kind == bridge.KindSnapshot:
		return " on the path with SNAPSHOT_TOKEN, which authenticates snapshots: " +
			"the formula of their signature is not documented"
	case v.Arrival.Event.Scheme == bridge.SchemeNone:
		return ", unsigned: UNSIGNED=accept, and there is no key for this kind"
	}
	return ""
}

// explain writes the scheme, the signed fields, the signatures and the first difference.
func (x *verifyReport) explain(e signature.Explanation, given string) {
	x.line("scheme", "%s", formulaOf(e))
	var text strings.Builder
	for i, f := range e.Fields {
		name, value := "", strconv.Quote(f.Value)
		if i == 0 {
			name = "signed"
		}
		if f.Name == "key" {
			value = "(not shown)"
			text.WriteString("(key)")
		}
		text.WriteString(f.Value)
		x.line(name, "%-15s %s", f.Name, value)
	}
	if len(e.Fields) > 0 {
		x.line("canonical", "%q", text.String())
	}
	for i, t := range e.Attempts {
		x.line("expected", "%s   by key %d of %d, id %s", t.Sign, i+1, len(e.Attempts), t.Key)
	}
	x.line("given", "%s", orNone(given))
	matches := false
	if len(e.Attempts) > 0 && given != "" {
		var text string
		if text, matches = difference(e.Attempts, given); text != "" {
			x.line("difference", "%s", text)
		}
	}
	switch {
	case e.Diagnosis != "":
		x.line("diagnosis", "the given signature is %s", e.Diagnosis)
	case len(e.Attempts) > 0 && given != "" && !matches:
		x.line("diagnosis", "no usual mistake fits: the provider signs with another key, or a signed value was changed")
	}
}

// formulaOf returns a scheme as its formula.
func formulaOf(e signature.Explanation) string {
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Name)
	}
	what := strings.Join(names, " + ")
	switch e.Scheme {
	case bridge.SchemeNone:
		return "none: no key applies to this callback"
	case bridge.SchemeMD5:
		return fmt.Sprintf("%v = MD5(%s)", e.Scheme, what)
	}
	return fmt.Sprintf("%v = HMAC-SHA256(%s, key)", e.Scheme, what)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// similarDigits is how many digits two signatures have in common only if one was made from the other.
const similarDigits = 8

// difference returns where the given signature differs from the most similar expected one; empty: everywhere.
func difference(attempts []signature.Attempt, given string) (text string, matches bool) {
	most, best := -1, ""
	for i, t := range attempts {
		if t.Matches {
			return fmt.Sprintf("none: key %d made it", i+1), true
		}
		common := 0
		for common < min(len(t.Sign), len(given)) && t.Sign[common] == lower(given[common]) {
			common++
		}
		if common > most {
			most, best = common, t.Sign
		}
	}
	switch {
	case most >= similarDigits:
		return fmt.Sprintf("from digit %d on (%d digits given, %d expected)", most+1, len(given), len(best)), false
	case len(given) != len(best):
		return fmt.Sprintf("%d digits given, %d expected", len(given), len(best)), false
	}
	return "", false
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// expiry writes the expiry in auth_timestamp.
func (x *verifyReport) expiry(timestamp string, now time.Time, s *settings) {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || len(timestamp) != 10 {
		x.line("expires", "auth_timestamp %q is not 10 digits, a Unix time in seconds", timestamp)
		return
	}
	end := time.Unix(seconds, 0).UTC()
	x.line("expires", "%s, %s; accepted from %s until %s", end.Format(time.RFC3339), relative(end.Sub(now)),
		end.Add(-s.AuthMaxAhead).Format(time.RFC3339), end.Add(s.AuthSkew).Format(time.RFC3339))
}

// age writes the time of signing in X-Rtc-Timestamp.
func (x *verifyReport) age(timestamp string, now time.Time, s *settings) {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	made := time.Unix(n, 0).UTC()
	if len(timestamp) == 13 {
		made = time.UnixMilli(n).UTC()
	}
	if err != nil || len(timestamp) != 10 && len(timestamp) != 13 {
		x.line("signed at", "X-Rtc-Timestamp %q is neither 10 digits (seconds) nor 13 (milliseconds)", timestamp)
		return
	}
	x.line("signed at", "%s, %s; accepted until %s",
		made.Format(time.RFC3339), relative(made.Sub(now)), made.Add(s.RTCMaxAge).Format(time.RFC3339))
}

// relative formats the distance of an instant from now.
func relative(d time.Duration) string {
	switch {
	case d < 0:
		return formatDuration(-d) + " ago"
	case d == 0:
		return "now"
	}
	return "in " + formatDuration(d)
}

// formatDuration formats a duration in its largest unit and the next one.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	units := []struct {
		size time.Duration
		name string
	}{{365 * day, "year"}, {day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		text := pluralize(d/u.size, u.name)
		if i+1 < len(units) && d%u.size >= units[i+1].size {
			text += " " + pluralize(d%u.size/units[i+1].size, units[i+1].name)
		}
		return text
	}
	return "less than a second"
}

func pluralize(n time.Duration, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
