package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// variable is the variable of the environment that tells a program of a tree with many faults which one to show.
const variable = "PLANTED_FAULT"

// tree is the source text with many faults in it, of which a program shows the one whose number the environment names:
// so most faults need no build of their own.
type tree struct {
	dir     string
	replace map[string]string  // by the path of a file, that of the file that is compiled in its place
	sources map[string]*source // by path
}

// source is a file with faults.
type source struct {
	text   string
	file   *ast.File
	grafts []graft
}

// newTree returns a tree without a fault that writes its files into a directory.
func newTree(dir string) *tree {
	return &tree{dir: dir, replace: map[string]string{}, sources: map[string]*source{}}
}

// add adds a fault, and reports whether it could: that which is not within a function needs a build of its own.
func (t *tree) add(number int, m mutant) (bool, error) {
	path, text, err := m.read()
	if err != nil || !strings.HasSuffix(m.file, ".go") {
		return false, err
	}
	s := t.sources[path]
	if s == nil {
		file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
		if err != nil {
			return false, err
		}
		s = &source{text: text, file: file}
		t.sources[path] = s
	}
	g, ok := newGraft(number, m, s)
	if ok {
		s.grafts = append(s.grafts, g)
	}
	return ok, nil
}

// write writes the files with the faults, and the overlay by which they are compiled, whose path it returns.
func (t *tree) write() (string, error) {
	for path, s := range t.sources {
		chooser := fmt.Sprintf(choose, s.file.Name.Name, variable)
		err := errors.Join(t.put(path, s.faulty()), t.put(filepath.Join(filepath.Dir(path), "planted_fault.go"), chooser))
		if err != nil {
			return "", err
		}
	}
	overlay := filepath.Join(t.dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": t.replace})
	return overlay, errors.Join(err, os.WriteFile(overlay, list, 0o600))
}

// choose is the text of a file that is added to each package with faults.
const choose = `package %s

import (
	"os"
	"strconv"
)

var plantedFault, _ = strconv.Atoi(os.Getenv(%q))
`

// put lets a text be compiled in place of a file.
func (t *tree) put(path, text string) error {
	if t.replace[path] == "" {
		t.replace[path] = filepath.Join(t.dir, strconv.Itoa(len(t.replace))+".go")
	}
	return os.WriteFile(t.replace[path], []byte(text), 0o600)
}

// faulty returns the text of the file with the faulty functions, and with the calls of them.
func (s *source) faulty() string {
	functions := map[*ast.FuncDecl][]graft{}
	for _, g := range s.grafts {
		functions[g.function] = append(functions[g.function], g)
	}
	var edits []edit
	for f, grafts := range functions {
		edits = append(edits, dispatchTo(f, grafts)...)
	}
	slices.SortFunc(edits, func(a, b edit) int { return b.from - a.from }) // the last first: offsets stay
	text := s.text
	for _, e := range edits {
		text = text[:e.from] + e.text + text[e.to:]
	}
	for _, g := range s.grafts {
		text += "\n" + g.faulty + "\n"
	}
	return text
}
