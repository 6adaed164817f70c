package nats

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// denial is an operation that the server does not permit our user. The server reports it asynchronously, not in answer
// to the operation.
type denial struct {
	subscribe bool
	subject   string
}

var denialText = regexp.MustCompile(`(?i)(publish|subscription) to "(\S+)"`)

// denialOf parses the client's error.
func denialOf(err error) (denial, bool) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return denial{}, false
	}
	found := denialText.FindStringSubmatch(err.Error())
	if found == nil {
		return denial{}, false
	}
	return denial{subscribe: strings.EqualFold(found[1], "subscription"), subject: found[2]}, true
}

// onDenial passes denials to f, and other errors of the connection to the handler set before.
func onDenial(f func(denial)) nats.Option {
	return func(o *nats.Options) error {
		otherwise := o.AsyncErrorCB
		o.AsyncErrorCB = func(c *nats.Conn, s *nats.Subscription, err error) {
			if d, is := denialOf(err); is {
				f(d)
			} else if otherwise != nil {
				otherwise(c, s, err)
			}
		}
		return nil
	}
}

// missingPermission returns an error that names the missing permission.
func (d denial) missingPermission() *unusableError {
	if d.subscribe {
		return missingPermission("subscribe", d.subject)
	}
	return missingPermission("publish", d.subject)
}

func missingPermission(verb, subject string) *unusableError {
	return &unusableError{fmt.Sprintf("NATS user may not %s to %s: grant the permission", verb, subject)}
}

// denied fails what waits for an operation that the server does not permit.
func (p *Publisher) denied(d denial) {
	if d.subscribe {
		p.inboxDenied()
		return
	}
	for _, s := range p.streams.all() {
		if strings.HasPrefix(d.subject, "$JS.API.") && strings.HasSuffix(d.subject, "."+s.want.Name) {
			s.denied(missingPermission("publish", d.subject))
			return
		}
		if covers(s.want.Subjects[0], d.subject) {
			why := missingPermission("publish", s.want.Subjects[0])
			s.permissionAlarm.raise(zap.ErrorLevel, "publishing to NATS is not permitted; events are retained", why)
			p.acks.rejectSubject(d.subject, bridge.Unavailable("%w", why))
			return
		}
	}
}

// inboxDenied blocks all streams, since no answer can arrive, and retries the subscription on a new connection after a
// while: the server does not say when it permits it.
func (p *Publisher) inboxDenied() {
	why := missingPermission("subscribe", p.opts.inbox()+".>")
	for _, s := range p.streams.all() {
		s.denied(why)
	}
	p.reconnectSoon()
}
