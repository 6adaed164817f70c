package status

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the OpenAPI document that is served. Its schemas are what OpenAPI 3.0 makes of JSON Schema: with the
// keywords that it has they are of draft 4, too.
type document struct {
	Paths map[string]struct {
		Get struct {
			OperationID string
			Parameters  []any
		}
	}

	compiler *jsonschema.Compiler
}

// described returns the document, which is valid: it is as OpenAPI's own schema of such documents says, and as that
// schema cannot say.
func described(t *testing.T, e *example) *document {
	t.Helper()
	text := e.get(t, "/api/v1/openapi.json").Body.Bytes()
	d := &document{compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(text, d); err != nil {
		t.Fatal(err)
	}
	d.compiler.DefaultDraft(jsonschema.Draft4)
	value := d.add(t, "openapi.json", text)
	official, err := os.ReadFile(filepath.Join("testdata", "openapi-3.0.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	d.add(t, "openapi-3.0.schema.json", official)
	d.validate(t, "openapi-3.0.schema.json", value)
	d.checkNames(t)
	d.check(t, "openapi.json#", value)
	return d
}

// add gives the compiler a document of a name.
func (d *document) add(t *testing.T, name string, text []byte) (value any) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = d.compiler.AddResource(name, value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// compile returns the schema at a place. There is one, and whatever it refers to.
func (d *document) compile(t *testing.T, place string) *jsonschema.Schema {
	t.Helper()
	s, err := d.compiler.Compile(place)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate: a value is as the schema at a place says.
func (d *document) validate(t *testing.T, place string, value any) {
	t.Helper()
	if err := d.compile(t, place).Validate(value); err != nil {
		t.Error(err)
	}
}

// resultOf is the place of the schema of what a path answers.
func resultOf(path string) string {
	return "openapi.json#/paths/" + escaped(path) + "/get/responses/200/content/application~1json/schema"
}

// checkNames: every operation has a name of its own.
func (d *document) checkNames(t *testing.T) {
	t.Helper()
	known := map[string]string{}
	for path, item := range d.Paths {
		if other, ok := known[item.Get.OperationID]; ok {
			t.Errorf("%s and %s are both called %q", path, other, item.Get.OperationID)
		}
		known[item.Get.OperationID] = path
	}
}

// check: whatever is referred to is there, an array says of what it is one, and an example is as the schema says that
// is beside it or around it.
func (d *document) check(t *testing.T, place string, value any) {
	t.Helper()
	if list, ok := value.([]any); ok {
		for i, v := range list {
			d.check(t, place+"/"+strconv.Itoa(i), v)
		}
	}
	object, _ := value.(map[string]any)
	for name, v := range object {
		switch {
		case name == "$ref":
			d.compile(t, place)
		case name == "type" && v == "array" && object["items"] == nil:
			t.Errorf("%s: an array of anything", place)
		case name == "example" && object["schema"] != nil:
			d.validate(t, place+"/schema", v)
		case name == "example", name == "default":
			d.validate(t, place, v)
		}
		d.check(t, place+"/"+escaped(name), v)
	}
}

// escaped is a name as a part of a JSON pointer.
func escaped(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }
