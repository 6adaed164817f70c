package producer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A record set as the library writes it and as a produce request carries it: its size, then one batch. Sizes count what
// follows them. The stamped fields are at fixed offsets:
//
//	 0  size of the rest          int32
//	 4  base offset               int64
//	12  batch length              int32
//	16  partition leader epoch    int32
//	20  magic, 2                  int8
//	21  CRC-32C of all after it   uint32   <- stamped last
//	25  attributes                int16
//	27  last offset delta         int32
//	31  first timestamp           int64
//	39  max timestamp             int64
//	47  producer id               int64    <- stamped
//	55  producer epoch            int16    <- stamped
//	57  base sequence             int32    <- stamped
//	61  number of records         int32
//	65  the records, compressed
const (
	offsetBatch    = 4
	offsetLength   = 12
	offsetCRC      = 21
	offsetChecked  = 25
	offsetFirst    = 31
	offsetLast     = 39
	offsetProducer = 47
	offsetEpoch    = 55
	offsetSequence = 57
	offsetRecords  = 65
)

// Encoder writes batches with the settings of one publisher. It may be used by several goroutines at once.
type Encoder struct {
	compression kafka.Compression
	codec       codec // nil: no compression
	readers     sync.Pool
	plain       sync.Pool // *bytes.Buffer
	crc         *crc32.Table
}

// NewEncoder returns an encoder of events in CloudEvents binary or structured mode. The compression is none, gzip,
// snappy, lz4 or zstd.
func NewEncoder(binary bool, compression string) (*Encoder, error) {
	c, err := Compression(compression)
	return &Encoder{
		compression: c, codec: codecOf(c), crc: crc32.MakeTable(crc32.Castagnoli),
		readers: sync.Pool{New: func() any { return &recordReader{binary: binary} }},
		plain:   sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}, err
}

// codec compresses what is written until Close, and is used by several goroutines at once.
type codec interface {
	NewWriter(w io.Writer) io.WriteCloser
}

func codecOf(c kafka.Compression) codec {
	if c == kafka.Lz4 {
		return &lz4Codec{}
	}
	return c.Codec()
}

// Compression returns the compression of a name.
func Compression(name string) (c kafka.Compression, err error) {
	if name == "none" {
		return 0, nil
	}
	if err := c.UnmarshalText([]byte(name)); err != nil || c == 0 {
		return 0, fmt.Errorf("%q is not supported: use none, gzip, snappy, lz4 or zstd", name)
	}
	return c, nil
}

// Encode replaces the content of dst by the record set of one batch, without a producer.
func (e *Encoder) Encode(dst *bytes.Buffer, records []Record) error {
	dst.Reset()
	reader := e.readers.Get().(*recordReader)
	defer e.readers.Put(reader)
	reader.records = records
	set := protocol.RecordSet{Version: 2, Records: reader}
	if _, err := set.WriteTo(dst); err != nil || e.codec == nil {
		return err
	}
	return e.compress(dst)
}

// compress compresses the records of an encoded batch: all at once, where the library would do it field by field.
func (e *Encoder) compress(set *bytes.Buffer) error {
	plain := e.plain.Get().(*bytes.Buffer)
	defer e.plain.Put(plain)
	plain.Reset()
	plain.Write(set.Bytes()[offsetRecords:])
	set.Truncate(offsetRecords)
	w := e.codec.NewWriter(set)
	if _, err := plain.WriteTo(w); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	b := set.Bytes()
	binary.BigEndian.PutUint32(b, uint32(len(b)-offsetBatch))
	binary.BigEndian.PutUint32(b[offsetLength:], uint32(len(b)-offsetLength-4))
	binary.BigEndian.PutUint16(b[offsetChecked:], uint16(e.compression))
	e.seal(b)
	return nil
}

// seal writes the checksum.
func (e *Encoder) seal(set []byte) {
	binary.BigEndian.PutUint32(set[offsetCRC:], crc32.Checksum(set[offsetChecked:], e.crc))
}

// Bytes returns the record set of one batch, without a producer.
func (e *Encoder) Bytes(records []Record) ([]byte, error) {
	var b bytes.Buffer
	err := e.Encode(&b, records)
	return b.Bytes(), err
}

// stamp writes the producer and the sequence of the first record into the batch's header.
func (e *Encoder) stamp(set []byte, producer producerID, sequence int32) {
	binary.BigEndian.PutUint64(set[offsetProducer:], uint64(producer.id))
	binary.BigEndian.PutUint16(set[offsetEpoch:], uint16(producer.epoch))
	binary.BigEndian.PutUint32(set[offsetSequence:], uint32(sequence))
	e.seal(set)
}

// transactional is the bit of the attributes that puts a batch into its producer's transaction. Without it brokers take
// the batch as one that stands outside, and readers see it even if the transaction is aborted.
const transactional = 1 << 4

// Transactional makes an encoded batch one of a transaction of a producer, whose first record has this sequence.
func (e *Encoder) Transactional(set []byte, producer int64, epoch int16, sequence int32) {
	attributes := binary.BigEndian.Uint16(set[offsetChecked:])
	binary.BigEndian.PutUint16(set[offsetChecked:], attributes|transactional)
	e.stamp(set, producerID{id: producer, epoch: epoch}, sequence)
}

// Size is the size of an encoded batch that a broker compares with max.message.bytes.
func Size(set []byte) int { return len(set) - offsetBatch }

// updateTimestamps gives the records of a batch the current time. The broker still recognizes the batch, which it
// identifies by producer and sequence, not by content.
func (e *Encoder) updateTimestamps(set []byte, now time.Time) {
	first, last := binary.BigEndian.Uint64(set[offsetFirst:]), binary.BigEndian.Uint64(set[offsetLast:])
	binary.BigEndian.PutUint64(set[offsetLast:], uint64(now.UnixMilli()))
	binary.BigEndian.PutUint64(set[offsetFirst:], uint64(now.UnixMilli())-(last-first))
}
