package main

import (
	"errors"
	"os"
	"slices"
	"strings"
)

// keySettings are the secrets whose file holds one key a line.
func keySettings() []string { return []string{"STREAM_KEY", "RECORD_KEY", "RTC_KEY"} }

// readSecretFiles puts the contents of the _FILE twins in the place of their settings.
func readSecretFiles(vars map[string]string) error {
	var errs []error
	for _, f := range (&settings{}).fields() {
		path := vars[prefix+f.name+"_FILE"]
		if !f.secret || path == "" {
			continue
		}
		if vars[prefix+f.name] != "" {
			errs = append(errs, wrong(f.name, "is set, and so is %s%s_FILE: set one of them", prefix, f.name))
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, wrong(f.name+"_FILE", "%w", err))
			continue
		}
		if vars[prefix+f.name] = secretOf(f.name, string(content)); vars[prefix+f.name] == "" {
			errs = append(errs, wrong(f.name+"_FILE", "%s is empty", path))
		}
	}
	return errors.Join(errs...)
}

// secretOf returns what a secret's file says, as the setting would: keys are joined by commas.
func secretOf(name, content string) string {
	if !slices.Contains(keySettings(), name) {
		return strings.TrimRight(content, "\r\n")
	}
	var keys []string
	for line := range strings.Lines(content) {
		if key := strings.TrimSpace(line); key != "" {
			keys = append(keys, key)
		}
	}
	return strings.Join(keys, ",")
}
