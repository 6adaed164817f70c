package schemas_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/schemas"
)

// base is where the files would lie if they were served, so that relative references have something to be relative to.
const base = "https://livebridge.example/schemas/"

func read(t *testing.T, name string) any {
	t.Helper()
	text, err := fs.ReadFile(schemas.Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// compiler knows every schema by its $id and as the file it lies in, and the AsyncAPI document. It fetches nothing.
func compiler(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	err := c.AddResource(base+schemas.AsyncAPI, read(t, schemas.AsyncAPI))
	for _, name := range schemas.Names() {
		doc := read(t, schemas.File(name))
		err = errors.Join(err,
			c.AddResource("urn:livebridge:schema:"+name+":1", doc), c.AddResource(base+schemas.File(name), doc))
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEverySchemaCompiles(t *testing.T) {
	meta, err := compiler(t).Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range schemas.Names() {
		doc := read(t, schemas.File(name)).(map[string]any)
		if id := "urn:livebridge:schema:" + name + ":1"; doc["$id"] != id {
			t.Errorf("%s has the $id %v, want %s", name, doc["$id"], id)
		}
		if doc["$schema"] != "https://json-schema.org/draft/2020-12/schema" || doc["additionalProperties"] != false {
			t.Errorf("%s is not a strict schema of 2020-12", name)
		}
		if err := meta.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := compiler(t).Compile(doc["$id"].(string)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNamesAreFiles sees that no schema lies in the folder that nobody can ask for.
func TestNamesAreFiles(t *testing.T) {
	names, err := fs.Glob(schemas.Files(), "*.json")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{schemas.AsyncAPI}
	for _, name := range schemas.Names() {
		want = append(want, schemas.File(name))
	}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
}

func TestSchema(t *testing.T) {
	for _, name := range schemas.Names() {
		if text, err := schemas.Schema(name); err != nil || !json.Valid(text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "asyncapi", "../embed", "Stream", "golden"} {
		if _, err := schemas.Schema(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v, want one that says that there is none", name, err)
		}
	}
}

// TestAsyncAPI sees that every reference leads somewhere and every schema in the document compiles.
func TestAsyncAPI(t *testing.T) {
	doc := read(t, schemas.AsyncAPI).(map[string]any)
	if doc["asyncapi"] != "3.0.0" {
		t.Errorf("asyncapi is %v", doc["asyncapi"])
	}
	references, compiled := 0, 0
	walk(doc, "#", func(at string, object map[string]any) {
		if target, found := object["$ref"].(string); found {
			references++
			if err := resolve(t, target); err != nil {
				t.Errorf("%s: %v", at, err)
			}
		}
		if _, found := object["schemaFormat"]; found {
			compiled++
			if _, err := compiler(t).Compile(base + schemas.AsyncAPI + at + "/schema"); err != nil {
				t.Errorf("%s: %v", at, err)
			}
		}
	})
	if references < 40 || compiled != 16 {
		t.Errorf("%d references and %d schemas: the walk has not seen the document", references, compiled)
	}
}

// TestAsyncAPIMessages holds the messages' schemas to golden events.
func TestAsyncAPIMessages(t *testing.T) {
	event := read(t, "golden/stream/publish.out.json").(map[string]any)
	attributes := func(prefix string, more map[string]any) map[string]any {
		headers := map[string]any{"content-type": "application/json"}
		for name, value := range event {
			if name != "data" && (name != "datacontenttype" || prefix == "ce-") {
				headers[prefix+name] = value
			}
		}
		for name, value := range more {
			headers[name] = value
		}
		return headers
	}
	structured := map[string]any{"content-type": "application/cloudevents+json"}
	message := map[string]any{"Nats-Msg-Id": event["id"]}
	for _, test := range []struct {
		message          string
		headers, payload any
	}{
		{"kafkaStructured", structured, event},
		{"kafkaBinary", attributes("ce_", nil), event["data"]},
		{"natsStructured", map[string]any{"content-type": "application/cloudevents+json", "Nats-Msg-Id": "1"}, event},
		{"natsBinary", attributes("ce-", message), event["data"]},
	} {
		for part, instance := range map[string]any{"headers": test.headers, "payload": test.payload} {
			at := base + schemas.AsyncAPI + "#/components/messages/" + test.message + "/" + part + "/schema"
			schema, err := compiler(t).Compile(at)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(instance); err != nil {
				t.Errorf("%s: %v", test.message, err)
			}
			if schema.Validate(map[string]any{}) == nil {
				t.Errorf("the %s of %s may be empty", part, test.message)
			}
			if part == "headers" {
				checkTraceHeaders(t, test.message, schema, instance.(map[string]any))
			}
		}
	}
}

// checkTraceHeaders checks that headers of W3C Trace Context may be there, and must be such then.
func checkTraceHeaders(t *testing.T, message string, schema *jsonschema.Schema, headers map[string]any) {
	t.Helper()
	for parent, valid := range map[string]bool{
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": true,
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01": false, "": false,
	} {
		with := maps.Clone(headers)
		with["traceparent"], with["tracestate"] = parent, "a=1"
		if err := schema.Validate(with); (err == nil) != valid {
			t.Errorf("%s with the traceparent %q: %v", message, parent, err)
		}
	}
}

// TestGoldenPairs sees that every input has one outcome, and that nothing lies there that is no part of a pair.
func TestGoldenPairs(t *testing.T) {
	outcomes := map[string]int{}
	err := fs.WalkDir(schemas.Files(), "golden", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		pair, ending, _ := strings.Cut(name, ".")
		switch ending {
		case "in.json":
			outcomes[pair] += 0
		case "out.json", "error.txt":
			outcomes[pair]++
		case "headers.json":
			if _, err := fs.Stat(schemas.Files(), pair+".in.json"); err != nil {
				t.Errorf("%s belongs to nothing", name)
			}
		default:
			t.Errorf("%s is no part of a pair", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pair, n := range outcomes {
		if _, err := fs.Stat(schemas.Files(), pair+".in.json"); err != nil || n != 1 {
			t.Errorf("%s: %d outcomes, want 1 (%v)", pair, n, err)
		}
	}
}

// walk visits every object of a document with the JSON pointer to it.
func walk(node any, at string, visit func(at string, object map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		visit(at, node)
		for name, value := range node {
			walk(value, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), visit)
		}
	case []any:
		for _, value := range node {
			walk(value, at, visit)
		}
	}
}

// resolve follows a reference of the AsyncAPI document.
func resolve(t *testing.T, target string) error {
	t.Helper()
	file, pointer, _ := strings.Cut(target, "#")
	if file == "" {
		file = schemas.AsyncAPI
	}
	if u, err := url.Parse(file); err != nil || u.IsAbs() {
		return errors.New(target + " is not a file beside the document")
	}
	if _, err := fs.Stat(schemas.Files(), strings.TrimPrefix(file, "./")); err != nil {
		return err
	}
	node := read(t, strings.TrimPrefix(file, "./"))
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		object, _ := node.(map[string]any)
		if node = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]; node == nil {
			return errors.New(target + " leads nowhere")
		}
	}
	return nil
}
