package signature

import (
	"regexp"
	"strings"
)

// KeyDoubt says what in a key looks as if it did not belong to it, such as the quotes of an env file, and what to do;
// empty: nothing. It never repeats a part of the key.
func KeyDoubt(key string) string {
	const quotes = "\"'`“”‘’"
	opens := key != "" && strings.ContainsRune(quotes, first(key))
	closes := key != "" && strings.ContainsRune(quotes, last(key))
	switch {
	case strings.HasPrefix(key, "\ufeff"):
		return "begins with a byte order mark; save it as UTF-8 without one"
	case opens && closes:
		return "is in quotes, which are part of the value; remove them"
	case opens:
		return "begins with a quote, which is part of the value; remove it"
	case closes:
		return "ends with a quote, which is part of the value; remove it"
	case assignment().MatchString(key):
		return "begins with a variable name, which is part of the value; remove it"
	}
	return ""
}

// assignment matches what a line of an env file or a script begins with.
func assignment() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(export\s|(export\s+)?[a-z0-9_]*key[a-z0-9_]*\s*=.)`)
}

func first(text string) rune { return []rune(text)[0] }

func last(text string) rune {
	all := []rune(text)
	return all[len(all)-1]
}

// withDoubt adds to an error about a key what looks wrong about it.
func withDoubt(key string) string {
	if doubt := KeyDoubt(key); doubt != "" {
		return "; it " + doubt
	}
	return ""
}

// bare returns a key without what KeyDoubt finds wrong.
func bare(key string) string {
	key = strings.TrimPrefix(key, "\ufeff")
	if assignment().MatchString(key) {
		_, key, _ = strings.Cut(key, "=")
	}
	return strings.Trim(strings.TrimSpace(key), "\"'`“”‘’")
}
