package provider

import (
	"bytes"
	"encoding/json"
	"io"

	"go.yaml.in/yaml/v3"
)

// description is a callback as it is shown: in JSON and YAML, with the names of the file of wanted callbacks.
type description struct {
	Kind     string    `json:"kind" yaml:"kind"`
	Domain   string    `json:"domain,omitempty" yaml:"domain,omitempty"`
	App      string    `json:"app,omitempty" yaml:"app,omitempty"`
	ID       string    `json:"id,omitempty" yaml:"id,omitempty"`
	URL      string    `json:"url" yaml:"url"`
	Key      string    `json:"key" yaml:"key"`
	SignType SignType  `json:"sign_type,omitempty" yaml:"sign_type,omitempty"`
	Events   []string  `json:"events,omitempty" yaml:"events,omitempty,flow"`
	Area     Area      `json:"call_back_area,omitempty" yaml:"call_back_area,omitempty"`
	Pictures *pictures `json:"pictures,omitempty" yaml:"pictures,omitempty"`
	Created  string    `json:"create_time,omitempty" yaml:"create_time,omitempty"`
	Updated  string    `json:"update_time,omitempty" yaml:"update_time,omitempty"`
}

// pictures is Pictures as it is written in files and shown.
type pictures struct {
	Interval  int    `json:"interval" yaml:"interval"`
	Overwrite bool   `json:"overwrite" yaml:"overwrite"`
	Bucket    string `json:"bucket" yaml:"bucket"`
	Location  string `json:"location" yaml:"location"`
	Object    string `json:"object,omitempty" yaml:"object,omitempty"`
	Mode      string `json:"snapshot_mode,omitempty" yaml:"snapshot_mode,omitempty"`
	Format    string `json:"image_object_format,omitempty" yaml:"image_object_format,omitempty"`
	Protocol  string `json:"image_access_protocol,omitempty" yaml:"image_access_protocol,omitempty"`
	Host      string `json:"image_access_domain,omitempty" yaml:"image_access_domain,omitempty"`
}

// written returns pictures for a file; nil for nil.
func (p *Pictures) written() *pictures {
	if p == nil {
		return nil
	}
	return &pictures{Interval: p.Interval, Overwrite: p.Overwrite, Bucket: p.Bucket, Location: p.Location,
		Object: p.Object, Mode: p.Extra[extraMode], Format: p.Extra[extraFormat], Protocol: p.Extra[extraProtocol],
		Host: p.Extra[extraDomain]}
}

// read returns what a file says of pictures; nil for nil.
func (p *pictures) read() *Pictures {
	if p == nil {
		return nil
	}
	return &Pictures{Interval: p.Interval, Overwrite: p.Overwrite, Bucket: p.Bucket, Location: p.Location,
		Object: p.Object, Extra: extras(p.Mode, p.Format, p.Protocol, p.Host)}
}

// extras returns Pictures.Extra with what is not empty, nil if all is.
func extras(mode, format, protocol, domain string) map[string]string {
	var set map[string]string
	for name, text := range map[string]string{
		extraMode: mode, extraFormat: format, extraProtocol: protocol, extraDomain: domain,
	} {
		if text == "" {
			continue
		}
		if set == nil {
			set = make(map[string]string)
		}
		set[name] = text
	}
	return set
}

// KeyText returns what may be shown of the callback's key: its id, "not shown by the provider" or "none".
func (c *Callback) KeyText() string {
	switch {
	case c.Key != "":
		return c.Key.String()
	case c.KeyHidden:
		return "not shown by the provider"
	}
	return "none"
}

func (c *Callback) describe() description {
	return description{Kind: c.Kind.String(), Domain: c.Domain, App: c.App, ID: c.ID, URL: c.URL, Key: c.KeyText(),
		SignType: c.SignType, Events: c.Events, Area: c.Area, Pictures: c.Pictures.written(), Created: c.Created,
		Updated: c.Updated}
}

// MarshalJSON encodes the callback with the names of the file of wanted callbacks, and its key's id.
func (c Callback) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	j := json.NewEncoder(&out)
	j.SetEscapeHTML(false)
	err := j.Encode(c.describe())
	return bytes.TrimSpace(out.Bytes()), err
}

// MarshalYAML is like MarshalJSON.
func (c Callback) MarshalYAML() (any, error) { return c.describe(), nil }

// WriteYAML writes v, such as callbacks, as one YAML document.
func WriteYAML(w io.Writer, v any) error {
	y := yaml.NewEncoder(w)
	y.SetIndent(2)
	if err := y.Encode(v); err != nil {
		return err
	}
	return y.Close()
}
