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

// template is the name of a topic in which {domain}, {app} and {kind} of the event may stand.
type template string

func placeholders() []string { return []string{"{domain}", "{app}", "{kind}"} }

// check refuses a template that gives no legal name.
func (t template) check() error {
	plain := string(t)
	for _, p := range placeholders() {
		plain = strings.ReplaceAll(plain, p, "x")
	}
	if strings.ContainsAny(plain, "{}") {
		return fmt.Errorf("%q: only {domain}, {app} and {kind} may stand in a topic's name", string(t))
	}
	return checkTopic(plain)
}

func checkTopic(name string) error {
	legal := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r)
	}
	switch {
	case name == "":
		return errors.New("a topic needs a name")
	case name == "." || name == "..":
		return fmt.Errorf("%q is no topic's name", name)
	case len(name) > maxTopic:
		return fmt.Errorf("the topic's name would have %d characters, and %d are the most", len(name), maxTopic)
	case strings.ContainsFunc(name, func(r rune) bool { return !legal(r) }):
		return fmt.Errorf("%q is no topic's name: use letters, digits, full stop, - and _", name)
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

// topicPart writes a part of a lane with the characters that topics may have: percent-encoded, with _x for the percent
// sign. So that different parts stay different, an underscore before an x becomes _x5F, the tilde _x7E, and a part that
// is empty _x00, which no part gives.
func topicPart(part string) string {
	if part == "" {
		return "_x00"
	}
	escaped := string(bridge.AppendEscaped(nil, part, bridge.KeepDot))
	return strings.NewReplacer("_x", "_x5Fx", "%", "_x", "~", "_x7E").Replace(escaped)
}

// pattern matches every topic that the template gives.
func (t template) pattern() *regexp.Regexp {
	p := regexp.QuoteMeta(string(t))
	for _, placeholder := range placeholders() {
		p = strings.ReplaceAll(p, regexp.QuoteMeta(placeholder), `[A-Za-z0-9._-]+`)
	}
	return regexp.MustCompile("^" + p + "$") // all of it is quoted
}
