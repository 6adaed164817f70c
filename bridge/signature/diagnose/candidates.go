package diagnose

import (
	"net/url"
	"slices"
	"strings"
)

// rtcTexts returns the texts that a SparkRTC signature may cover.
func rtcTexts(rand, timestamp, body string) signedTexts {
	trimmed := strings.TrimRight(body, "\r\n")
	return signedTexts{likely: []candidate{
		{rand + timestamp + body, "X-Rtc-Rand, X-Rtc-Timestamp and the body"},
		{rand + timestamp + trimmed, "X-Rtc-Rand, X-Rtc-Timestamp and the body without its trailing line end"},
		{rand + timestamp + trimmed + "\n", "X-Rtc-Rand, X-Rtc-Timestamp and the body with a trailing line end"},
		{timestamp + rand + body, "X-Rtc-Timestamp, X-Rtc-Rand and the body: another order"},
		{body + rand + timestamp, "the body, X-Rtc-Rand and X-Rtc-Timestamp: another order"},
		{rand + timestamp, "X-Rtc-Rand and X-Rtc-Timestamp, without the body"},
		{body, "the body alone"},
		{timestamp + body, "X-Rtc-Timestamp and the body"},
		{rand + body, "X-Rtc-Rand and the body"},
	}}
}

// liveTexts returns the texts that a Live signature may cover.
func liveTexts(timestamp string, own, other []Field) signedTexts {
	likely := []candidate{
		{join(own, ""), list(own)}, {timestamp, "auth_timestamp"}, {join(other, ""), list(other)}, {"", "nothing"},
	}
	return signedTexts{likely: append(likely, rewritten(own)...), others: append(shortened(own), reordered(own)...)}
}

func join(fields []Field, separator string) string {
	values := make([]string, len(fields))
	for i, f := range fields {
		values[i] = f.Value
	}
	return strings.Join(values, separator)
}

func list(fields []Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return strings.Join(names, " + ")
}

// rewritten returns the texts in which the values are written in other ways.
func rewritten(fields []Field) []candidate {
	var candidates []candidate
	for _, separator := range []string{"\n", ",", "&", "|", "+", " ", "-", ":", "_", "/", ";"} {
		candidates = append(candidates,
			candidate{join(fields, separator), list(fields) + " with " + quoted(separator) + " between them"})
	}
	each := func(how string, f func(name, value string) string) {
		other := slices.Clone(fields)
		for i := range other {
			other[i].Value = f(other[i].Name, other[i].Value)
		}
		candidates = append(candidates, candidate{join(other, ""), list(fields) + ", " + how})
	}
	each("URL-encoded", func(_, v string) string { return url.QueryEscape(v) })
	each("URL-encoded (%20 for a space)", func(_, v string) string { return url.PathEscape(v) })
	each("URL-decoded", func(_, v string) string {
		if decoded, err := url.PathUnescape(v); err == nil {
			return decoded
		}
		return v
	})
	each(`with slashes escaped as in JSON (\/)`, func(_, v string) string { return strings.ReplaceAll(v, "/", `\/`) })
	each("without white space around them", func(_, v string) string { return strings.TrimSpace(v) })
	each("in lower case", func(_, v string) string { return strings.ToLower(v) })
	each("the domain in lower case", func(name, v string) string {
		if strings.HasSuffix(name, "domain") {
			return strings.ToLower(v)
		}
		return v
	})
	each("auth_timestamp in milliseconds", func(name, v string) string {
		if name == "auth_timestamp" {
			return v + "000"
		}
		return v
	})
	for _, placeholder := range []string{"null", "None", "undefined", "nil"} {
		each("absent ones as "+placeholder, func(_, v string) string {
			if v == "" {
				return placeholder
			}
			return v
		})
	}
	return candidates
}

func quoted(separator string) string {
	if separator == "\n" {
		return "a line end"
	}
	return "'" + separator + "'"
}

// shortened returns the texts in which one or two fields are missing.
func shortened(fields []Field) []candidate {
	var candidates []candidate
	for i := range fields {
		for j := i; j < len(fields); j++ {
			var left []Field
			for k, f := range fields {
				if k != i && k != j {
					left = append(left, f)
				}
			}
			candidates = append(candidates, candidate{join(left, ""), list(left) + ": a field is missing"})
		}
	}
	return candidates
}

// reordered returns the texts in which the fields are in any other order.
func reordered(fields []Field) []candidate {
	var candidates []candidate
	var permute func(done, left []Field)
	permute = func(done, left []Field) {
		if len(left) == 0 {
			candidates = append(candidates, candidate{join(done, ""), list(done) + ": another order"})
		}
		for i := range left {
			permute(append(slices.Clone(done), left[i]), slices.Delete(slices.Clone(left), i, i+1))
		}
	}
	permute(nil, withoutEmpty(fields))
	return candidates
}

// withoutEmpty removes fields that add nothing in any position.
func withoutEmpty(fields []Field) []Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.Value == "" })
}
