package callback

import (
	"bytes"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"livebridge/bridge"
)

// Buffers that a large body has grown beyond these limits are not reused.
const (
	keepBytes   = 256 << 10
	keepEntries = 256
)

// Callback is a decoded body that can become an event. It is not safe for concurrent use.
type Callback struct {
	Kind      bridge.Kind
	Lane      bridge.Lane // normalised: the domain in lower case
	EventName string      // as sent; "" for snapshots
	Known     bool        // this version knows the event name; true for snapshots

	// As sent, JSON-decoded, for the signature check; "" for absent members. SparkRTC has its app_id in Domain and its
	// room_id in App.
	Domain, App, Stream, DownloadURL, PlayURL string
	// AuthTimestamp is the number or string as sent, digit for digit.
	AuthTimestamp string
	AuthSign      string

	def     *definition
	event   eventSpec
	session bridge.Millis // of a known stream event; 0: none
	start   bridge.Millis
	end     bridge.Millis

	body    []byte
	input   bytes.Buffer
	json    *jsontext.Decoder
	top     object
	obsAddr object // obs_addr
	raw     [roles][]byte

	scratch  []byte // decoded and canonical texts that are not in the body as such; top, obsAddr and raw point into it
	data     []byte // the data before redaction
	preimage []byte // what the id is computed over
}

// object is a decoded JSON object.
type object struct {
	values [][]byte // by row of its table, canonical; nil: absent
	rest   []entry  // what goes to "unrecognized"
}

// entry is a member as the sender wrote it.
type entry struct{ name, value []byte }

// callbacks are reused after Release.
var callbacks = sync.Pool{New: func() any {
	return &Callback{json: jsontext.NewDecoder(new(bytes.Buffer))}
}}

// byteOrderMark precedes UTF-8 from some senders and has no meaning.
const byteOrderMark = "\xef\xbb\xbf"

// Decode decodes a callback's body in one pass and skips a byte order mark before it. The error is an *Error: the body
// is not one JSON object, has a duplicate member (at any depth) or more than 8 levels, or a required member is
// missing, empty, too long, of another type or contains a control character. Member names are case-sensitive. Bytes
// that are not UTF-8, and unpaired surrogate escapes, are decoded as U+FFFD.
//
// The Callback uses body until its Release.
func Decode(kind bridge.Kind, body []byte) (*Callback, error) {
	def := definitionOf(kind)
	if def == nil {
		return nil, newError("", "cannot be decoded: unknown kind of callback %d", kind)
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

// Release recycles the buffers. Neither the Callback nor its body may be used afterwards; events made from it, its Lane
// and its strings stay valid. It must be called at most once.
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
