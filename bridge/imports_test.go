package bridge_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// allowed is the import table of doc.go: what each package may import of ours. A package without a line here fails.
func allowed() map[string][]string {
	return map[string][]string{
		"bridge":                         {},
		"bridge/admin":                   {"bridge", "schemas"},
		"bridge/callback":                {"bridge"},
		"bridge/certificate":             {"bridge", "bridge/filewatch"},
		"bridge/checker":                 {"bridge"},
		"bridge/cluster":                 {"bridge", "bridge/processor", "bridge/record", "bridge/store"},
		"bridge/cluster/clustertest":     {"bridge"},
		"bridge/dispatch":                {"bridge"},
		"bridge/doctor":                  {"bridge", "bridge/admin", "bridge/probe", "bridge/provider", "bridge/signature"},
		"bridge/fallback":                {"bridge", "bridge/processor", "bridge/store"},
		"bridge/filewatch":               {},
		"bridge/ingress":                 {"bridge", "bridge/callback", "bridge/probe", "bridge/signature"},
		"bridge/journal":                 {"bridge", "bridge/outbox", "bridge/processor", "bridge/store", "bridge/tally"},
		"bridge/keyring":                 {"bridge", "bridge/filewatch", "bridge/signature", "bridge/signature/diagnose"},
		"bridge/outbox":                  {"bridge"},
		"bridge/probe":                   {"bridge", "bridge/signature"},
		"bridge/processor":               {"bridge", "bridge/record", "bridge/sequencer", "bridge/session"},
		"bridge/processor/processortest": {"bridge", "bridge/processor"},
		"bridge/provider":                {"bridge", "bridge/signature"},
		"bridge/provider/providertest":   {"bridge", "bridge/provider", "bridge/simulator"},
		"bridge/reconcile":               {"bridge", "bridge/provider", "bridge/session"},
		"bridge/record":                  {"bridge"},
		"bridge/rotation":                {"bridge", "bridge/admin"},
		"bridge/sequencer":               {"bridge"},
		"bridge/sequencer/sequencertest": {"bridge", "bridge/sequencer"},
		"bridge/session":                 {"bridge"},
		"bridge/signature":               {"bridge", "bridge/signature/diagnose"},
		"bridge/signature/diagnose":      {"bridge"},
		"bridge/simulator":               {"bridge", "bridge/signature"},
		"bridge/status":                  {"bridge"},
		"bridge/store":                   {"bridge", "bridge/outbox", "bridge/processor", "bridge/record"},
		"bridge/tally":                   {"bridge", "bridge/processor"},
		"bridge/tracing":                 {"bridge"},
		"bridge/tracing/tracingtest":     {},
		"cmd/livebridge":                 {"*"},
		"cmd/mutants":                    {},
		"schemas":                        {},
		"transports/kafka": {"bridge", "transports/kafka/committed", "transports/kafka/membership",
			"transports/kafka/partitions", "transports/kafka/producer", "transports/transporttls"},
		"transports/kafka/committed":  {},
		"transports/kafka/kafkatest":  {"transports/transporttest"},
		"transports/kafka/membership": {"transports/shares"},
		"transports/kafka/partitions": {"bridge", "transports/kafka/committed", "transports/kafka/producer",
			"transports/kafka/transaction"},
		"transports/kafka/producer":    {"bridge"},
		"transports/kafka/transaction": {"bridge", "transports/kafka/producer"},
		"transports/nats": {"bridge", "transports/nats/lease", "transports/nats/partitions",
			"transports/transporttls"},
		"transports/nats/embedded":   {"bridge", "transports/nats"},
		"transports/nats/lease":      {"transports/shares"},
		"transports/nats/natstest":   {"bridge", "transports/transporttest"},
		"transports/nats/partitions": {"bridge"},
		"transports/shares":          {},
		"transports/transporttest":   {"bridge"},
		"transports/transporttls":    {},

		"bridge/certificate/certificatetest": {}, // for tests alone, whoever's
		"bridge/store/storetest":             {},
		"schemas/schemastest":                {"schemas"},
	}
}

// owners are the dependencies that one package hides, alone or with those below it, or two that read files of their
// own. Of NATS, nkeys and jwt come with the client.
func owners() map[string][]string {
	return map[string][]string{
		"github.com/labstack/echo":      {"bridge/ingress"},
		"github.com/cockroachdb/pebble": {"bridge/store", "bridge/store/storetest"},
		"go.yaml.in/yaml":               {"bridge/keyring", "bridge/provider"},
		"github.com/nats-io/": {"transports/nats", "transports/nats/embedded", "transports/nats/lease",
			"transports/nats/natstest", "transports/nats/partitions"},
		"github.com/nats-io/nats-server": {"transports/nats/embedded", "transports/nats/natstest"},
		"github.com/segmentio/kafka-go": {"transports/kafka", "transports/kafka/committed", "transports/kafka/membership",
			"transports/kafka/partitions", "transports/kafka/producer", "transports/kafka/transaction"},
		"github.com/huaweicloud": {"bridge/provider"},
		"go.opentelemetry.io/":   {"bridge/tracing", "bridge/tracing/tracingtest"},
	}
}

const module = "livebridge"

// source is one file of the tree.
type source struct {
	path, pkg string
	file      *ast.File
	lines     int
	text      string
}

func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var out []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".ci" {
			return fs.SkipDir // tools of CI are modules of their own
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		out = append(out, source{path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), file: f,
			lines: strings.Count(string(text), "\n"), text: string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		may, known := allowed()[s.pkg]
		if !known {
			t.Errorf("%s: package %s has no line in this test and in bridge/doc.go", s.path, s.pkg)
			continue
		}
		for _, spec := range s.file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			checkImport(t, s, may, path)
		}
	}
}

func checkImport(t *testing.T, s source, may []string, path string) {
	t.Helper()
	if internal, found := strings.CutPrefix(path, module+"/"); found {
		if !slices.Contains(may, internal) && !slices.Contains(may, "*") || strings.HasPrefix(internal, "cmd/") {
			t.Errorf("%s must not import %s", s.path, path)
		}
		return
	}
	for dependency, packages := range owners() {
		if strings.HasPrefix(path, dependency) && !slices.Contains(packages, s.pkg) {
			t.Errorf("%s imports %s, which belongs to %s", s.path, path, packages)
		}
	}
	if (s.pkg == "bridge" || s.pkg == "schemas") && strings.Contains(strings.Split(path, "/")[0], ".") {
		t.Errorf("%s imports %s: this package takes the standard library only", s.path, path)
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	documented := make(map[string]bool)
	for _, s := range sources(t) {
		documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil && !strings.HasSuffix(s.path, "_test.go")
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

func TestFileLength(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > 400 {
			t.Errorf("%s has %d lines; 400 are the most", s.path, s.lines)
		}
	}
}

// TestLineLength: lines are at most 120 characters long, but for those of a raw string, which are as what they show is,
// and the rows of the table of settings.
func TestLineLength(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "config_descriptions.go") {
			continue
		}
		raw := rawLines(s)
		for i, line := range strings.Split(s.text, "\n") {
			if n := utf8.RuneCountInString(line); n > 120 && !raw[i+1] {
				t.Errorf("%s:%d has %d characters; 120 are the most", s.path, i+1, n)
			}
		}
	}
}

// rawLines are the lines of a file's raw strings of several lines.
func rawLines(s source) map[int]bool {
	raw := make(map[int]bool)
	ast.Inspect(s.file, func(n ast.Node) bool {
		literal, is := n.(*ast.BasicLit)
		if !is || !strings.Contains(literal.Value, "\n") {
			return true
		}
		from := strings.Count(s.text[:literal.Pos()-s.file.FileStart], "\n") + 1
		for line := range strings.Count(literal.Value, "\n") + 1 {
			raw[from+line] = true
		}
		return true
	})
	return raw
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	fixed := []string{"cmd", "bridge", "transports", "schemas", "deployments", "go.mod", "go.sum", "Makefile", "README.md",
		"LICENSE", "bin", "data", "dist"}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(fixed, e.Name()) {
			t.Errorf("%s does not belong to the top level", e.Name())
		}
	}
}
