package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDemo: the demo passes, and prints every line that the README shows of it.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), &out, nil); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, found := strings.Cut(string(readme), "\n```\nCallbacks sent")
	shown, _, ended := strings.Cut("Callbacks sent"+shown, "\n```\n")
	if !found || !ended || strings.Count(shown, "\n") < 8 {
		t.Fatalf("the README shows %q of the demo", shown)
	}
	printed := demoLines(out.String())
	for _, line := range demoLines(shown) {
		if !strings.Contains("\n"+strings.Join(printed, "\n")+"\n", "\n"+line+"\n") {
			t.Errorf("the README shows %q, and the demo does not print it:\n%s", line, &out)
		}
	}
}

// demoLines returns the lines of the demo without what differs from run to run: all of a sequence but its last digits.
func demoLines(text string) []string {
	text = regexp.MustCompile(`sequence \d{17}(\d{3})`).ReplaceAllString(text, "sequence $1")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}
