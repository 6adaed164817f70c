package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// Where the simulated streams are, and the node_ip that names each of their happenings.
const (
	Domain = "push.example.com"
	App    = "live"
	Node   = "192.0.2.2"
)

// validity is for how long a callback is signed. Pushes of one stream end at different seconds, since two under one
// signature are tampering; a repeat that is signed again ends later.
const validity = 60 * time.Second

// body writes the callback as the provider would at the instant now; base is the session of the first push.
func (c Callback) body(key string, now time.Time, base int64) []byte {
	expires := now.Add(validity).Unix() + c.Session%1000
	if c.Resign {
		expires += 1000
	}
	claim := signature.Claim{Kind: bridge.KindStream, Event: c.Event, Domain: Domain, App: App, Stream: c.Stream,
		Timestamp: strconv.FormatInt(expires, 10)}
	if c.Forged {
		key = strings.Repeat("f", 32)
	}
	session, timestamp := strconv.FormatInt(base+c.Session, 10), claim.Timestamp
	switch c.Numbers {
	case 0:
		session = `"` + session + `"`
	case 1:
		timestamp = `"` + timestamp + `"`
	case 2:
		session = `"` + session + `,"`
	}
	return fmt.Appendf(nil, `{"domain":%q,"app":%q,"stream":%q,"user_args":"auth_info=simulated","client_ip":"192.0.2.1",`+
		`"node_ip":%q,"publish_timestamp":%s,"event":%q,"auth_timestamp":%s,"auth_sign":%q}`,
		Domain, App, c.Stream, Node, session, c.Event, timestamp, signature.Sign(bridge.SchemeHMAC, key, claim))
}
