package embedded

import (
	"crypto/subtle"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"
)

// The accounts of the embedded server. Streams, their consumers and the bridge are in one; connections from outside are
// in the other, which has no streams and sees only what it imports from the first. Nothing that an outside connection
// sends can therefore reach a stream's subjects: no message, no reply to a request with a crafted reply subject, and,
// since the consumer proxy checks them, no delivery of a push consumer.
const (
	liveAccount     = "LIVE"
	consumerAccount = "CONSUMERS"
)

// bridgeUser is the bridge's user at the embedded server. Its password is generated for each run.
const bridgeUser = "livebridge"

// service is one part of the API that outside connections may use.
type service struct {
	subject      string
	answers      string // response_type: how many answers a request has
	proxySubject string // not empty: requests go to this subject, where the consumer proxy checks them
}

// services is what a consumer needs: inspecting streams, creating, using and deleting consumers, getting messages. A
// pull request may wait for answerWithin between two messages.
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

// consumerInbox matches the clients' inboxes, the only subjects that push consumers may deliver to.
const consumerInbox = "_INBOX.>"

// accountsConfig returns both accounts in the server's configuration language. subjects are those of our streams.
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

// authenticator assigns connections to accounts. It implements server.Authentication.
type authenticator struct {
	secret          string
	token           atomic.Pointer[string] // that consumers must present; empty: none
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

// load reads the token that consumers must present.
func (g *authenticator) load(o Options) error {
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

// consumerPermissions let consumers send only requests and acknowledgements, so that no consumer can impersonate the
// bridge towards another.
func consumerPermissions() *server.Permissions {
	var allow []string
	for _, s := range services() {
		allow = append(allow, s.subject)
	}
	return &server.Permissions{Publish: &server.SubjectPermission{Allow: allow}}
}
