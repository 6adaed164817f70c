package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// ParseRules parses a KEYS_FILE:
//
//	rules:
//	  - domain: push.example.com   # or "*"; of SparkRTC the app_id
//	    app: live                  # or "*"
//	    kind: record               # stream, record, snapshot or rtc-record
//	    sign_type: HMACSHA256      # of recordings only
//	    keys: [0123456789abcdef0123456789abcdef]
//
// Unknown, duplicate and missing members are errors. An error names the line and never contains a value, which might
// be a key in the wrong place; each rule has its own. signature.NewRing checks the values.
func ParseRules(content []byte) ([]signature.Rule, error) {
	root, err := parseYAML(content)
	if err != nil {
		return nil, err
	}
	top, err := membersOf(root, "rules")
	if err != nil {
		return nil, err
	}
	list, err := top.list("rules")
	if err != nil {
		return nil, err
	}
	rules, errs := make([]signature.Rule, len(list)), make([]error, len(list))
	for i, n := range list {
		rules[i], errs[i] = parseRule(n)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return rules, nil
}

func parseRule(n *yaml.Node) (r signature.Rule, err error) {
	m, err := membersOf(n, "domain", "app", "kind", "sign_type", "keys")
	if err != nil {
		return r, err
	}
	r.Where = fmt.Sprintf("line %d", n.Line)
	var kind, scheme string
	kind, err = m.text("kind", err)
	r.Domain, err = m.text("domain", err)
	if r.App = signature.Any; kind != bridge.KindRTCRecord.String() || m.nodes["app"] != nil {
		r.App, err = m.text("app", err)
	}
	if m.nodes["sign_type"] != nil {
		scheme, err = m.text("sign_type", err)
	}
	if kind != bridge.KindSnapshot.String() || m.nodes["keys"] != nil {
		r.Keys, err = m.textList("keys", err)
	}
	if err != nil {
		return r, err
	}
	var known bool
	if r.Kind, known = bridge.ParseKind(kind); !known {
		return r, lineError(m.nodes["kind"], "unknown kind; use stream, record, snapshot or rtc-record")
	}
	if scheme != "" {
		if r.Scheme, err = signature.ParseScheme(scheme); err != nil {
			return r, lineError(m.nodes["sign_type"], "unknown sign_type; use HMACSHA256, HMACSHA256-LEGACY or MD5")
		}
	}
	return r, nil
}

// lineError is a mistake in the file. It must not contain a value of the file.
func lineError(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...))
}

// parseYAML returns the one document of a file.
func parseYAML(content []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(content))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty; write rules: and a list of rules")
	case err != nil:
		return nil, syntaxError(err)
	}
	switch err := d.Decode(&more); {
	case err == nil:
		return nil, lineError(&more, "contains a second document; put all rules into one")
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(err)
	}
	return doc.Content[0], nil
}

// syntaxError keeps the line of the library's error but not its text, which may contain a value of the file.
func syntaxError(err error) error {
	const advice = "invalid YAML; quote keys that contain other characters than letters and digits"
	if line := regexp.MustCompile(`line (\d+)`).FindString(err.Error()); line != "" {
		return fmt.Errorf("near %s: %s", line, advice)
	}
	return errors.New(advice)
}

// members are those of a mapping, by name.
type members struct {
	of    *yaml.Node
	nodes map[string]*yaml.Node
}

func membersOf(n *yaml.Node, known ...string) (members, error) {
	m := members{of: n, nodes: make(map[string]*yaml.Node)}
	if n.Kind != yaml.MappingNode {
		return m, lineError(n, "not a mapping; write %s: and its value", known[0])
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !slices.Contains(known, name.Value) {
			return m, lineError(name, "unknown member%s; use %s", shownName(name.Value), strings.Join(known, ", "))
		}
		if m.nodes[name.Value] != nil {
			return m, lineError(name, "duplicate member %s", name.Value)
		}
		m.nodes[name.Value] = value
	}
	return m, nil
}

// shownName returns a member's name, after a space, if it is too short and too plain to be a key.
func shownName(name string) string {
	if regexp.MustCompile(`^[a-zA-Z_-]{1,16}$`).MatchString(name) {
		return " " + name
	}
	return ""
}

// text returns the text of a required member. If err is not nil, it returns that.
func (m members) text(name string, err error) (string, error) {
	switch n := m.nodes[name]; {
	case err != nil:
		return "", err
	case n == nil:
		return "", lineError(m.of, "%s is missing", name)
	default:
		return textOf(n, name)
	}
}

// textList returns the texts of a required list. If err is not nil, it returns that.
func (m members) textList(name string, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	list, err := m.list(name)
	values := make([]string, len(list))
	for i, n := range list {
		if err == nil {
			values[i], err = textOf(n, fmt.Sprintf("entry %d of %s", i+1, name))
		}
	}
	return values, err
}

func (m members) list(name string) ([]*yaml.Node, error) {
	switch n := m.nodes[name]; {
	case n == nil:
		return nil, lineError(m.of, "%s is missing", name)
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		return nil, lineError(n, "%s is not a list with one entry or more; begin each with a dash", name)
	default:
		return n.Content, nil
	}
}

// textOf returns a scalar as written: a key of digits only is not a number.
func textOf(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Style&yaml.TaggedStyle != 0 || n.Anchor != "" || n.Tag == "!!null" || n.Value == "" {
		return "", lineError(n, "%s is not a string; quote it, without anchors and tags", what)
	}
	return n.Value, nil
}
