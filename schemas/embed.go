// Package schemas documents the events: a JSON Schema (2020-12) for the data of each kind of callback (stream.json,
// record.json, snapshot.json, rtc-record.json), one for the data of events that no callback causes (session.json), one
// for the notice of a quarantined callback (quarantine.json), one for the CloudEvents envelope (event.json), an
// AsyncAPI 3 document of the Kafka topics and NATS subjects (asyncapi.json), and golden pairs.
//
// A golden pair is in the directory of its kind, such as golden/stream:
//
//	<name>.in.json       the callback's body, byte for byte, as the provider may send it
//	<name>.headers.json  its headers; SparkRTC only
//	<name>.out.json      the structured-mode event, byte for byte, as livebridge publishes it: first of its lane,
//	                     committed at 2026-01-02T03:04:05.678Z, user_args redacted; or else
//	<name>.error.txt     the error of the response 400
//
// The tests of package callback verify all of them; go test ./bridge/callback -update writes the outputs again.
package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

// AsyncAPI is the name, in Files, of the AsyncAPI document.
const AsyncAPI = "asyncapi.json"

//go:embed *.json golden
var files embed.FS

// Files returns the schemas, the AsyncAPI document and the golden pairs. It is read-only.
func Files() fs.FS { return files }

// Names returns the names of the schemas: the kinds of event, quarantine, and event for the envelope. A schema has
// the $id urn:livebridge:schema:<name>:1, which is the dataschema of the events that it describes.
func Names() []string {
	return []string{"stream", "record", "snapshot", "rtc-record", "session", "quarantine", "event"}
}

// File returns the file, in Files, of a schema.
func File(name string) string { return name + ".json" }

// Schema returns the JSON Schema of a name. The error wraps fs.ErrNotExist when there is none.
func Schema(name string) ([]byte, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("schema %q: %w", name, fs.ErrNotExist)
	}
	return files.ReadFile(File(name))
}
