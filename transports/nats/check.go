package nats

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Check returns every error in the options, each with the name of its setting. It reads the files that they name, and
// connects to nothing.
func (o *Options) Check() error {
	return errors.Join(o.checkURL(), o.checkStream(), o.checkInbox(), o.checkLimits(), o.tlsClient().Check(),
		o.checkFiles())
}

// checkURL never shows the URL: it may hold a password or a token.
func (o *Options) checkURL() error {
	schemes := []string{"nats", "tls", "ws", "wss"}
	for n, text := range servers(o.URL) {
		u, err := url.Parse(text)
		var inner *url.Error
		switch {
		case errors.As(err, &inner):
			return settingError("NATS_URL",
				fmt.Errorf("server %d: invalid URL: %w: use nats://host:port", n+1, inner.Err))
		case err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "":
			return settingError("NATS_URL",
				fmt.Errorf("server %d: invalid URL: use nats://host:port (or tls, ws, wss)", n+1))
		}
	}
	return nil
}

// servers splits NATS_URL. A server without a scheme gets nats://, as in the client.
func servers(list string) []string {
	var out []string
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		out = append(out, text)
	}
	return out
}

// Redacted returns NATS_URL without passwords and tokens.
func Redacted(list string) string {
	all := servers(list)
	for i, text := range all {
		u, err := url.Parse(text)
		if err != nil {
			return "(not shown)"
		}
		if u.User != nil {
			u.User = url.User("xxxxx")
		}
		all[i] = u.String()
	}
	return strings.Join(all, ",")
}

// checkStream rejects invalid stream names and subjects, and overlapping ones.
func (o *Options) checkStream() error {
	if o.Stream == "" || strings.ContainsAny(o.Stream, " .*>/\\\t\r\n") {
		return settingError("NATS_STREAM",
			fmt.Errorf("invalid stream name %q: use letters, digits, - and _", o.Stream))
	}
	if err := checkPrefix(o.SubjectPrefix); err != nil {
		return settingError("NATS_SUBJECT_PREFIX", err)
	}
	if o.Quarantine == "" {
		return nil
	}
	if err := checkPrefix(o.Quarantine); err != nil {
		return settingError("QUARANTINE_TOPIC", err)
	}
	if o.Stream == QuarantineStream || overlap(o.Quarantine, o.SubjectPrefix) {
		return settingError("QUARANTINE_TOPIC",
			errors.New("stream or subjects are those of the events: set another prefix, and NATS_STREAM to another stream"))
	}
	return nil
}

func checkPrefix(prefix string) error {
	for token := range strings.SplitSeq(prefix, ".") {
		if notToken(token) {
			return fmt.Errorf("invalid subject %q: use tokens of letters, digits, - and _ separated by dots", prefix)
		}
	}
	if strings.HasPrefix(prefix, "$") || strings.HasPrefix(prefix, "_") {
		return fmt.Errorf("invalid subject %q: subjects that begin with $ or _ are reserved", prefix)
	}
	return nil
}

// notToken reports whether a string is no valid token of a subject.
func notToken(token string) bool {
	return token == "" || strings.ContainsFunc(token, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`*>"\`, r)
	})
}

// checkInbox rejects a prefix that is no subject, or whose subjects a stream would store.
func (o *Options) checkInbox() error {
	switch tokens := strings.Split(o.InboxPrefix, "."); {
	case o.InboxPrefix == "":
		return nil
	case slices.ContainsFunc(tokens, notToken) || strings.HasPrefix(o.InboxPrefix, "$"):
		return settingError("NATS_INBOX_PREFIX", fmt.Errorf("invalid subject %q: "+
			"use tokens of letters, digits, - and _ separated by dots, such as _INBOX.livebridge",
			o.InboxPrefix))
	case overlap(o.InboxPrefix, o.SubjectPrefix) || overlap(o.InboxPrefix, o.Quarantine):
		return settingError("NATS_INBOX_PREFIX",
			fmt.Errorf("%q overlaps the subjects of events or quarantine: set another prefix", o.InboxPrefix))
	}
	return nil
}

// overlap reports whether one prefix contains the other.
func overlap(a, b string) bool { return b != "" && (within(a, b) || within(b, a)) }

// within reports whether every subject below prefix a is also one below prefix b.
func within(a, b string) bool { return strings.HasPrefix(a+".", b+".") }

const (
	maxReplicas   = 5    // NATS' limit
	maxPartitions = 1024 // more consumers than that nobody runs
)

func (o *Options) checkLimits() error {
	if o.Replicas < 1 || o.Replicas > maxReplicas {
		return settingError("NATS_REPLICAS", fmt.Errorf("%d is out of range: use 1 to %d", o.Replicas, maxReplicas))
	}
	if o.Partitions < 0 || o.Partitions > maxPartitions {
		return settingError("NATS_PARTITIONS",
			fmt.Errorf("%d is out of range: use 1 to %d, or 0 for none", o.Partitions, maxPartitions))
	}
	if o.URL == "" && o.Replicas > 1 {
		return settingError("NATS_REPLICAS",
			fmt.Errorf("%d replicas need a cluster and the embedded server is a single node: set NATS_URL, or 1", o.Replicas))
	}
	return nil
}

// checkFiles names the setting of a file that cannot be used, where the client would name only the file.
func (o *Options) checkFiles() error {
	_, err := openCredentials(o)
	return err
}
