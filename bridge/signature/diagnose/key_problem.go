package diagnose

import (
	"regexp"
	"strings"
)

// KeyProblem returns what in a key probably does not belong to it, such as the quotes of an env file, and what to do;
// empty if nothing. It never contains a part of the key.
func KeyProblem(key string) string {
	const quotes = "\"'`“”‘’"
	opens := key != "" && strings.ContainsRune(quotes, firstRune(key))
	closes := key != "" && strings.ContainsRune(quotes, lastRune(key))
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

// assignment matches the beginning of a line of an env file or a script.
func assignment() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(export\s|(export\s+)?[a-z0-9_]*key[a-z0-9_]*\s*=.)`)
}

func firstRune(text string) rune { return []rune(text)[0] }

func lastRune(text string) rune {
	all := []rune(text)
	return all[len(all)-1]
}

// cleanKey returns a key without what KeyProblem finds wrong.
func cleanKey(key string) string {
	key = strings.TrimPrefix(key, "\ufeff")
	if assignment().MatchString(key) {
		_, key, _ = strings.Cut(key, "=")
	}
	return strings.Trim(strings.TrimSpace(key), "\"'`“”‘’")
}
