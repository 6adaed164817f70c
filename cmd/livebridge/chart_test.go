package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestChartKnowsTheSettings: the Helm chart accepts the names of settings that the program has, and no others. Secrets
// come from a Secret and are not accepted as plain values.
func TestChartKnowsTheSettings(t *testing.T) {
	path := filepath.Join("..", "..", "deployments", "helm", "livebridge", "values.schema.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{"secretKeys": {"KEYS_FILE"}}
	for _, f := range (&settings{}).fields() {
		property := "settings"
		if f.secret {
			property = "secretKeys"
		}
		names[property] = append(names[property], f.name)
	}
	schema := withNames(t, string(text), "secretKeys", "key", names["secretKeys"])
	current(t, path, withNames(t, schema, "settings", "setting", names["settings"]))
}

// withNames returns the schema in which a property is an object whose members have these names, and one definition.
func withNames(t *testing.T, schema, property, definition string, names []string) string {
	t.Helper()
	pattern := regexp.MustCompile(`("` + property +
		`": \{\s+"type": "object",\s+"additionalProperties": false,\s+"properties": )` +
		`\{(\s+"[A-Z_]+": \{[^}]*\},?)*\s*\}`)
	if !pattern.MatchString(schema) {
		t.Fatalf("the schema has no place for the names of %s", property)
	}
	lines := make([]string, 0, len(names))
	for _, name := range names {
		lines = append(lines, fmt.Sprintf(`        %q: {"$ref": "#/definitions/%s"}`, name, definition))
	}
	members := strings.ReplaceAll(strings.Join(lines, ",\n"), "$", "$$")
	return pattern.ReplaceAllString(schema, "${1}{\n"+members+"\n      }")
}
