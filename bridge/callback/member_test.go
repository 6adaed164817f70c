package callback

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"livebridge/bridge"
	"livebridge/schemas"
)

// property is what the tables and the schemas both say of a member.
type property struct {
	Type       string
	Pattern    string
	MaxLength  int
	Properties map[string]json.RawMessage
}

// TestTables holds each table to its schema, member for member, and to the order that the output needs.
func TestTables(t *testing.T) {
	for _, kind := range bridge.Kinds() {
		def := definitionOf(kind)
		var schema struct {
			Properties map[string]json.RawMessage
			Required   []string
		}
		text, err := schemas.Schema(kind.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		if def.kind != kind {
			t.Errorf("%v has the table of %v", kind, def.kind)
		}
		checkTable(t, kind.String(), def.members, schema.Properties)
		var needed []string
		for _, m := range def.members {
			if m.need {
				needed = append(needed, m.out)
			}
		}
		if !slices.Equal(needed, schema.Required) {
			t.Errorf("%v needs %v, its schema %v", kind, needed, schema.Required)
		}
	}
}

func checkTable(t *testing.T, table string, members []member, properties map[string]json.RawMessage) {
	t.Helper()
	types := map[shape]string{text: "string", host: "string", integer: "integer", instant: "string", session: "integer",
		nested: "object", unrecognized: "object"}
	var outs []string
	ins := map[string]bool{}
	for _, m := range members {
		if ins[m.in] {
			t.Errorf("%s: %q is there twice", table, m.in)
		}
		ins[m.in] = true
		if m.out == "" {
			continue
		}
		outs = append(outs, m.out)
		var p property
		if err := json.Unmarshal(properties[m.out], &p); err != nil {
			t.Fatalf("%s: %s: %v", table, m.out, err)
		}
		if p.Type != types[m.shape] || p.MaxLength != m.limit ||
			(p.Pattern != "") != (m.shape == instant || m.shape == host) {
			t.Errorf("%s: %s is %+v in the table and %+v in the schema", table, m.out, m, p)
		}
		if m.shape == nested {
			checkTable(t, table+" "+m.out, obsAddrMembers, p.Properties)
		}
	}
	if want := slices.Sorted(maps.Keys(properties)); !slices.Equal(outs, want) {
		t.Errorf("%s: members %v, want %v in this order", table, outs, want)
	}
}

// TestEventNames: each event name has a type of its own.
func TestEventNames(t *testing.T) {
	seen := map[string]bool{snapshotType: true}
	for _, kind := range bridge.Kinds() {
		def := definitionOf(kind)
		if unknown := (&bridge.Event{Type: def.unknownType}).Unknown(); unknown != (kind != bridge.KindSnapshot) {
			t.Errorf("%v: type %q for unknown words", kind, def.unknownType)
		}
		for _, w := range def.events {
			if found, known := def.lookup([]byte(w.name)); !known || found != w || seen[w.ceType] {
				t.Errorf("%v: %+v is found as %+v", kind, w, found)
			}
			seen[w.ceType] = true
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d types, want 11", len(seen))
	}
}
