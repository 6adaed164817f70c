package callback

import (
	"bytes"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"livebridge/bridge"
)

// Buffers that one large body has made grow beyond this are not kept for the next.
const (
	keepBytes   = 256 << 10
	keepEntries = 256
)

// Callback is one body that has been read and can become an event. It is not for several goroutines at once.
type Callback struct {
	Kind      bridge.Kind
	Lane      bridge.Lane // normalised: the domain in lower case
	EventName string      // the event word as sent; "" for snapshots
	Known     bool        // the word is one of the provider's that this version knows; snapshots: true

	// As sent, JSON-decoded, for the signature check; "" for what is absent. SparkRTC has its app_id in Domain and its
	// room_id in App.
	Domain, App, Stream, DownloadURL, PlayURL string
	// AuthTimestamp is the text of the number or string, digit for digit.
	AuthTimestamp string
	AuthSign      string

	def     *definition
	event   eventSpec
	session bridge.Millis // of a known stream word; 0: none
	start   bridge.Millis
	end     bridge.Millis

	body    []byte
	input   bytes.Buffer
	json    *jsontext.Decoder
	top     object
	obsAddr object // obs_addr
	raw     [roles][]byte

	scratch  []byte // decoded and canonical texts that are not in the body as such; top, place and said point into it
	data     []byte // the data before the policy
	preimage []byte // what the id is taken over
}

// object is what was read of a JSON object.
type object struct {
	values [][]byte // by row of its table, canonical; nil: not there
	rest   []entry  // what goes to "unrecognized"
}

// entry is a member in the sender's own JSON text.
type entry struct{ name, value []byte }

// callbacks keeps what Release gives back.
var callbacks = sync.Pool{New: func() any {
	return &Callback{json: jsontext.NewDecoder(new(bytes.Buffer))}
}}

// byteOrderMark is what some senders put before UTF-8; it says nothing.
const byteOrderMark = "\xef\xbb\xbf"

// Decode reads a callback's body, without a byte order mark before it, in one pass. The error is an *Error: the body is
// not one JSON object, has a member twice (at any depth) or more than 8 levels, or lacks a required member, or has one
// that is empty, too long, of another type or with a control character in it. Member names are exact. Bytes that are
// not UTF-8, and surrogate escapes without their other half, are read as U+FFFD.
//
// The Callback uses body until its Release.
func Decode(kind bridge.Kind, body []byte) (*Callback, error) {
	def := definitionOf(kind)
	if def == nil {
		return nil, newError("", "cannot be read: there is no kind of callback with the number %d", kind)
	}
	c := callbacks.Get().(*Callback)
	c.Kind, c.def, c.body = kind, def, bytes.TrimPrefix(body, []byte(byteOrderMark))
	if err := c.decode(); err != nil {
		c.Release()
		return nil, err
	}
	c.normalize()
	return c, nil
}

// Release gives the buffers back. Neither the Callback nor the body it read is used afterwards; events made of it, its
// Lane and the strings taken from it stay valid. It must be called once at most.
func (c *Callback) Release() {
	if cap(c.scratch)+cap(c.data)+cap(c.preimage) > keepBytes || cap(c.top.rest)+cap(c.obsAddr.rest) > keepEntries {
		return
	}
	c.input = bytes.Buffer{}
	c.json.Reset(&c.input)
	c.top.reset(0)
	c.obsAddr.reset(0)
	*c = Callback{
		json: c.json, top: c.top, obsAddr: c.obsAddr,
		scratch: c.scratch[:0], data: c.data[:0], preimage: c.preimage[:0],
	}
	callbacks.Put(c)
}

func (o *object) reset(rows int) {
	clear(o.values[:cap(o.values)])
	clear(o.rest[:cap(o.rest)])
	if cap(o.values) < rows {
		o.values = make([][]byte, rows)
	}
	o.values, o.rest = o.values[:rows], o.rest[:0]
}
