package keyring

import (
	"bytes"
	"errors"
	"strings"
)

// byteOrderMark is what some editors put in front of a text.
const byteOrderMark = "\ufeff"

// ParseList reads a file with one key a line. White space around a key, blank lines and the form of line ends do not
// count. The error is that there is no key.
func ParseList(content []byte) ([]string, error) {
	var keys []string
	for line := range strings.Lines(string(bytes.TrimPrefix(content, []byte(byteOrderMark)))) {
		if key := strings.TrimSpace(line); key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("is empty; write one key a line")
	}
	return keys, nil
}
