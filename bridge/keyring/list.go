package keyring

import (
	"bytes"
	"errors"
	"strings"
)

// byteOrderMark precedes the text that some editors write.
const byteOrderMark = "\ufeff"

// ParseList parses a file with one key per line. It ignores white space around keys, blank lines and the kind of line
// ends. The error is that there is no key.
func ParseList(content []byte) ([]string, error) {
	var keys []string
	for line := range strings.Lines(string(bytes.TrimPrefix(content, []byte(byteOrderMark)))) {
		if key := strings.TrimSpace(line); key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("is empty; write one key per line")
	}
	return keys, nil
}
