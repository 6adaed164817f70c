package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// documents returns the texts for people, by their paths from the top folder.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, pattern := range []string{"*.md", ".github/*.md", "deployments/*.md", "schemas/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(text)
		}
	}
	if len(texts) < 5 {
		t.Fatalf("only %d documents are found", len(texts))
	}
	return texts
}

// TestDocumentsFit: the README has at most 200 lines, and no line of prose or code has more than 120 columns. Tables
// and drawings have the lines that they need.
func TestDocumentsFit(t *testing.T) {
	for file, text := range documents(t) {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if file == filepath.Join("..", "..", "README.md") && len(lines) > 200 {
			t.Errorf("%s has %d lines; 200 are the most", file, len(lines))
		}
		for i, line := range lines {
			if utf8.RuneCountInString(line) > proseWidth && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d has %d columns", file, i+1, utf8.RuneCountInString(line))
			}
		}
	}
}

// TestDocumentsLinks: every relative link leads to a file, and to a heading in it where it names one.
func TestDocumentsLinks(t *testing.T) {
	texts, checked := documents(t), 0
	for file, text := range texts {
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			checked++
			path, anchor, _ := strings.Cut(link[1], "#")
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", file, link[1], err)
			}
			if anchor != "" && !anchors(texts[target])[anchor] {
				t.Errorf("%s links to %s, and there is no such heading", file, link[1])
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d links are found", checked)
	}
}

// anchors returns the anchors that GitHub gives to a document's headings.
func anchors(text string) map[string]bool {
	all, odd := make(map[string]bool), regexp.MustCompile(`[^a-z0-9_-]`)
	for line := range strings.Lines(text) {
		heading, marked := strings.CutPrefix(strings.TrimLeft(strings.TrimSpace(line), "#"), " ")
		if !marked || line[0] != '#' {
			continue
		}
		anchor := odd.ReplaceAllString(strings.ReplaceAll(strings.ToLower(heading), " ", "-"), "")
		if all[anchor] {
			anchor += "-1"
		}
		all[anchor] = true
	}
	return all
}
