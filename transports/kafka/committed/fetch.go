package committed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

const (
	fetchVersion = 11        // the library's greatest; brokers have it from 2.3 on
	maxAnswer    = 256 << 20 // is larger than any answer of a broker
	clientID     = "livebridge"
)

var (
	errShort   = errors.New("a fetch response ends too early")
	errOld     = errors.New("the broker is older than Kafka 2.3, which replicas need: upgrade it")
	errStrange = errors.New("a fetch response that is not of the partition asked for")
)

// request is a fetch of one partition whose response is decoded here: the library hides when a log appended a record,
// and how many offsets a batch has that compaction has emptied.
type request struct {
	*fetch.Request
	version int16 // that was agreed upon with the broker
}

// Required implements protocol.RawExchanger.
func (r *request) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[protocol.Fetch]
	return true
}

// RawExchange implements protocol.RawExchanger.
func (r *request) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if r.version < fetchVersion {
		return nil, errOld
	}
	if err := protocol.WriteRequest(rw, fetchVersion, 1, clientID, r.Request); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(rw, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxAnswer {
		return nil, fmt.Errorf("a fetch response of %d bytes", n)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(rw, answer); err != nil {
		return nil, err
	}
	return decodeResponse(answer)
}

// response is what a broker answers about one partition.
type response struct {
	code          int16
	highWatermark int64
	aborted       []abortedTransaction
	records       []byte // batches, the last of which may be cut off
}

// ApiKey implements protocol.Message.
func (*response) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:staticcheck // the library's name

// abortedTransaction is the first offset of a producer's transaction that was aborted.
type abortedTransaction struct{ producer, first int64 }

// decodeResponse decodes a response of version 11 without its size:
//
//	correlation id   int32
//	throttle time    int32
//	error            int16
//	session id       int32
//	topics           int32 and for each of them
//	    name             string
//	    partitions       int32 and for each of them
//	        number           int32
//	        error            int16
//	        high watermark   int64
//	        last stable      int64
//	        log start        int64
//	        aborted          int32 and for each producer id and first offset, int64 each
//	        preferred        int32
//	        records          int32 and so many bytes
func decodeResponse(b []byte) (*response, error) {
	c := cursor{rest: b}
	c.skip(8)
	r := &response{code: c.int16()}
	c.skip(4)
	topics := c.int32()
	if r.code != 0 && c.err == nil {
		return r, nil
	}
	if topics == 1 {
		c.skip(int(c.int16()))
	}
	if partitions := c.int32(); topics != 1 || partitions != 1 {
		return nil, errors.Join(c.err, errStrange)
	}
	c.skip(4)
	r.code, r.highWatermark = c.int16(), c.int64()
	c.skip(16)
	for n := c.int32(); n > 0 && c.err == nil; n-- {
		r.aborted = append(r.aborted, abortedTransaction{c.int64(), c.int64()})
	}
	c.skip(4)
	r.records = c.take(int(c.int32()))
	return r, c.err
}

// cursor reads numbers. After an error all of them are 0.
type cursor struct {
	rest []byte
	err  error
}

// take returns the next n bytes; fewer than 0 are none.
func (c *cursor) take(n int) []byte {
	if n <= 0 || c.err != nil {
		return nil
	}
	if n > len(c.rest) {
		c.err = errShort
		return nil
	}
	taken := c.rest[:n:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) skip(n int) { c.take(n) }

func (c *cursor) int16() int16 {
	if b := c.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) int32() int32 {
	if b := c.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (c *cursor) int64() int64 {
	if b := c.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// varint reads a zigzag number.
func (c *cursor) varint() int64 {
	if c.err != nil {
		return 0
	}
	v, n := binary.Varint(c.rest)
	if n <= 0 {
		c.err = errShort
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// bytes reads bytes behind their length; nil: a negative one, which stands for none.
func (c *cursor) bytes() []byte {
	switch n := c.varint(); {
	case c.err != nil || n < 0:
		return nil
	case n == 0:
		return []byte{}
	case n > int64(len(c.rest)):
		c.err = errShort
		return nil
	default:
		return c.take(int(n))
	}
}
