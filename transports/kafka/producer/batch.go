package producer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A record set as the library writes it and as a produce request carries it: its size, then one batch. The stamped
// fields are at fixed offsets:
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
	offsetCRC      = 21
	offsetChecked  = 25
	offsetFirst    = 31
	offsetLast     = 39
	offsetProducer = 47
	offsetEpoch    = 55
	offsetSequence = 57
)

// batch is records of one partition that are sent, resent and answered together.
type batch struct {
	records []Record
	bytes   []byte // the record set; immutable while its outcome is unknown

	offset       int64 // base offset that the broker assigned
	firstSent    time.Time
	maybeWritten bool // it was sent and its outcome is unknown: the broker may have it

	// set by indexRecords, once records may be answered before the outcome is known
	eventKeys []eventKey
	index     map[eventKey]int
}

// Encoder writes batches with the settings of one publisher. It may be used by several goroutines at once.
type Encoder struct {
	compression kafka.Compression
	readers     sync.Pool
	crc         *crc32.Table
}

// NewEncoder returns an encoder of events in CloudEvents binary or structured mode. The compression is none, gzip,
// snappy, lz4 or zstd.
func NewEncoder(binary bool, compression string) (*Encoder, error) {
	c, err := Compression(compression)
	return &Encoder{
		compression: c, crc: crc32.MakeTable(crc32.Castagnoli),
		readers: sync.Pool{New: func() any { return &recordReader{binary: binary} }},
	}, err
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
	set := protocol.RecordSet{Version: 2, Attributes: protocol.Attributes(e.compression), Records: reader}
	_, err := set.WriteTo(dst)
	return err
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
	binary.BigEndian.PutUint32(set[offsetCRC:], crc32.Checksum(set[offsetChecked:], e.crc))
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

// indexRecords lets records that are published again find their position in the batch.
func (b *batch) indexRecords() {
	b.index = make(map[eventKey]int, len(b.records))
	for i := range b.records {
		b.eventKeys = append(b.eventKeys, eventKeyOf(b.records[i].Event))
		if b.eventKeys[i] != (eventKey{}) {
			b.index[b.eventKeys[i]] = i
		}
	}
}

// size is the size that the broker compares with max.message.bytes.
func (b *batch) size() int { return Size(b.bytes) }
