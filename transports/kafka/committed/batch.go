package committed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/segmentio/kafka-go"
)

// A batch as a log has it (magic 2), all numbers big-endian:
//
//	 0  offset of the first record    int64
//	 8  length of all after it        int32
//	12  leader epoch                  int32
//	16  magic, 2                      int8
//	17  CRC-32C of all after it       uint32
//	21  attributes                    int16
//	23  last offset less the first    int32   <- also of a batch that compaction has emptied
//	27  first time                    int64
//	35  greatest time                 int64   <- of all records, if the log sets it
//	43  producer id                   int64
//	51  producer epoch                int16
//	53  first sequence                int32
//	57  number of records             int32
//	61  the records, compressed
const (
	batchHeader = 61
	batchBase   = 12 // bytes that the length does not count
	magic       = 2

	compressionBits = 7
	logTimeBit      = 1 << 3
	transactionBit  = 1 << 4
	controlBit      = 1 << 5

	// maxBatch is more than a batch can have decompressed: brokers refuse larger requests.
	maxBatch = 256 << 20
)

var (
	errChecksum = errors.New("a batch does not have its checksum")
	errLarge    = errors.New("a batch is too large when decompressed")
)

// batch is the header of a batch and its records, compressed.
type batch struct {
	first, last       int64 // offsets
	attributes        int16
	firstTime, maxTme int64 // Unix milliseconds
	producer          int64
	count             int32
	records           []byte
}

// nextBatch splits the first batch off. Nil: what is left is none, or the beginning of one.
func nextBatch(b []byte) (first *batch, rest []byte, err error) {
	if len(b) < batchHeader {
		return nil, nil, nil
	}
	length := int64(int32(binary.BigEndian.Uint32(b[8:]))) + batchBase
	switch {
	case b[16] != magic:
		return nil, nil, fmt.Errorf("a batch of format %d: convert the topic to message format 2", b[16])
	case length < batchHeader:
		return nil, nil, errShort
	case length > int64(len(b)):
		return nil, nil, nil
	}
	whole := b[:length:length]
	if crc32.Checksum(whole[21:], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(whole[17:]) {
		return nil, nil, errChecksum
	}
	c := cursor{rest: whole}
	out := &batch{first: c.int64()}
	c.skip(13)
	out.attributes, out.last = c.int16(), out.first+int64(c.int32())
	out.firstTime, out.maxTme, out.producer = c.int64(), c.int64(), c.int64()
	c.skip(6)
	out.count, out.records = c.int32(), c.rest
	if out.last < out.first || out.count < 0 {
		return nil, nil, errShort
	}
	return out, b[length:], c.err
}

func (b *batch) control() bool       { return b.attributes&controlBit != 0 }
func (b *batch) transactional() bool { return b.attributes&transactionBit != 0 }

// Record is one record of a partition. Its bytes may be kept.
type Record struct {
	Offset     int64
	Time       int64 // Unix milliseconds: of the log if its topic says LogAppendTime, else of its producer
	Key, Value []byte
	Headers    []Header
}

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte
}

// each calls f for every record.
func (b *batch) each(f func(Record)) error {
	plain, err := b.decompress()
	c := cursor{rest: plain, err: err}
	for range b.count {
		size := c.varint()
		r := cursor{rest: c.take(int(min(size, maxBatch))), err: c.err}
		r.skip(1)
		time, offset := r.varint(), r.varint()
		out := Record{Offset: b.first + offset, Time: b.firstTime + time, Key: r.bytes(), Value: r.bytes()}
		for n := r.varint(); n > 0 && r.err == nil; n-- {
			out.Headers = append(out.Headers, Header{string(r.bytes()), r.bytes()})
		}
		if r.err != nil {
			return r.err
		}
		if b.attributes&logTimeBit != 0 {
			out.Time = b.maxTme
		}
		f(out)
	}
	return nil
}

func (b *batch) decompress() ([]byte, error) {
	c := kafka.Compression(b.attributes & compressionBits)
	if c == 0 {
		return b.records, nil
	}
	codec := codecOf(c)
	if codec == nil {
		return nil, fmt.Errorf("a batch has the unknown compression %d", c)
	}
	reader := codec.NewReader(bytes.NewReader(b.records))
	defer func() { _ = reader.Close() }()
	plain, err := io.ReadAll(io.LimitReader(reader, maxBatch+1))
	if len(plain) > maxBatch {
		return nil, errLarge
	}
	return plain, err
}

// codecOf returns a codec; nil: there is none of that number.
func codecOf(c kafka.Compression) kafka.CompressionCodec { return c.Codec() }

// aborts reports whether a batch is the marker that ends an aborted transaction.
func (b *batch) aborts() bool {
	const abort = 0
	end := false
	err := b.each(func(r Record) {
		end = len(r.Key) >= 4 && binary.BigEndian.Uint16(r.Key[2:]) == abort
	})
	return err == nil && end
}
