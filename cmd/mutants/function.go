package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// graft is a fault within one function, which is compiled beside the right function.
type graft struct {
	number   int
	function *ast.FuncDecl // the right one, of the file that was parsed at offset 0
	faulty   string        // the wrong function, under a name of its own
}

// newGraft returns the faulty function of m, or false if the fault is not within one function, or changes how it is
// called, or if the function must be called by defer itself because it recovers.
func newGraft(number int, m mutant, s *source) (graft, bool) {
	begin := strings.Index(s.text, m.old)
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || begin < offset(f.Pos()) || begin+len(m.old) > offset(f.End()) {
			continue
		}
		right := s.text[offset(f.Pos()):offset(f.End())]
		wrong := strings.Replace(right, m.old, m.new, 1)
		head := right[:f.Body.Lbrace-f.Pos()]
		if !strings.HasPrefix(wrong, head) || !isFunction(wrong) || strings.Contains(wrong, "recover()") {
			return graft{}, false
		}
		name := int(f.Name.End() - f.Pos())
		return graft{number, f, fmt.Sprintf("%sFault%d%s", wrong[:name], number, wrong[name:])}, true
	}
	return graft{}, false
}

// offset returns where in its file a position is, which is right only in a set of one file.
func offset(p token.Pos) int { return int(p) - 1 }

// isFunction reports whether a text is one function and nothing else.
func isFunction(text string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p; "+text, parser.SkipObjectResolution)
	if err != nil || len(file.Decls) != 1 {
		return false
	}
	_, ok := file.Decls[0].(*ast.FuncDecl)
	return ok
}

// edit replaces the text of a file from one offset to another.
type edit struct {
	from, to int
	text     string
}

// dispatchTo lets a function call that of its faulty forms whose number is planted. It adds no line, so that what a
// test says of the file's lines stays true.
func dispatchTo(f *ast.FuncDecl, grafts []graft) []edit {
	edits, call := callItself(f)
	var cases strings.Builder
	for _, g := range grafts {
		form := "case %d: return " + call + ";"
		if f.Type.Results == nil {
			form = "case %d: " + call + "; return;"
		}
		fmt.Fprintf(&cases, form, g.number, g.number)
	}
	at := offset(f.Body.Lbrace) + 1
	return append(edits, edit{at, at, " switch plantedFault { " + cases.String() + " };"})
}

// callItself returns the expression by which a function calls a function of the same signature, with %d for the number
// behind its name, and the edits that name all that has no name in the signature.
func callItself(f *ast.FuncDecl) (edits []edit, call string) {
	call = f.Name.Name + "Fault%d"
	if f.Recv != nil {
		more, names := named(f.Recv, "plantedReceiver")
		edits, call = more, names[0]+"."+call
	}
	if f.Type.TypeParams != nil {
		_, names := named(f.Type.TypeParams, "")
		call += "[" + strings.Join(names, ", ") + "]"
	}
	more, names := named(f.Type.Params, "plantedArgument")
	if n := len(names); n > 0 {
		if _, variadic := f.Type.Params.List[len(f.Type.Params.List)-1].Type.(*ast.Ellipsis); variadic {
			names[n-1] += "..."
		}
	}
	return append(edits, more...), call + "(" + strings.Join(names, ", ") + ")"
}

// named returns the names of a list of parameters, and the edits that give those a name that have none.
func named(list *ast.FieldList, prefix string) (edits []edit, names []string) {
	for _, field := range list.List {
		if len(field.Names) == 0 {
			name, at := fmt.Sprint(prefix, len(names)), offset(field.Type.Pos())
			edits, names = append(edits, edit{at, at, name + " "}), append(names, name)
		}
		for _, ident := range field.Names {
			name := ident.Name
			if name == "_" {
				name = fmt.Sprint(prefix, len(names))
				edits = append(edits, edit{offset(ident.Pos()), offset(ident.End()), name})
			}
			names = append(names, name)
		}
	}
	return edits, names
}
