package nats

import (
	"crypto/subtle"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"
)

// The accounts of the embedded server. Streams, their consumers and we live in one; whoever connects from outside is in
// the other, which has no streams and sees of the first what it imports. So nothing that an outside connection sends can
// reach a stream's subjects: not a message, not the answer to a request whose reply subject is chosen so, and not, since
// the gate looks at them, what a consumer delivers.
const (
	liveAccount     = "LIVE"
	consumerAccount = "CONSUMERS"
)

// bridgeUser is who we are at our own server; the password is made anew for each run.
const bridgeUser = "livebridge"

// service is one part of the API that outside connections may use.
type service struct {
	subject      string
	answers      string // the server's word for how many answers a request has
	proxySubject string // not empty: requests go to this subject, where gate looks at them first
}

// services is what consuming takes: to look at streams, to make, use and drop consumers, to get messages. A pull may wait
// for answerWithin from one message to the next.
func services() []service {
	const one, many = "single", "stream"
	return []service{
		{"$JS.API.INFO", one, ""},
		{"$JS.API.STREAM.NAMES", one, ""},
		{"$JS.API.STREAM.LIST", one, ""},
		{"$JS.API.STREAM.INFO.*", one, ""},
		{"$JS.API.STREAM.MSG.GET.*", one, ""},
		{"$JS.API.DIRECT.GET.>", many, ""},
		{createAPI + ">", one, createProxy + ">"},
		{durableAPI + ">", one, durableProxy + ">"},
		{"$JS.API.CONSUMER.NAMES.*", one, ""},
		{"$JS.API.CONSUMER.LIST.*", one, ""},
		{"$JS.API.CONSUMER.INFO.*.*", one, ""},
		{"$JS.API.CONSUMER.DELETE.*.*", one, ""},
		{"$JS.API.CONSUMER.MSG.NEXT.*.*", many, ""},
		{"$JS.ACK.>", many, ""},
		{"$JS.FC.>", one, ""},
	}
}

const answerWithin = "10m"

// consumerInbox is where push consumers deliver to: the inboxes of clients.
const consumerInbox = "_INBOX.>"

// accountsConfig writes both accounts in the server's configuration language. subjects are those of our streams.
func accountsConfig(subjects []string) string {
	var exports, imports strings.Builder
	for _, s := range services() {
		source, local := s.subject, ""
		if s.proxySubject != "" {
			source, local = s.proxySubject, ", to: "+strconv.Quote(s.subject)
		}
		fmt.Fprintf(&exports, "{service: %q, response_type: %s, threshold: %q}\n", source, s.answers, answerWithin)
		fmt.Fprintf(&imports, "{service: {account: %s, subject: %q}%s}\n", liveAccount, source, local)
	}
	for _, s := range append([]string{consumerInbox}, subjects...) {
		fmt.Fprintf(&exports, "{stream: %q}\n", s)
		fmt.Fprintf(&imports, "{stream: {account: %s, subject: %q}}\n", liveAccount, s)
	}
	return fmt.Sprintf("accounts {\n%s: {jetstream: enabled, exports: [\n%s]}\n%s: {imports: [\n%s]}\n}\n",
		liveAccount, exports.String(), consumerAccount, imports.String())
}

// authenticator tells who connects. It implements server.Authentication.
type authenticator struct {
	secret          string
	token           atomic.Pointer[string] // what consumers must show; empty: nothing
	live, consumers *server.Account        // of the running server
}

// Check implements server.Authentication.
func (g *authenticator) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == bridgeUser && same(o.Password, g.secret) {
		c.RegisterUser(&server.User{Username: bridgeUser, Account: g.live})
		return true
	}
	if token := *g.token.Load(); token != "" && !same(o.Token, token) {
		return false
	}
	c.RegisterUser(&server.User{Username: "consumer", Account: g.consumers, Permissions: consumerPermissions()})
	return true
}

// load reads the token that consumers must show.
func (g *authenticator) load(o EmbeddedOptions) error {
	token := o.Token
	if o.TokenFile != "" {
		read := o.ReadFile
		if read == nil {
			read = os.ReadFile
		}
		content, err := read(o.TokenFile)
		if token = strings.TrimRight(string(content), "\r\n"); err == nil && token == "" {
			err = fmt.Errorf("%s is empty", o.TokenFile)
		}
		if err != nil {
			return settingError("NATS_EMBEDDED_TOKEN_FILE", err)
		}
	}
	g.token.Store(&token)
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// consumerPermissions let consumers send requests and acknowledgements only, so that they cannot play the bridge to each
// other either.
func consumerPermissions() *server.Permissions {
	var allow []string
	for _, s := range services() {
		allow = append(allow, s.subject)
	}
	return &server.Permissions{Publish: &server.SubjectPermission{Allow: allow}}
}
