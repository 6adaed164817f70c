package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the reference of settings in the operator's handbook")

const (
	referenceBegin = "<!-- Generated from cmd/livebridge/config.go: go generate ./cmd/livebridge -->\n"
	referenceEnd   = "<!-- End of the generated part. -->\n"
	proseWidth     = 120
	summaryWidth   = 160 // of the line that config prints
)

// TestSettingsReference: the handbook's reference of settings, and what the command config says of each, is what
// config.go says.
func TestSettingsReference(t *testing.T) {
	current(t, "config_descriptions.go", describe(t))
	path := filepath.Join("..", "..", "deployments", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), referenceBegin)
	_, after, ended := strings.Cut(rest, referenceEnd)
	if !begun || !ended {
		t.Fatalf("%s has no place for the reference between %q and %q", path, referenceBegin, referenceEnd)
	}
	current(t, path, before+referenceBegin+reference(t)+referenceEnd+after)
}

// current compares a file with what is generated, or writes it.
func current(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	switch {
	case err == nil && want == string(text):
	case *update:
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not current; run go generate ./cmd/livebridge", path)
	}
}

// describe writes the first sentence of every setting's comment as a Go function.
func describe(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString("// Code generated from config.go by go generate; DO NOT EDIT.\n\npackage main\n\n" +
		"// descriptions returns one line on every setting.\n" +
		"func descriptions() map[string]string {\nreturn map[string]string{\n")
	for _, f := range settingsOf(t, file) {
		name := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("env")
		fmt.Fprintf(&out, "%q: %q,\n", name, firstSentence(f.Doc.Text()))
	}
	out.WriteString("}\n}\n")
	formatted, err := format.Source([]byte(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	return string(formatted)
}

// firstSentence returns the first sentence of Markdown as plain text, or the beginning of a long one.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end+1]
	}
	text = strings.ReplaceAll(regexp.MustCompile(`\[([^]]+)\]\([^)]*\)`).ReplaceAllString(text, "$1"), "`", "")
	for _, separator := range []string{"; ", ": "} {
		if before, _, found := strings.Cut(text, separator); found && len(text) > proseWidth {
			text = before + "."
		}
	}
	return text
}

// reference writes the comments of config.go as Markdown.
func reference(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var headings []*ast.CommentGroup
	for _, c := range file.Comments {
		if strings.HasPrefix(c.Text(), "# ") {
			headings = append(headings, c)
		}
	}
	var out strings.Builder
	for _, f := range settingsOf(t, file) {
		for ; len(headings) > 0 && headings[0].Pos() < f.Pos(); headings = headings[1:] {
			fmt.Fprintf(&out, "\n##%s\n", headings[0].Text())
		}
		out.WriteString(referenceOf(t, f))
	}
	return out.String() + "\n"
}

// settingsOf returns the fields of the settings that have a name, in order.
func settingsOf(t *testing.T, file *ast.File) []*ast.Field {
	t.Helper()
	var out []*ast.Field
	object, ok := file.Scope.Lookup("settings").Decl.(*ast.TypeSpec).Type.(*ast.StructType)
	if !ok {
		t.Fatal("settings is no struct")
	}
	for _, f := range object.Fields.List {
		if f.Tag != nil {
			out = append(out, f)
		}
	}
	if all := len((&settings{}).fields()); len(out) != all {
		t.Fatalf("%d of %d settings are found", len(out), all)
	}
	return out
}

// referenceOf describes one setting.
func referenceOf(t *testing.T, f *ast.Field) string {
	t.Helper()
	tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
	name := tag.Get("env")
	if f.Doc.Text() == "" {
		t.Errorf("%s has no comment that says what it does", name)
	}
	text := "- **`" + name + "`**"
	if tag.Get("secret") != "" {
		text += ", **`" + name + "_FILE`**"
	}
	if value := tag.Get("envDefault"); value != "" {
		text += " (`" + value + "`)"
	}
	return wrapped(text + ": " + f.Doc.Text())
}

// wrapped breaks the text of a list's item into lines.
func wrapped(text string) string {
	var out strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case width+1+len(word) > proseWidth:
			out.WriteString("\n  ")
			width = 2
		default:
			out.WriteString(" ")
			width++
		}
		out.WriteString(word)
		width += len(word)
	}
	return out.String() + "\n"
}
