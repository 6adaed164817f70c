package kafka

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"livebridge/bridge"
)

// maxTopic is Kafka's limit of a topic's name, in bytes.
const maxTopic = 249

// template is a topic's name that may contain {domain}, {app} and {kind} of the event.
type template string

func placeholders() []string { return []string{"{domain}", "{app}", "{kind}"} }

// check rejects a template that does not yield valid names.
func (t template) check() error {
	plain := string(t)
	for _, p := range placeholders() {
		plain = strings.ReplaceAll(plain, p, "x")
	}
	if strings.ContainsAny(plain, "{}") {
		return fmt.Errorf("invalid topic name %q: only {domain}, {app} and {kind} are placeholders", string(t))
	}
	return checkTopic(plain)
}

func checkTopic(name string) error {
	legal := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r)
	}
	switch {
	case name == "":
		return errors.New("is empty: set the name of a topic")
	case name == "." || name == "..":
		return fmt.Errorf("invalid topic name %q", name)
	case len(name) > maxTopic:
		return fmt.Errorf("topic name has %d characters: use %d at most", len(name), maxTopic)
	case strings.ContainsFunc(name, func(r rune) bool { return !legal(r) }):
		return fmt.Errorf("invalid topic name %q: use letters, digits, dots, - and _", name)
	}
	return nil
}

// fixed reports whether all events go to one topic.
func (t template) fixed() bool { return !strings.Contains(string(t), "{") }

// of returns the topic of an event.
func (t template) of(e *bridge.Event) string {
	if t.fixed() {
		return string(t)
	}
	return strings.NewReplacer("{domain}", topicPart(e.Lane.Domain), "{app}", topicPart(e.Lane.App),
		"{kind}", e.Lane.Kind.String()).Replace(string(t))
}

// topicPart encodes a part of a lane with the characters that topics may have: percent-encoded, with _x for the percent
// sign. To keep different parts different, an underscore before an x becomes _x5F, the tilde _x7E, and an empty part
// _x00, which no other part encodes to.
func topicPart(part string) string {
	if part == "" {
		return "_x00"
	}
	escaped := string(bridge.AppendEscaped(nil, part, bridge.KeepDot))
	return strings.NewReplacer("_x", "_x5Fx", "%", "_x", "~", "_x7E").Replace(escaped)
}

// pattern matches every topic that the template yields.
func (t template) pattern() *regexp.Regexp {
	p := regexp.QuoteMeta(string(t))
	for _, placeholder := range placeholders() {
		p = strings.ReplaceAll(p, regexp.QuoteMeta(placeholder), `[A-Za-z0-9._-]+`)
	}
	return regexp.MustCompile("^" + p + "$") // cannot fail: the rest is quoted
}
