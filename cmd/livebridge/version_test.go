package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// TestVersion: the command and the flag print the same line, which names what the linker was told and the version of
// Go.
func TestVersion(t *testing.T) {
	defer func(r, c string) { release, commit = r, c }(release, commit)
	release, commit = "v1.2.3", "0123abc"
	var output []string
	for _, argument := range []string{"version", "--version"} {
		var out, errOut bytes.Buffer
		if code := run(t.Context(), []string{argument}, processEnvironment(), &out, &errOut); code != exitDone {
			t.Errorf("%s exits with %d: %s", argument, code, &errOut)
		}
		output = append(output, out.String())
	}
	if want := "livebridge v1.2.3 (0123abc, " + runtime.Version() + ")\n"; output[0] != want {
		t.Errorf("it prints %q and not %q", output[0], want)
	}
	if output[0] != output[1] {
		t.Errorf("the flag prints %q and the command %q", strings.TrimSpace(output[1]), strings.TrimSpace(output[0]))
	}
}
