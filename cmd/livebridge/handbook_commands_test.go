package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHandbookCommands: every command line of livebridge in the handbook, in a block or in the text, is one that the
// program has, with flags that it has.
func TestHandbookCommands(t *testing.T) {
	line, commands := regexp.MustCompile(`(?:^|-- /|\| |=\S+ )livebridge ((?:--env-file \S+ )?[a-z][^#|<]*)`), 0
	for _, code := range handbookCode(t) {
		m := line.FindStringSubmatch(code)
		if m == nil || m[1] == "cannot run" { // a message
			continue
		}
		root := newRoot(processEnvironment())
		c, args, err := root.Find(strings.Fields(m[1]))
		if err != nil || c == root {
			t.Errorf("livebridge %s: %v", m[1], err)
		} else if err := c.ParseFlags(args); err != nil {
			t.Errorf("livebridge %s: %v", m[1], err)
		}
		commands++
	}
	if commands < 30 {
		t.Errorf("%d commands are found", commands)
	}
}

// handbookCode returns the lines of the handbook's blocks for the shell, and the code in its text.
func handbookCode(t *testing.T) (code []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	for _, b := range block.FindAllStringSubmatch(string(text), -1) {
		if b[1] == "sh" {
			code = append(code, strings.Split(b[2], "\n")...)
		}
	}
	prose := block.ReplaceAllString(string(text), "")
	for _, span := range regexp.MustCompile("`([^`\n]*(?:\n[^`\n]+)?)`").FindAllStringSubmatch(prose, -1) {
		code = append(code, strings.Join(strings.Fields(span[1]), " "))
	}
	return code
}
