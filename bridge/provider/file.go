package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"livebridge/bridge"
)

// File is the wanted state of callbacks, as ParseFile reads it. It covers the domains and SparkRTC apps that it names:
// what is registered for others is not its business.
type File struct {
	// Domains are domains that the file covers, besides those of its callbacks.
	Domains []string
	// Callbacks are the wanted callbacks.
	Callbacks []Wanted
}

// Wanted is a wanted callback. Key is empty until File.Resolve.
type Wanted struct {
	Callback

	// KeyFrom is where the key is; nil for a callback without a key.
	KeyFrom *KeyReference
}

// KeyReference says where a key is: exactly one of an environment variable and a file.
type KeyReference struct {
	Env  string `yaml:"env,omitempty"`
	File string `yaml:"file,omitempty"`
}

// String returns the reference for people.
func (r KeyReference) String() string {
	if r.File != "" {
		return "file " + r.File
	}
	return "environment variable " + r.Env
}

// document is the file.
type document struct {
	Domains   []string `yaml:"domains,omitempty"`
	Callbacks []entry  `yaml:"callbacks"`
}

// entry is a wanted callback in the file.
type entry struct {
	Kind     string        `yaml:"kind"`
	Domain   string        `yaml:"domain,omitempty"`
	App      string        `yaml:"app,omitempty"`
	URL      string        `yaml:"url"`
	Key      *KeyReference `yaml:"key,omitempty"`
	SignType SignType      `yaml:"sign_type,omitempty"`
	Events   []string      `yaml:"events,omitempty,flow"`
	Area     Area          `yaml:"call_back_area,omitempty"`
	Pictures *pictures     `yaml:"pictures,omitempty"`
}

// ParseFile reads a file of wanted callbacks. The error names every line that is wrong.
func ParseFile(content []byte) (*File, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	var doc, more document
	if err := d.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, decodeError(err)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document: use one")
	}
	f := &File{Domains: doc.Domains}
	var problems []error
	seen := make(map[Place]bool)
	for n, e := range doc.Callbacks {
		w, err := e.wanted()
		if err == nil && seen[w.Place] {
			err = errors.New("is there twice")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("callback %d (%s): %w", n+1, strings.TrimSpace(e.Kind+" "+e.Domain), err))
		}
		seen[w.Place] = true
		f.Callbacks = append(f.Callbacks, w)
	}
	return f, errors.Join(problems...)
}

// goType is how yaml names the types of this package in its errors.
var goType = regexp.MustCompile(` (in|into) (type )?\*?provider\.\w+`)

// decodeError returns yaml's error without the names of Go types, and without the values, which may be keys.
func decodeError(err error) error {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return err
	}
	var lines []string
	for _, line := range wrong.Errors {
		line = goType.ReplaceAllString(line, "")
		if at, _, found := strings.Cut(line, ": cannot unmarshal"); found {
			line = at + ": has a value of the wrong type; a key is {env: NAME} or {file: PATH}"
		}
		lines = append(lines, line)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// wanted returns the callback that an entry describes, with the defaults.
func (e *entry) wanted() (Wanted, error) {
	kind, known := bridge.ParseKind(e.Kind)
	if !known {
		return Wanted{}, fmt.Errorf("kind %q is not one of stream, record, snapshot, rtc-record", e.Kind)
	}
	w := Wanted{KeyFrom: e.Key, Callback: Callback{
		Place: Place{Kind: kind, Domain: strings.ToLower(e.Domain), App: foldApp(e.App)}, URL: e.URL,
		SignType: e.SignType, Events: e.Events, Area: e.Area, Pictures: e.Pictures.read(),
	}}
	if kind == bridge.KindRecord {
		if w.SignType == "" {
			w.SignType = SignHMAC
		}
		if w.Events == nil {
			w.Events = RecordEvents()
		}
	}
	if e.Key != nil && (e.Key.Env == "") == (e.Key.File == "") {
		return w, errors.New("key has not one of env and file: the key itself is never in this file")
	}
	checked := w.Callback
	if kind == bridge.KindSnapshot && checked.Pictures == nil { // those that are registered stay
		checked.Pictures = &Pictures{Interval: 5, Bucket: "registered", Location: "registered"}
	}
	return w, checked.Check()
}

// Resolve sets the keys; lookup returns the key behind a reference.
func (f *File) Resolve(lookup func(KeyReference) (Key, error)) error {
	var problems []error
	for i := range f.Callbacks {
		w := &f.Callbacks[i]
		if w.KeyFrom == nil {
			continue
		}
		key, err := lookup(*w.KeyFrom)
		if err == nil {
			w.Key = key
			err = w.checkKey()
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%v: %v: %w", w.Place, w.KeyFrom, err))
		}
	}
	return errors.Join(problems...)
}

// Write writes the file.
func (f *File) Write(w io.Writer) error {
	doc := document{Domains: f.Domains}
	for i := range f.Callbacks {
		c := &f.Callbacks[i]
		doc.Callbacks = append(doc.Callbacks, entry{Kind: c.Kind.String(), Domain: c.Domain, App: c.App, URL: c.URL,
			Key: c.KeyFrom, SignType: c.SignType, Events: c.Events, Area: c.Area, Pictures: c.Pictures.written()})
	}
	return WriteYAML(w, doc)
}

// Scope is the domains and SparkRTC apps that somebody is interested in.
type Scope struct {
	Domains, RTCApps []string
}

// Scope returns what the file covers.
func (f *File) Scope() Scope {
	domains, apps := make(map[string]bool), make(map[string]bool)
	for _, domain := range f.Domains {
		domains[strings.ToLower(domain)] = true
	}
	for i := range f.Callbacks {
		if c := &f.Callbacks[i]; c.Kind == bridge.KindRTCRecord {
			apps[c.App] = true
		} else {
			domains[c.Domain] = true
		}
	}
	return Scope{slices.Sorted(maps.Keys(domains)), slices.Sorted(maps.Keys(apps))}
}
