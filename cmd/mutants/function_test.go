package main

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFaultyFunctions: a file with faults compiles, its lines are where they were, and each function calls its faulty
// form as it was called itself.
func TestFaultyFunctions(t *testing.T) {
	for _, c := range []struct{ name, function, calls string }{
		{"results", "func f(a, b int) int { return a + 1 }", "return fFault7(a, b)"},
		{"no results", "func f(a int) { _ = a + 1 }", "fFault7(a); return"},
		{"a method", "func (r *T) f() (n int, err error) {\n\tn = 3 + 1\n\treturn\n}", "return r.fFault7()"},
		{"a method of a generic type", "func (g G[K]) f(k K) int { return 3 + 1 }", "return g.fFault7(k)"},
		{"a generic function", "func f[K, V any](m map[int]V) (k K) { _ = 3 + 1; return }", "return fFault7[K, V](m)"},
		{"any number of arguments", "func f(a ...int) int { return 3 + 1 }", "return fFault7(a...)"},
		{"arguments without a name", "func (T) f(int, string) int { return 3 + 1 }",
			"return plantedReceiver0.fFault7(plantedArgument0, plantedArgument1)"},
		{"arguments that are not used", "func f(_, a int, _ string) int { return a + 1 }",
			"return fFault7(plantedArgument0, a, plantedArgument2)"},
		{"a function that begins a program", "func init() { _ = 3 + 1 }", "initFault7(); return"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parsed(t, "package p\n\ntype T int\n\ntype G[K any] []K\n\n"+c.function+"\n\nvar end int\n")
			g, ok := newGraft(7, mutant{old: "+ 1", new: "- 1"}, s)
			if !ok {
				t.Fatal("the fault needs a build of its own")
			}
			s.grafts = append(s.grafts, g)
			text := s.faulty()
			compile(t, text)
			if want := "switch plantedFault { case 7: " + c.calls + "; };"; !strings.Contains(text, want) {
				t.Errorf("there is no %q in\n%s", want, text)
			}
			before, _, _ := strings.Cut(text, "var end")
			if n := strings.Count(before, "\n"); n != strings.Count(s.text, "\n")-1 || strings.Count(text, "- 1") != 1 {
				t.Errorf("lines or faults are not what they were:\n%s", text)
			}
		})
	}
}

// TestFaultsAlone: what is no other form of one function needs a build of its own.
func TestFaultsAlone(t *testing.T) {
	const text = "package p\n\nconst c = 1\n\nfunc f(a int) int { return a }\n\nfunc g() { if recover() != nil {} }\n"
	for name, m := range map[string]mutant{
		"not in a function":  {old: "c = 1", new: "c = 2"},
		"another signature":  {old: "(a int) int", new: "(a int) (b int)"},
		"another name":       {old: "f(a", new: "h(a"},
		"two functions":      {old: "return a }", new: "return a }\n\nfunc h() {}"},
		"of two functions":   {old: "}\n\nfunc g() {", new: "}\n\nfunc g() { return;"},
		"no function at all": {old: "return a }", new: ""},
		"it recovers":        {old: "!= nil", new: "== nil"},
	} {
		if g, ok := newGraft(7, m, parsed(t, text)); ok {
			t.Errorf("%s: it is built with others:\n%s", name, g.faulty)
		}
	}
}

func parsed(t *testing.T, text string) *source {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return &source{text: text, file: file}
}

// compile compiles a file, with the variable that tells which fault is planted.
func compile(t *testing.T, text string) {
	t.Helper()
	command := exec.Command("go", "tool", "compile", "-p", "p", "-o", "p.a", "faulty.go", "planted_fault.go")
	command.Dir = t.TempDir()
	for name, content := range map[string]string{
		"faulty.go": text, "planted_fault.go": "package p\n\nvar plantedFault int\n"} {
		if err := os.WriteFile(filepath.Join(command.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := output(command); err != nil {
		t.Errorf("%v\n%s\n%s", err, said, text)
	}
}
