// Package schemastest compiles the schemas of events, for tests.
package schemastest

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/schemas"
)

// Compile returns the schema of a name, which may refer to all the others.
func Compile(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, each := range schemas.Names() {
		text, err := schemas.Schema(each)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("urn:livebridge:schema:"+each+":1", doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("urn:livebridge:schema:" + name + ":1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
